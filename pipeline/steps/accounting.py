"""Makes the account of a merge from what was read and what was resolved."""

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.contracts import Contract, Holds
from pipeline.merge.account import FileAccount
from pipeline.merge.delivery import Delivery
from pipeline.schema import REJECTS
from pipeline.staging import fetch_spooled
from pipeline.steps.batch import Batch
from pipeline.steps.ingest import SAME_FILE, Ingested

Lost = Counter[tuple[int, bool]]
"""Rows that did not make it, by (file number, whether a duplicate)."""

_REJECTS = pl.Schema(REJECTS)


def account_for(
    delivery: Delivery,
    result: Ingested,
    contracts: Mapping[str, Contract],
    *,
    duplicates: int,
    superseded: int,
) -> FileAccount:
    """The account of one file that was read.

    Args:
        delivery: The file.
        result: What was read of it.
        contracts: By name.
        duplicates: Its rows that the master does not hold, as the one that won says the same.
        superseded: Those that it does not hold for another reason.
    """
    contract = contracts.get(result.contract)
    time_zone = result.time_zone or (contract.dates.time_zone if contract else "")
    if result.reason:
        return FileAccount(
            found=delivery.found,
            outcome=_name_outcome(result),
            delivery=delivery,
            contract=result.contract,
            contract_sha256=contract.sha256 if contract else "",
            time_zone=time_zone,
            reason=result.reason,
            detail=result.detail,
            duplicates=result.duplicates,
        )
    return FileAccount(
        found=delivery.found,
        outcome="merged" if result.coverage or result.quarantined else "no_rows",
        delivery=delivery,
        contract=result.contract,
        contract_sha256=contract.sha256 if contract else "",
        time_zone=time_zone,
        holds=contract.holds if contract else Holds(),
        detail=result.detail,
        control=result.control,
        accepted=result.valid - duplicates - superseded,
        quarantined=result.quarantined,
        duplicates=duplicates,
        superseded=superseded,
        remarks=result.remarks,
        coverage=result.coverage,
    )


def count_lost(lost: pl.DataFrame) -> Lost:
    """Counts the rows of `Resolved.lost`."""
    counts = lost.group_by("file_no", "duplicate").len()
    return Counter({(number, duplicate): rows for number, duplicate, rows in counts.iter_rows()})


def _name_outcome(result: Ingested) -> str:
    """The outcome of a file that was set aside."""
    if result.held:
        return "held"
    return "duplicate" if result.reason == SAME_FILE else "quarantined"


def make_accounts(batch: Batch, lost: Lost, settled: Sequence[FileAccount]) -> list[FileAccount]:
    """The accounts of all files that a merge decides on, by path.

    Args:
        batch: What was read.
        lost: The rows that did not make it.
        settled: Accounts of files that nobody had to read.
    """
    read = [
        account_for(
            delivery,
            result,
            batch.contracts,
            duplicates=lost[number, True],
            superseded=lost[number, False],
        )
        for number, delivery, result in batch.list_fresh()
    ]
    rows_in = {account.found.path: account.rows_in for account in read}
    for account in settled:
        account.duplicates = account.duplicates or rows_in.get(account.same_as, 0)
    return sorted([*read, *settled], key=lambda account: account.found.path)


def gather_rejects(batch: Batch, accounts: Sequence[FileAccount], *, n: int) -> pl.DataFrame:
    """All that was set aside, in the order of path and line; columns of schema.REJECTS.

    A file that was refused as a whole is one row without a line.
    """
    files = [
        {"path": account.found.path, "rule": account.reason, "expected": "", "raw": account.detail}
        for account in accounts
        if account.outcome == "quarantined"
    ]
    frames = [pl.DataFrame(files, schema_overrides=_REJECTS)] if files else []
    frames += [
        pl.read_ipc(path).with_columns(path=pl.lit(delivery.found.path))
        for _, delivery, result in batch.list_fresh()
        for path in fetch_spooled(result.rejects)
    ]
    empty = pl.DataFrame(schema=_REJECTS)
    rejects = pl.concat([empty, *frames], how="diagonal").with_columns(
        pl.lit(n, pl.Int64).alias("n"),
        pl.col("column", "value").fill_null(""),
    )
    return rejects.sort("path", "line", nulls_last=False).select(REJECTS.names)
