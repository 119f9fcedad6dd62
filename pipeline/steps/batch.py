"""What a merge has before it: the files that were read, and what they touch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from pipeline.contracts import Contract
from pipeline.merge.delivery import Delivery, Rank
from pipeline.merge.plan import Part, Span
from pipeline.merge.resolve import RANK, Rules
from pipeline.merge.windows import WINDOWS, pick_winners, read_windows
from pipeline.schema import GRAIN
from pipeline.staging import fetch_spooled
from pipeline.steps.ingest import Ingested

NOBODY = -1
"""Stands for the file of a span that no file comes for: one that was withdrawn."""

VOID_RANGES = pl.Schema(
    {
        "source": pl.String(),
        **{name: WINDOWS[name] for name in RANK},
        "first": pl.Date(),
        "last": pl.Date(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """All that a merge reads, or what of it one part needs.

    Attributes:
        deliveries: By file number.
        results: What was read of each, by file number.
        contracts: By name.
        winners: Who won each register that a replacing delivery touches (`windows.pick_winners`).
        spans: The dates that each file touches.
        days: Rows that the files bring, by date.
        void: Whose rows in the master do not count any more: source, rank, date.
    """

    deliveries: Mapping[int, Delivery]
    results: Mapping[int, Ingested]
    contracts: Mapping[str, Contract]
    winners: pl.DataFrame
    spans: Sequence[Span]
    days: Mapping[date, int]
    void: pl.DataFrame

    def list_fresh(self) -> list[tuple[int, Delivery, Ingested]]:
        """The files that this merge decides on: read now, and not read again."""
        return [
            (number, delivery, self.results[number])
            for number, delivery in self.deliveries.items()
            if delivery.is_fresh and not self.results[number].is_passing
        ]

    def narrow(self, part: Part) -> "Batch":
        """What a part needs, so that it can be worked on anywhere and alone."""
        numbers = [number for number in part.file_nos if number != NOBODY]
        names = {self.results[number].contract for number in numbers}
        within = pl.col("date").is_between(part.first, part.last)
        return Batch(
            deliveries={number: self.deliveries[number] for number in numbers},
            results={number: self.results[number] for number in numbers},
            contracts={name: self.contracts[name] for name in names if name},
            winners=self.winners.filter(within),
            spans=(),
            days={},
            void=self.void.filter(within),
        )

    def fetch(self) -> "Batch":
        """The same with its intermediate files on this machine, each of them fetched once."""
        shared = {file for result in self.results.values() for file in result.spooled}
        files = sorted(shared, key=str)
        local = dict(zip(files, fetch_spooled(files), strict=True))
        results = {
            number: replace(result, spooled=[local[file] for file in result.spooled])
            for number, result in self.results.items()
        }
        return replace(self, results=results)

    def make_rules(self, numbers: Sequence[int]) -> tuple[Contract, Rules]:
        """What files of one source mean; they have one mode and one key."""
        contract = self.contracts[self.results[numbers[0]].contract]
        return contract, Rules(
            key=_choose_key(contract),
            scope=contract.scope,
            appends=contract.mode == "append",
            folding=[number for number in numbers if self.results[number].folds],
        )


def gather_batch(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    contracts: Mapping[str, Contract],
    ledger: pl.DataFrame,
    *,
    withdrawn: pl.DataFrame | None = None,
) -> Batch:
    """Gathers what was read.

    Args:
        deliveries: Ascending by (rank, sha256).
        results: What was read of each.
        contracts: By name.
        ledger: As it counts from now on.
        withdrawn: What does not speak any more: source, delivered_at, delivery_id, first, last.
    """
    incoming = describe_windows(deliveries, results, contracts)
    sources = incoming["source"].unique().to_list()
    spans = _list_spans(deliveries, results, withdrawn)
    return Batch(
        deliveries=dict(enumerate(deliveries)),
        results=dict(enumerate(results)),
        contracts=contracts,
        winners=pick_winners(read_windows(ledger, sources), incoming),
        spans=spans,
        days=sum((result.days for result in results), Counter()),
        void=_find_void(deliveries, spans, withdrawn),
    )


def describe_windows(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    contracts: Mapping[str, Contract],
) -> pl.DataFrame:
    """What the files of replacing sources cover; columns `WINDOWS`."""
    rows = [
        (
            delivery.source,
            window.account,
            window.platform,
            window.breakdown,
            window.first_date,
            window.last_date,
            *delivery.rank,
        )
        for delivery, result in zip(deliveries, results, strict=True)
        if result.contract and contracts[result.contract].mode == "replace_window"
        for window in result.coverage
    ]
    return pl.DataFrame(rows, schema=WINDOWS, orient="row")


def _choose_key(contract: Contract) -> Sequence[str]:
    """The columns in which one row of a source wins: its key, or the grain of the master."""
    if contract.mode == "upsert":
        return contract.key if "account" in contract.key else ("account", *contract.key)
    # Only the generator's rows are known to have ids, whatever other contracts a source has.
    return [name for name in GRAIN if name != "campaign_name" or "raw" not in contract.formats]


def _list_spans(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    withdrawn: pl.DataFrame | None,
) -> list[Span]:
    """The dates that each file touches; one that is read again touches what is decided anew."""
    spans: list[Span] = []
    anew: dict[tuple[str, Rank], list[tuple[date, date]]] = {}
    for number, (delivery, result) in enumerate(zip(deliveries, results, strict=True)):
        if result.span is not None and delivery.is_fresh:
            spans.append(Span(number, *result.span))
            anew.setdefault((delivery.source, delivery.rank), []).append(result.span)
    gone = withdrawn.select("source", "first", "last").rows() if withdrawn is not None else []
    spans += [Span(NOBODY, first, last) for _, first, last in gone]
    for number, delivery in enumerate(deliveries):
        if delivery.role == "reread":
            touched = anew.get((delivery.source, delivery.rank), [])
            freed = [(first, last) for source, first, last in gone if source == delivery.source]
            spans += [Span(number, *span) for span in [*touched, *freed]]
    return spans


def _find_void(
    deliveries: Sequence[Delivery], spans: Sequence[Span], withdrawn: pl.DataFrame | None
) -> pl.DataFrame:
    """Whose rows do not count any more, on each date: source, rank, date."""
    again = [
        (deliveries[span.file_no].source, *deliveries[span.file_no].rank, span.first, span.last)
        for span in spans
        if span.file_no != NOBODY and deliveries[span.file_no].role != "new"
    ]
    ranges = pl.DataFrame(again, schema=VOID_RANGES, orient="row")
    if withdrawn is not None:
        ranges = pl.concat([ranges, withdrawn.select(list(VOID_RANGES)).cast(VOID_RANGES)])
    return (
        ranges.with_columns(date=pl.date_ranges("first", "last"))
        .explode("date", empty_as_null=False)
        .select("source", *RANK, "date")
        .unique()
    )
