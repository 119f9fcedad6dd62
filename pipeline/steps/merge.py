"""The merge: what is new becomes part of the master, exactly once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import polars as pl

from pipeline.contracts import Contract
from pipeline.engine import Engine
from pipeline.errors import UsageError
from pipeline.lake import Lake
from pipeline.merge.delivery import find_due, find_grown, pick_judged
from pipeline.settings import Settings
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.discover import discover, list_entries
from pipeline.steps.transaction import Intake, transact

__all__ = ["MergeOutcome", "find_commit", "merge"]

_COMMITS_BACK = 100
"""How far a job's commit is looked for."""


def merge(
    lake: Lake,
    *,
    settings: Settings,
    accept: Sequence[str] = (),
    on_file: Callable[[int], None] | None = None,
    job: str = "",
    engine: Engine | None = None,
) -> MergeOutcome:
    """Merges what is new in landing/ and raw/ into the master.

    Held files are judged again once something of their source was withdrawn.

    Args:
        lake: The lake; made where there is none.
        settings: Where further contracts are, and how much is worked on at once.
        accept: Paths of held files that a person lets pass, with the others of their deliveries.
        on_file: Called with how many more files have been read.
        job: For whom it is done, so that `find_commit` finds it; '' for nobody.
        engine: What reads and resolves; None: this machine, by the settings.

    Raises:
        UsageError: There is no lake and no file to make one from, or no such held file.
        ContractError: A contract is wrong.
        ChangedOutsideError: Someone else committed to the master.
        CommitConflictError: Other writers were faster each time.
        ClusterError: The engine is a cluster and failed; nothing is committed.
        StorageError: The lake cannot be read or written.
    """
    if not lake.check_format():
        if not any(list_entries(lake)):
            raise UsageError(
                f"{lake.uri} holds no file to merge: put files into landing/ with `adlake land`, "
                f"or make some with `adlake generate`"
            )
        lake.initialise()

    def take_in(ledger: pl.DataFrame, contracts: Mapping[str, Contract]) -> Intake:
        accepted = _find_held(ledger, accept)
        discovery = discover(lake, ledger, settings=settings, forget=accepted | find_due(ledger))
        new = [replace(one, accepted=one.found.path in accepted) for one in discovery.deliveries]
        return Intake(
            deliveries=[*new, *find_grown(new, ledger, contracts)],
            ledger=ledger,
            manifests=discovery.manifests,
            settled=discovery.settled,
            unfinished=discovery.unfinished,
        )

    return transact(
        lake,
        take_in,
        command="merge",
        settings=settings,
        on_file=on_file,
        job=job,
        engine=engine,
    )


def find_commit(lake: Lake, *, job: str) -> Mapping[str, Any]:
    """What the newest commit for a job says of itself: the metadata that docs/lake.md lists.

    A job that died after its commit does not know of it; its next try finds nothing new to merge.

    Returns:
        Nothing where none of the newest 100 commits is the job's.
    """
    for commit in islice(lake.open_master().walk_commits(), _COMMITS_BACK):
        if commit.metadata.get("job") == job:
            return commit.metadata
    return {}


def _find_held(ledger: pl.DataFrame, accept: Sequence[str]) -> set[str]:
    """The held files of the deliveries that some files belong to."""
    if not accept:
        return set()
    held = pick_judged(ledger).filter(outcome="held")
    paths = set(held["path"])
    for path in accept:
        if path not in paths:
            known = ", ".join(sorted(paths)[:3]) or "none"
            raise UsageError(f"{path} is not held back; held back are: {known}")
    names = ["source", "delivered_at", "delivery_id"]
    wanted = held.filter(pl.col("path").is_in(list(accept))).select(names).unique()
    return set(held.join(wanted, on=names, how="semi")["path"])
