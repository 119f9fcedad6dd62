"""Judges what was refused once more, after a contract or a rule was changed."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import UsageError
from pipeline.lake import Lake
from pipeline.merge.delivery import Delivery, find_grown, pick_judged, recall
from pipeline.settings import Settings
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.differ import explain_difference, explain_loss
from pipeline.steps.discover import discover
from pipeline.steps.ingest import Ingested
from pipeline.steps.refuse import list_broken
from pipeline.steps.rivals import list_ranges, list_rivals
from pipeline.steps.transaction import Intake, transact


class _LeftOutError(Exception):
    """Some files have to be left as they are, and the others replayed without them.

    Attributes:
        why: By path, in words; '' where nothing of the file is judged otherwise.
    """

    def __init__(self, why: Mapping[str, str]) -> None:
        super().__init__(", ".join(why))
        self.why = why


def replay(
    lake: Lake,
    *,
    settings: Settings,
    paths: Sequence[str] = (),
    source: str | None = None,
) -> MergeOutcome:
    """Reads files again that were refused, whole or in part, at the rank that they have.

    What passes now is merged by the normal path, exactly once; where nothing has changed, nothing
    is committed. It only ever adds: a file of which rows in the master would be lost now is left
    as it is, and `MergeOutcome.left_out` says why.

    Args:
        lake: The lake.
        settings: Where further contracts are, and how much is worked on at once.
        paths: Keys of the files; none: all that have something in quarantine.
        source: Only files of this source.

    Raises:
        EmptyLakeError: There is no master table.
        UsageError: A path has nothing in quarantine.
    """
    lake.open_master()
    left: dict[str, str] = {}
    while True:
        take_in = functools.partial(
            _take_in, lake=lake, settings=settings, paths=paths, source=source, left=left
        )
        try:
            outcome = transact(lake, take_in, command="replay", settings=settings)
        except _LeftOutError as error:
            left |= error.why
            continue
        return replace(outcome, left_out=[why for _, why in sorted(left.items()) if why])


def _take_in(
    ledger: pl.DataFrame,
    contracts: Mapping[str, Contract],
    *,
    lake: Lake,
    settings: Settings,
    paths: Sequence[str],
    source: str | None,
    left: Mapping[str, str],
) -> Intake:
    chosen = _choose(ledger, paths, source).filter(~pl.col("path").is_in(list(left)))
    partly = chosen.filter(outcome="merged")
    again = recall(partly, role="replayed")
    forget = set(chosen.filter(outcome="quarantined")["path"])
    discovery = discover(lake, ledger, settings=settings, forget=forget)
    whole = [one for one in discovery.deliveries if one.found.path in forget]
    settled = [one for one in discovery.settled if one.found.path in forget]
    deliveries = [*again, *whole]
    # What was appended is added up with the rows of others, and cannot be taken out of the sums.
    appended = list_ranges(partly.filter(pl.col("contract").is_in(_list_appending(contracts))))
    others = pick_judged(ledger).filter(~pl.col("path").is_in(partly["path"].to_list()))
    return Intake(
        deliveries=[
            *deliveries,
            *find_grown(deliveries, ledger, contracts),
            *list_rivals(others, appended),
        ],
        ledger=ledger,
        manifests=discovery.manifests,
        settled=[one for one in settled if not _is_known(one.reason, one.found.path, chosen)],
        withdrawn=appended,
        check=functools.partial(
            _check, chosen=chosen, ledger=ledger, contracts=contracts, lake=lake, left=left
        ),
    )


def _list_appending(contracts: Mapping[str, Contract]) -> list[str]:
    return [contract.name for contract in contracts.values() if contract.mode == "append"]


def _choose(ledger: pl.DataFrame, paths: Sequence[str], source: str | None) -> pl.DataFrame:
    """The newest judgement of each file that has something in quarantine."""
    newest = ledger.sort("n").unique("path", keep="last", maintain_order=True)
    refused = newest.filter(
        (pl.col("outcome") == "quarantined")
        | ((pl.col("outcome") == "merged") & (pl.col("quarantined") > 0))
    )
    known = set(refused["path"])
    for path in paths:
        if path not in known:
            raise UsageError(f"{path} has nothing in quarantine; `adlake quarantine list` lists it")
    wanted = refused.filter(pl.col("path").is_in(list(paths))) if paths else refused
    # A generated day is made anew instead: its manifest says what is in it.
    wanted = wanted.filter(~pl.col("path").str.starts_with("raw/"))
    return wanted.filter(pl.col("source") == source) if source is not None else wanted


def _is_known(reason: str, path: str, chosen: pl.DataFrame) -> bool:
    return (path, reason) in set(chosen.select("path", "reason").iter_rows())


def _check(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    *,
    chosen: pl.DataFrame,
    ledger: pl.DataFrame,
    contracts: Mapping[str, Contract],
    lake: Lake,
    left: Mapping[str, str],
) -> None:
    """Leaves files out of which nothing is judged otherwise, or which would lose rows.

    Raises:
        _LeftOutError: The others have to be read without some that were merged in part.
    """
    why = _judge_alone(deliveries, results, chosen, contracts, lake)
    changed = _find_changed(deliveries, results, ledger, lake, left)
    appending = set(chosen.filter(pl.col("contract").is_in(_list_appending(contracts)))["source"])
    for delivery in (one for one in deliveries if one.role == "replayed"):
        for other, reason in changed:
            together = delivery.rank == other.rank or delivery.source in appending
            if delivery.source == other.source and together:
                path = delivery.found.path
                why[path] = f"{path} can't be replayed without {other.found.path}: {reason}"
    if why:
        raise _LeftOutError(why)


def _judge_alone(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    chosen: pl.DataFrame,
    contracts: Mapping[str, Contract],
    lake: Lake,
) -> dict[str, str]:
    """Why files have to be left out because of what they say themselves; as `_LeftOutError.why`."""
    before = {row["path"]: row for row in chosen.iter_rows(named=True)}
    why: dict[str, str] = {}
    for delivery, result in zip(deliveries, results, strict=True):
        row = before.get(delivery.found.path)
        if row is None or delivery.role == "reread":
            continue
        if row["outcome"] == "quarantined":
            if result.reason == row["reason"]:
                result.leave()
        elif loss := explain_loss(result, row, lake):
            why[row["path"]] = f"{loss}; a replay only adds: withdraw the file and land it anew"
        elif _is_judged_as_before(result, row, contracts):
            why[row["path"]] = ""
    return why


def _is_judged_as_before(
    result: Ingested, row: Mapping[str, object], contracts: Mapping[str, Contract]
) -> bool:
    contract = contracts[result.contract]
    same = contract.sha256 == row["contract_sha256"]
    return same and result.quarantined == row["quarantined"]


def _find_changed(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    ledger: pl.DataFrame,
    lake: Lake,
    left: Mapping[str, str],
) -> list[tuple[Delivery, str]]:
    """The files that had to be read again and do not say what they said, and why."""
    broken = {path for path, _ in list_broken(deliveries, results, ledger)}
    said = {row["path"]: row for row in pick_judged(ledger).iter_rows(named=True)}
    return [
        (delivery, left.get(path) or explain_difference(result, said[path], lake))
        for delivery, result in zip(deliveries, results, strict=True)
        for path in [delivery.found.path]
        if delivery.role == "reread" and (path in broken or left.get(path))
    ]
