"""Makes the account of a merge from what was read and what was resolved."""

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.contracts import Contract
from pipeline.merge.account import FileAccount, describe_coverage
from pipeline.merge.delivery import Delivery, Rank
from pipeline.schema import REJECTS
from pipeline.steps.batch import Batch
from pipeline.steps.ingest import Ingested

Lost = Counter[tuple[int, bool]]
"""Rows that did not make it, by (file number, whether a duplicate)."""


def account_for(
    delivery: Delivery, result: Ingested, contracts: Mapping[str, Contract], lost: Lost
) -> FileAccount:
    """The account of one file that was read."""
    if result.reason:
        return FileAccount(
            found=delivery.found,
            outcome="quarantined",
            delivery=delivery,
            contract=result.contract,
            reason=result.reason,
            detail=result.detail,
        )
    contract = contracts[result.contract]
    duplicates = lost[result.file_no, True]
    superseded = lost[result.file_no, False]
    constants = contract.constants
    return FileAccount(
        found=delivery.found,
        outcome="merged" if result.valid or result.rejects else "no_rows",
        delivery=delivery,
        contract=contract.name,
        contract_sha256=contract.sha256,
        control=result.control,
        accepted=result.valid - duplicates - superseded,
        quarantined=len(result.rejects),
        duplicates=duplicates,
        superseded=superseded,
        remarks=result.remarks,
        coverage=describe_coverage(
            delivery.account or constants.get("account", ""),
            constants.get("breakdown", ""),
            result.first,
            result.last,
        ),
    )


def refuse_broken(
    deliveries: Sequence[Delivery], results: Sequence[Ingested], ledger: pl.DataFrame
) -> None:
    """Refuses new files of a delivery whose older files no longer say what they said.

    A delivery that grew is resolved as a whole. Without all of its rows the master would lose
    those that it holds, so the new file has to wait for a person.
    """
    counts = ledger.filter(outcome="merged").select(
        "path", "sha256", valid=pl.col("rows_in") - pl.col("quarantined")
    )
    said = {(path, sha256): valid for path, sha256, valid in counts.iter_rows()}
    broken: dict[tuple[str, Rank], str] = {}
    for delivery, result in zip(deliveries, results, strict=True):
        same = result.valid == said.get((delivery.found.path, delivery.sha256))
        if delivery.reread and (result.reason or not same):
            broken[delivery.source, delivery.rank] = delivery.found.path
    for delivery, result in zip(deliveries, results, strict=True):
        if path := broken.get((delivery.source, delivery.rank)):
            result.refuse(
                "broken_delivery",
                f"its delivery has grown, but {path}, merged before, can't be read again as it "
                f"was: land this file as a delivery of its own",
            )


def refuse_mixed(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    contracts: Mapping[str, Contract],
    ledger: pl.DataFrame,
) -> None:
    """Refuses files that mean something else than those that their source had before.

    A source has one mode and one key: else which of two rows wins would hang on their order.
    """
    before = ledger.filter(outcome="merged").select("source", "contract").unique().rows()
    meant = {source: _meaning(contracts[name]) for source, name in before if name in contracts}
    for delivery, result in zip(deliveries, results, strict=True):
        if not result.contract:
            continue
        contract = contracts[result.contract]
        if meant.setdefault(delivery.source, _meaning(contract)) == _meaning(contract):
            continue
        result.refuse(
            "mixed_source",
            f"source {delivery.source!r} has files of another mode or key than contract "
            f"{contract.name!r}: land it under another source",
        )


def _meaning(contract: Contract) -> tuple[str, tuple[str, ...]]:
    return contract.mode, contract.key


def make_accounts(batch: Batch, lost: Lost, settled: Sequence[FileAccount]) -> list[FileAccount]:
    """The accounts of all files that a merge decides on, by path.

    Args:
        batch: What was read.
        lost: The rows that did not make it.
        settled: Accounts of files that nobody had to read.
    """
    read = [
        account_for(delivery, result, batch.contracts, lost)
        for delivery, result in batch.list_fresh()
    ]
    rows_in = {account.found.path: account.rows_in for account in read}
    for account in settled:
        account.duplicates = account.duplicates or rows_in.get(account.same_as, 0)
    return sorted([*read, *settled], key=lambda account: account.found.path)


def list_rejects(batch: Batch, accounts: Sequence[FileAccount]) -> list[dict[str, object]]:
    """All that was set aside, in the order of path and line; columns of schema.REJECTS.

    A file that was refused as a whole is one row without a line.
    """
    files = [
        (account.found.path, None, account.reason, "", "", "", account.detail)
        for account in accounts
        if account.outcome == "quarantined"
    ]
    rows = sorted(row for _, result in batch.list_fresh() for row in result.rejects)
    return [dict(zip(REJECTS.names, row, strict=True)) for row in [*files, *rows]]
