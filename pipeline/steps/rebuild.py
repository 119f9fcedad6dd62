"""Makes the master anew from landing/ and raw/, as the ledger says what belongs to it."""

from collections.abc import Callable, Mapping
from functools import partial

import polars as pl

from pipeline.contracts import Contract
from pipeline.engine import Engine, map_threads
from pipeline.errors import EmptyLakeError, LakeError, MissingError
from pipeline.lake import LEDGER_TABLE, RAW, Lake
from pipeline.merge.delivery import pick_judged, recall
from pipeline.settings import Settings
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.discover import recall_days
from pipeline.steps.transaction import Intake, transact


def rebuild(
    lake: Lake,
    *,
    settings: Settings,
    without_gone: bool = False,
    on_file: Callable[[int], None] | None = None,
    engine: Engine | None = None,
) -> MergeOutcome:
    """Reads again all files that were merged, and replaces the whole master by one commit.

    It does not matter what the master holds, or who changed it. What was withdrawn or refused stays
    so, what a person let pass stays let pass, and files that no merge has seen are left to the
    next. The files are judged by the contracts of now.

    Args:
        lake: The lake; a master that is not there is made.
        settings: Where further contracts are, and how much is worked on at once.
        without_gone: Whether files that are gone or changed are left out: their rows are lost.
        on_file: Called with how many more files have been read.
        engine: What reads and resolves; None: this machine, by the settings.

    Raises:
        EmptyLakeError: There is no ledger.
        LakeError: A file is gone or would be refused now.
        CommitConflictError: Other writers were faster each time.
        ClusterError: The engine is a cluster and failed; nothing is committed.
        StorageError: The lake cannot be read or written.
    """
    if not lake.storage.list(LEDGER_TABLE):
        raise EmptyLakeError(f"{lake.uri} holds no ledger that says what to build the master from")
    lake.initialise()
    lake.create_tables()  # also where the master's folder was lost

    return transact(
        lake,
        partial(_take_in, lake, workers=settings.workers, without_gone=without_gone),
        command="rebuild",
        settings=settings,
        on_file=on_file,
        anew=True,
        engine=engine,
    )


def _take_in(
    lake: Lake,
    ledger: pl.DataFrame,
    _: Mapping[str, Contract],
    *,
    workers: int,
    without_gone: bool,
) -> Intake:
    """All files that were merged and count, as they are to be read again."""
    counting = pick_judged(ledger).filter(pl.col("outcome").is_in(["merged", "no_rows"]))
    as_merged = _find_as_merged(lake, counting, workers=workers)
    gone = counting.filter(~as_merged)
    if len(gone) and not without_gone:
        raise LakeError(
            f"{gone['path'][0]} is not there as it was merged, and neither are "
            f"{len(gone) - 1:,} more files: put them back, or leave their rows out with "
            f"--without-gone"
        )
    present = counting.filter(as_merged)
    is_day = pl.col("path").str.starts_with(f"{RAW}/")
    days, manifests = recall_days(lake, present.filter(is_day))
    files = recall(present.filter(~is_day), role="replayed", accepted=True)
    return Intake(
        deliveries=[*files, *days],
        manifests=manifests,
        ledger=ledger.join(present, on=["path", "sha256"], how="anti"),
        anew=True,
    )


def _find_as_merged(lake: Lake, judged: pl.DataFrame, *, workers: int) -> pl.Series:
    """For each file of the ledger, whether its bytes are those that were merged."""

    def is_there(item: tuple[str, str]) -> bool:
        path, sha256 = item
        try:
            return lake.storage.digest(path) == sha256
        except MissingError:
            return False

    items = judged.select("path", "sha256").rows()
    return pl.Series(list(map_threads(is_there, items, workers=workers)), dtype=pl.Boolean)
