"""Judges what was refused once more, after a contract or a rule was changed."""

from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import UsageError
from pipeline.lake import Lake
from pipeline.merge.delivery import Delivery, find_grown, recall
from pipeline.settings import Settings
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.discover import discover
from pipeline.steps.ingest import Ingested
from pipeline.steps.transaction import Intake, transact


def replay(
    lake: Lake,
    *,
    settings: Settings,
    paths: Sequence[str] = (),
    source: str | None = None,
) -> MergeOutcome:
    """Reads files again that were refused, whole or in part, at the rank that they have.

    What passes now is merged by the normal path, exactly once; where nothing has changed, nothing
    is committed. It only ever adds: a file of which rows in the master would be rejected now is
    refused as a whole.

    Args:
        lake: The lake.
        settings: Where further contracts are, and how much is worked on at once.
        paths: Keys of the files; none: all that have something in quarantine.
        source: Only files of this source.

    Raises:
        EmptyLakeError: There is no master table.
        UsageError: A path has nothing in quarantine, or would lose rows.
    """
    lake.open_master()

    def take_in(ledger: pl.DataFrame, contracts: Mapping[str, Contract]) -> Intake:
        chosen = _choose(ledger, paths, source)
        partly = chosen.filter(outcome="merged")
        again = recall(partly, role="replayed")
        forget = set(chosen.filter(outcome="quarantined")["path"])
        discovery = discover(lake, ledger, settings=settings, forget=forget)
        whole = [one for one in discovery.deliveries if one.found.path in forget]
        settled = [one for one in discovery.settled if one.found.path in forget]
        deliveries = [*again, *whole]
        return Intake(
            deliveries=[*deliveries, *find_grown(deliveries, ledger, contracts)],
            ledger=ledger,
            manifests=discovery.manifests,
            settled=[one for one in settled if not _is_known(one.reason, one.found.path, chosen)],
            check=lambda read, results: _check(read, results, chosen, contracts, lake),
        )

    return transact(lake, take_in, command="replay", settings=settings)


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
    chosen: pl.DataFrame,
    contracts: Mapping[str, Contract],
    lake: Lake,
) -> None:
    """Leaves files out of which nothing is judged otherwise, and refuses to lose rows."""
    before = {row["path"]: row for row in chosen.iter_rows(named=True)}
    for delivery, result in zip(deliveries, results, strict=True):
        row = before.get(delivery.found.path)
        if row is None or delivery.role == "reread":
            continue
        if row["outcome"] == "quarantined":
            if result.reason == row["reason"]:
                result.leave()
            continue
        lost = _list_lost(result, row, lake)
        if result.reason or lost:
            what = f"line {lost[0]}" if lost else f"{result.reason}: {result.detail}"
            raise UsageError(
                f"{delivery.found.path}: rows that are in the master would be refused now "
                f"({what}), and a replay only adds: withdraw the file and land it anew"
            )
        contract = contracts[result.contract]
        if result.quarantined == row["quarantined"] and contract.sha256 == row["contract_sha256"]:
            result.leave()


def _list_lost(result: Ingested, row: Mapping[str, object], lake: Lake) -> list[int]:
    """Lines that are rejected now and were not before."""
    now = {line for path in result.rejects for line in pl.read_ipc(path, columns=["line"])["line"]}
    rejects = pl.read_parquet(
        lake.locate(str(row["reject_path"])), glob=False, hive_partitioning=False
    )
    then = set(rejects.filter(pl.col("path") == row["path"])["line"])
    return sorted(now - then)
