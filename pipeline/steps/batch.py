"""What a merge has before it: the files that were read, and what they touch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipeline.contracts import Contract
from pipeline.merge.delivery import Delivery
from pipeline.merge.plan import Span
from pipeline.merge.windows import WINDOWS, pick_winners, read_windows
from pipeline.steps.ingest import Ingested


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """All that a merge reads; the same for each part.

    Attributes:
        deliveries: By file number.
        results: What was read of each, by file number.
        contracts: By name.
        winners: Who won each register that a replacing delivery touches (`windows.pick_winners`).
        spans: The dates that each file touches.
    """

    deliveries: Sequence[Delivery]
    results: Sequence[Ingested]
    contracts: Mapping[str, Contract]
    winners: pl.DataFrame
    spans: Sequence[Span]

    def list_fresh(self) -> list[tuple[Delivery, Ingested]]:
        """The files that this merge decides on: read now, and not read again."""
        return [
            (delivery, result)
            for delivery, result in zip(self.deliveries, self.results, strict=True)
            if not delivery.reread and not result.is_passing
        ]


def gather_batch(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    contracts: Mapping[str, Contract],
    ledger: pl.DataFrame,
) -> Batch:
    """Gathers what was read.

    Args:
        deliveries: Ascending by (rank, sha256).
        results: What was read of each.
        contracts: By name.
        ledger: Up to the master's transaction.
    """
    replacing = [
        (delivery, result)
        for delivery, result in zip(deliveries, results, strict=True)
        if result.contract and contracts[result.contract].mode == "replace_window"
    ]
    incoming = _describe_windows(replacing)
    sources = incoming["source"].unique().to_list()
    return Batch(
        deliveries=deliveries,
        results=results,
        contracts=contracts,
        winners=pick_winners(read_windows(ledger, sources), incoming),
        spans=_list_spans(deliveries, results),
    )


def _describe_windows(replacing: Sequence[tuple[Delivery, Ingested]]) -> pl.DataFrame:
    rows = [
        (
            delivery.source,
            delivery.account,
            "",
            result.first,
            result.last,
            delivery.delivered_at,
            delivery.delivery_id,
        )
        for delivery, result in replacing
        if result.first is not None
    ]
    return pl.DataFrame(rows, schema=WINDOWS, orient="row")


def _list_spans(deliveries: Sequence[Delivery], results: Sequence[Ingested]) -> list[Span]:
    """The dates that each file touches; a file that is read again touches what the new ones do."""
    spans: list[Span] = []
    grown: dict[tuple[str, datetime, str], list[Span]] = {}
    for number, (delivery, result) in enumerate(zip(deliveries, results, strict=True)):
        if result.first is None or result.last is None or delivery.reread:
            continue
        span = Span(number, result.first, result.last)
        spans.append(span)
        grown.setdefault((delivery.source, *delivery.rank), []).append(span)
    for number, delivery in enumerate(deliveries):
        if delivery.reread:
            touched = grown.get((delivery.source, *delivery.rank), [])
            spans += [Span(number, span.first, span.last) for span in touched]
    return spans
