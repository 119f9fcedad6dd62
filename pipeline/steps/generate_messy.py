"""Delivers the generator's facts as platforms do, and writes what the master must hold then."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from pipeline.engine import map_threads
from pipeline.errors import ExistsError, UsageError
from pipeline.generate.messy.files import Messy, MessyFile, make_messy
from pipeline.generate.messy.truth import Placed, frame_deliveries, frame_rows
from pipeline.generate.model import open_market
from pipeline.generate.request import GenerateRequest, plan_days
from pipeline.generate.vocabulary import make_vocabulary
from pipeline.lake import LANDING, TRUE_DELIVERIES, TRUE_ROWS, Lake
from pipeline.merge.place import FIRST_DELIVERY, format_delivered
from pipeline.steps.truth import read_truth

MOST_ROWS: Final = 2_000_000
"""Of a campaign and audience; all deliveries are made in memory."""


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
    _check_request(request, rows=sum(day.rows for day in days), today=today)
    vocabulary = make_vocabulary(seed=request.seed, locale=request.locale)
    messy = make_messy(open_market(seed=request.seed, vocabulary=vocabulary), days)
    places = {file.number: _place(file) for file in messy.files}
    return MessyPlan(
        files=_name_files(messy, places),
        rows=frame_rows(messy, places),
        deliveries=frame_deliveries(messy, places),
    )


def _check_request(request: GenerateRequest, *, rows: int, today: date) -> None:
    if request.start < FIRST_DELIVERY.date():
        raise UsageError(
            f"the range starts on {request.start}, and no delivery is older than "
            f"{FIRST_DELIVERY:%Y-%m-%d}: start it there or later"
        )
    if request.end >= today:
        raise UsageError(
            f"the range ends on {request.end}, and platforms report a day on the next one; "
            f"expected an end before {today} (today, UTC): end the range there"
        )
    if rows > MOST_ROWS:
        raise UsageError(
            f"{rows:,} rows were asked for, each of which is delivered several times; expected "
            f"at most {MOST_ROWS:,} in a mess"
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
    truth = {
        path: frame
        for path, frame in ((TRUE_ROWS, plan.rows), (TRUE_DELIVERIES, plan.deliveries))
        if not _is_there(lake, path, frame)
    }
    lake.initialise()
    files = list(plan.files.items())
    list(map_threads(lambda file: _write(lake, *file), files, workers=lake.storage.lanes))
    for path, frame in truth.items():
        _write(lake, path, _encode(frame))
    return plan


def _is_there(lake: Lake, path: str, frame: pl.DataFrame) -> bool:
    """Whether the lake holds this very table.

    Raises:
        UsageError: It holds another one.
    """
    found = read_truth(lake, path, frame.schema)
    if found is not None and not found.equals(frame):
        raise UsageError(
            f"{lake.locate(path)} is the truth of another request; expected none, or that of "
            f"the same days, rows, seed and locale: generate into another lake"
        )
    return found is not None


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
