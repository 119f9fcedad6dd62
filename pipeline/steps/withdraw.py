"""Takes a delivered file back: the master becomes what it would be had the file never come."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Final

import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import LakeError, UsageError
from pipeline.lake import RAW, Lake
from pipeline.merge.account import FileAccount
from pipeline.merge.delivery import Delivery, find_due, pick_judged, recall
from pipeline.merge.place import read_labels
from pipeline.settings import Settings
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.differ import explain_difference
from pipeline.steps.ingest import SAME_FILE, Ingested
from pipeline.steps.ledger import read_ledger
from pipeline.steps.refuse import list_broken
from pipeline.steps.rivals import list_ranges, list_rivals
from pipeline.steps.transaction import Intake, transact

_LISTED: Final = '`adlake query "select path, outcome from ledger"` lists them'


def withdraw(lake: Lake, path: str, *, settings: Settings) -> MergeOutcome:
    """Withdraws a file: a tombstone in the ledger, and its dates are resolved again from landing.

    All goes that ever stood at the path. The file stays where it is. To bring it back, land it as a
    delivery of another time. What is held of its source may have waited for it: the next merge
    judges that again, and `MergeOutcome.due` names it. Of one that is withdrawn already nothing is
    committed: whoever does not know what came of a withdrawal may just try again.

    Args:
        lake: The lake.
        path: Its key, as the ledger has it.
        settings: Where further contracts are, and how much is worked on at once.

    Raises:
        EmptyLakeError: There is no master table.
        UsageError: No merge took such a file, or it is of a generated day.
        LakeError: A file that spoke before it cannot be read again as it was.
    """
    lake.open_master()
    if path.startswith(f"{RAW}/"):
        raise UsageError(
            f"{path} is a generated day, and no file that was delivered: to change it, generate "
            f"the day anew"
        )

    def take_in(ledger: pl.DataFrame, _: Mapping[str, Contract]) -> Intake:
        judged = pick_judged(ledger)
        gone = judged.filter(pl.col("path") == path, pl.col("outcome") == "merged")
        if gone.is_empty():
            if judged.filter(pl.col("path") == path, pl.col("outcome") == "withdrawn").is_empty():
                raise _make_unknown(path, judged)
            return Intake(deliveries=(), ledger=ledger)
        left = ledger.filter(pl.col("path") != path)
        rest = pick_judged(left)
        ranges = list_ranges(gone)
        return Intake(
            deliveries=[*_find_heirs(rest, gone), *list_rivals(rest, ranges)],
            ledger=left,
            settled=[_make_tombstone(one) for one in recall(gone, role="reread")],
            withdrawn=ranges,
            check=lambda read, results: _refuse_broken(read, results, left, lake),
        )

    outcome = transact(lake, take_in, command="withdraw", settings=settings)
    decided = read_ledger(lake, lake.take_snapshot(outcome.version).ledger)
    return replace(outcome, due=sorted(find_due(decided)))


def _make_unknown(path: str, judged: pl.DataFrame) -> UsageError:
    """Says which file may have been meant: the last one of that name, or of one alike."""
    paths = judged.filter(pl.col("outcome") == "merged").sort("n")["path"].to_list()
    named = [known for known in paths if PurePosixPath(known).name == PurePosixPath(path).name]
    near = named[-1:] or get_close_matches(path, paths, n=1)
    meant = f"did you mean {near[0]}?" if near else "expected its path in the lake, landing/..."
    return UsageError(f"{path} is no file that a merge took: {meant} {_LISTED}")


def _make_tombstone(delivery: Delivery) -> FileAccount:
    return FileAccount(
        found=delivery.found, outcome="withdrawn", delivery=delivery, reason="withdrawn"
    )


def _find_heirs(judged: pl.DataFrame, gone: pl.DataFrame) -> list[Delivery]:
    """The oldest file of those set aside only because they have the bytes of a withdrawn one.

    The same bytes that are said to be of another account are another file.
    """
    names = ["source", "sha256", "path"]
    said = {_identify(*row) for row in gone.select(names).iter_rows()}
    repeats = judged.filter(outcome="duplicate", reason=SAME_FILE)
    ranked = repeats.sort("delivered_at", "delivery_id", "path")
    first: dict[tuple[object, ...], int] = {}
    for place, row in enumerate(ranked.select(names).iter_rows()):
        first.setdefault(_identify(*row), place)
    heirs = [place for identity, place in first.items() if identity in said]
    return recall(ranked[heirs], role="replayed")


def _identify(source: str, sha256: str, path: str) -> tuple[object, ...]:
    return source, sha256, read_labels(path)


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
