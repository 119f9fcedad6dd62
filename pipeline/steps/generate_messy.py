"""Delivers the generator's facts as platforms do, and writes what the master must hold then."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.errors import ExistsError, UsageError
from pipeline.generate.messy.files import Messy, MessyFile, make_messy
from pipeline.generate.messy.truth import Placed, frame_deliveries, frame_rows
from pipeline.generate.model import open_market
from pipeline.generate.request import GenerateRequest, plan_days
from pipeline.generate.vocabulary import make_vocabulary
from pipeline.lake import LANDING, TRUE_DELIVERIES, TRUE_ROWS, Lake
from pipeline.merge.place import format_delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class MessyPlan:
    """What is to be delivered.

    Attributes:
        files: The bytes of each file by its key in the lake, in the order of arrival.
        rows: What the master must hold; columns `AD_DAY_TRUTH`.
        deliveries: The files; columns `DELIVERIES`.
    """

    files: Mapping[str, bytes]
    rows: pl.DataFrame
    deliveries: pl.DataFrame


def plan_messy(request: GenerateRequest, *, today: date) -> MessyPlan:
    """Makes what platforms deliver of a request's days; nothing is written.

    Args:
        request: Which days, and how many rows of a campaign and audience; at least one day.
        today: The current day in UTC.

    Raises:
        UsageError: The request cannot be met.
    """
    days = plan_days(request, today=today)
    if request.end >= today:
        raise UsageError(
            f"the range ends on {request.end}, and platforms report a day on the next one; "
            f"expected an end before {today} (today, UTC): end the range there"
        )
    vocabulary = make_vocabulary(seed=request.seed, locale=request.locale)
    messy = make_messy(open_market(seed=request.seed, vocabulary=vocabulary), days)
    places = {file.number: _place(file) for file in messy.files}
    return MessyPlan(
        files=_name_files(messy, places),
        rows=frame_rows(messy, places),
        deliveries=frame_deliveries(messy, places),
    )


def _name_files(messy: Messy, places: Mapping[int, Placed]) -> dict[str, bytes]:
    return {places[file.number].path: file.data for file in messy.files}


def _place(file: MessyFile) -> Placed:
    """Where a file lies: as `land` would put it, a mirrored one in other folders of the same."""
    folder = format_delivered(file.delivered_at)
    parts = [f"account={file.account.name}", folder]
    if file.is_mirrored:
        parts.reverse()
    path = "/".join([LANDING, file.account.source, *parts, file.name])
    sha256 = hashlib.sha256(file.data).hexdigest()
    return Placed(path, folder.removeprefix("delivered="), sha256)


def generate_messy(lake: Lake, request: GenerateRequest, *, today: date) -> MessyPlan:
    """Delivers a request's days into landing/, and writes the truth when all files are there.

    Args:
        lake: The lake; made where there is none.
        request: As for `plan_messy`.
        today: Likewise.

    Raises:
        UsageError: The request cannot be met, or the lake holds the truth of another one; nothing
            was written.
        ExistsError: A file of the same name and other content is in the way.
    """
    plan = plan_messy(request, today=today)
    truth = {TRUE_ROWS: _encode(plan.rows), TRUE_DELIVERIES: _encode(plan.deliveries)}
    for path, data in truth.items():
        if lake.storage.find(path) is not None and lake.storage.read(path) != data:
            raise UsageError(
                f"{lake.locate(path)} is the truth of another request; expected none, or that of "
                f"the same days, rows, seed and locale: generate into another lake"
            )
    lake.initialise()
    for path, data in {**plan.files, **truth}.items():
        _write(lake, path, data)
    return plan


def _encode(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def _write(lake: Lake, path: str, data: bytes) -> None:
    try:
        lake.storage.create(path, data)
    except ExistsError as error:
        if lake.storage.read(path) != data:
            raise ExistsError(
                f"{path} is there already with other content; generate into another lake"
            ) from error
