"""Takes a delivered file back: the master becomes what it would be had the file never come."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import LakeError, UsageError
from pipeline.lake import Lake
from pipeline.merge.account import FileAccount
from pipeline.merge.delivery import Delivery, pick_judged, recall
from pipeline.settings import Settings
from pipeline.steps.batch import VOID_RANGES
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.ingest import SAME_FILE, Ingested
from pipeline.steps.refuse import list_broken
from pipeline.steps.transaction import Intake, transact

_NAMES = ["source", "delivered_at", "delivery_id"]


def withdraw(lake: Lake, path: str, *, settings: Settings) -> MergeOutcome:
    """Withdraws a file: a tombstone in the ledger, and its dates are resolved again from landing.

    The file stays where it is. To bring it back, land it as a delivery of another time.

    Args:
        lake: The lake.
        path: Its key, as the ledger has it.
        settings: Where further contracts are, and how much is worked on at once.

    Raises:
        EmptyLakeError: There is no master table.
        UsageError: No merge took such a file.
        LakeError: A file that spoke before it cannot be read again as it was.
    """
    lake.open_master()

    def take_in(ledger: pl.DataFrame, _: Mapping[str, Contract]) -> Intake:
        judged = pick_judged(ledger)
        gone = judged.filter(pl.col("path") == path, pl.col("outcome") == "merged")
        if gone.is_empty():
            raise UsageError(f"{path} is no file that a merge took; see `adlake query` on ledger")
        (account,) = [_make_tombstone(one) for one in recall(gone.tail(1), role="reread")]
        left = ledger.filter(pl.col("path") != path)
        rest = pick_judged(left)
        ranges = _list_ranges(gone)
        return Intake(
            deliveries=[*_find_heir(rest, gone), *_list_rivals(rest, ranges)],
            ledger=left,
            settled=[account],
            withdrawn=ranges,
            check=lambda read, results: _refuse_broken(read, results, left),
        )

    return transact(lake, take_in, command="withdraw", settings=settings)


def _make_tombstone(delivery: Delivery) -> FileAccount:
    return FileAccount(
        found=delivery.found, outcome="withdrawn", delivery=delivery, reason="withdrawn"
    )


def _list_ranges(gone: pl.DataFrame) -> pl.DataFrame:
    """The dates on which it spoke: source, rank, first, last."""
    return (
        gone.explode("coverage", empty_as_null=False)
        .unnest("coverage")
        .group_by(_NAMES)
        .agg(first=pl.col("first_date").min(), last=pl.col("last_date").max())
        .select(list(VOID_RANGES))
        .cast(VOID_RANGES)
    )


def _list_rivals(judged: pl.DataFrame, ranges: pl.DataFrame) -> list[Delivery]:
    """The other files of the source that speak for any of the dates."""
    if ranges.is_empty():
        return []
    source, _, _, first, last = ranges.row(0)
    merged = judged.filter(pl.col("outcome") == "merged", pl.col("source") == source)
    overlapping = [_overlaps(windows, first, last) for windows in merged["coverage"].to_list()]
    return recall(merged.filter(pl.Series(overlapping, dtype=pl.Boolean)), role="reread")


def _find_heir(judged: pl.DataFrame, gone: pl.DataFrame) -> list[Delivery]:
    """The oldest file that was set aside only because it has the bytes of the withdrawn one."""
    source, sha256 = gone.select("source", "sha256").row(-1)
    repeats = judged.filter(outcome="duplicate", reason=SAME_FILE, source=source, sha256=sha256)
    oldest = repeats.sort("delivered_at", "delivery_id", "path").head(1)
    return recall(oldest, role="replayed")


def _overlaps(windows: list[dict[str, date]], first: date, last: date) -> bool:
    return any(one["first_date"] <= last and first <= one["last_date"] for one in windows)


def _refuse_broken(
    deliveries: Sequence[Delivery], results: Sequence[Ingested], ledger: pl.DataFrame
) -> None:
    """Refuses to withdraw where what would take the place is not as it was.

    Raises:
        LakeError: As said.
    """
    lost = [
        delivery.found.path
        for delivery, result in zip(deliveries, results, strict=True)
        if delivery.role == "replayed" and result.reason
    ]
    lost += [path for path, _ in list_broken(deliveries, results, ledger)]
    if lost:
        raise LakeError(
            f"{lost[0]}, which speaks for the same dates, can't be read again as it was: "
            f"put it back as it was merged, or land it anew first"
        )
