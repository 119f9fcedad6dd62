"""Refuses files that read well and still cannot be merged beside what is there."""

from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import LakeError
from pipeline.merge.delivery import Delivery, pick_judged
from pipeline.merge.place import read_labels
from pipeline.steps.ingest import Ingested


def refuse_broken(
    deliveries: Sequence[Delivery], results: Sequence[Ingested], ledger: pl.DataFrame
) -> None:
    """Refuses new files of a delivery whose older files no longer say what they said.

    A delivery that grew is resolved as a whole. Without all of its rows the master would lose
    those that it holds, so the new file has to wait for a person.
    """
    broken = {
        (delivery.source, delivery.rank): path
        for path, delivery in list_broken(deliveries, results, ledger)
    }
    for delivery, result in zip(deliveries, results, strict=True):
        path = broken.get((delivery.source, delivery.rank))
        if path is not None:
            result.refuse(
                "broken_delivery",
                f"its delivery has grown, but {path}, merged before, can't be read again as it "
                f"was: land this file as a delivery of its own",
            )


def list_broken(
    deliveries: Sequence[Delivery], results: Sequence[Ingested], ledger: pl.DataFrame
) -> list[tuple[str, Delivery]]:
    """The files that were read again and do not say what they said."""
    again = [delivery.sha256 for delivery in deliveries if delivery.role == "reread"]
    counts = (
        pick_judged(ledger.filter(pl.col("sha256").is_in(again)))
        .filter(outcome="merged")
        .select("path", "sha256", valid=pl.col("rows_in") - pl.col("quarantined"))
    )
    said = {(path, sha256): valid for path, sha256, valid in counts.iter_rows()}
    return [
        (delivery.found.path, delivery)
        for delivery, result in zip(deliveries, results, strict=True)
        if delivery.role == "reread"
        and (result.reason or result.valid != said.get((delivery.found.path, delivery.sha256)))
    ]


def refuse_lost(deliveries: Sequence[Delivery], results: Sequence[Ingested]) -> None:
    """Refuses to go on where a file that was merged would not be merged now.

    Raises:
        LakeError: As said.
    """
    lost = [
        (delivery.found.path, result)
        for delivery, result in zip(deliveries, results, strict=True)
        if result.reason
    ]
    if lost:
        path, result = lost[0]
        raise LakeError(
            f"{path} was merged and would be refused now ({result.reason}: {result.detail}), and "
            f"so would {len(lost) - 1:,} more files: nothing is changed; see to its contract"
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
        if not result.contract or result.reason:
            continue
        contract = contracts[result.contract]
        if meant.setdefault(delivery.source, _meaning(contract)) == _meaning(contract):
            continue
        result.refuse(
            "mixed_source",
            f"source {delivery.source!r} has files of another mode, key or scope than contract "
            f"{contract.name!r}: land it under another source",
        )


def _meaning(contract: Contract) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return contract.mode, contract.key, contract.scope


def settle_repeats(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    contracts: Mapping[str, Contract],
    ledger: pl.DataFrame,
) -> None:
    """Sets files of appending sources aside whose bytes were taken before, whenever that was.

    Their rows are added to what is there, so the same file twice would count twice.
    """
    digests = list({delivery.sha256 for delivery in deliveries})
    judged = pick_judged(ledger.filter(pl.col("sha256").is_in(digests))).filter(outcome="merged")
    judged = judged.select("source", "sha256", "path")
    taken = {
        (source, sha256, read_labels(path)): path for source, sha256, path in judged.iter_rows()
    }
    for delivery, result in zip(deliveries, results, strict=True):
        if result.reason or contracts[result.contract].mode != "append":
            continue
        identity = (delivery.source, delivery.sha256, read_labels(delivery.found.path))
        if delivery.role == "new" and identity in taken:
            rows = result.valid + result.quarantined
            result.repeat(f"the same bytes as {taken[identity]}", rows)
        else:
            taken.setdefault(identity, delivery.found.path)
