"""Takes a delivered file back: the master becomes what it would be had the file never come."""

from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import LakeError, UsageError
from pipeline.lake import Lake
from pipeline.merge.account import FileAccount
from pipeline.merge.delivery import Delivery, pick_judged, recall
from pipeline.settings import Settings
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.differ import explain_difference
from pipeline.steps.ingest import SAME_FILE, Ingested
from pipeline.steps.refuse import list_broken
from pipeline.steps.rivals import list_ranges, list_rivals
from pipeline.steps.transaction import Intake, transact


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
        ranges = list_ranges(gone)
        return Intake(
            deliveries=[*_find_heir(rest, gone), *list_rivals(rest, ranges)],
            ledger=left,
            settled=[account],
            withdrawn=ranges,
            check=lambda read, results: _refuse_broken(read, results, left, lake),
        )

    return transact(lake, take_in, command="withdraw", settings=settings)


def _make_tombstone(delivery: Delivery) -> FileAccount:
    return FileAccount(
        found=delivery.found, outcome="withdrawn", delivery=delivery, reason="withdrawn"
    )


def _find_heir(judged: pl.DataFrame, gone: pl.DataFrame) -> list[Delivery]:
    """The oldest file that was set aside only because it has the bytes of the withdrawn one."""
    source, sha256 = gone.select("source", "sha256").row(-1)
    repeats = judged.filter(outcome="duplicate", reason=SAME_FILE, source=source, sha256=sha256)
    oldest = repeats.sort("delivered_at", "delivery_id", "path").head(1)
    return recall(oldest, role="replayed")


def _refuse_broken(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    ledger: pl.DataFrame,
    lake: Lake,
) -> None:
    """Refuses to withdraw where what would take the place is not as it was.

    Raises:
        LakeError: As said.
    """
    broken = {path for path, _ in list_broken(deliveries, results, ledger)}
    said = {row["path"]: row for row in pick_judged(ledger).iter_rows(named=True)}
    for delivery, result in zip(deliveries, results, strict=True):
        path = delivery.found.path
        if path in broken or (delivery.role == "replayed" and result.reason):
            raise LakeError(
                f"nothing is withdrawn, since {path} speaks for the same dates and does not say "
                f"what it said: {explain_difference(result, said[path], lake)}; undo that, or "
                f"withdraw that file first"
            )
