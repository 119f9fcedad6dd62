"""The files whose rows stand on the same dates as those of others."""

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipeline.merge.delivery import Delivery, recall
from pipeline.steps.batch import VOID_RANGES

_NAMES = ["source", "delivered_at", "delivery_id"]


def list_ranges(judged: pl.DataFrame) -> pl.DataFrame:
    """The dates on which some files spoke: one row a delivery, columns `VOID_RANGES`.

    Args:
        judged: Their rows in the ledger.
    """
    return (
        judged.explode("coverage", empty_as_null=False)
        .unnest("coverage")
        .group_by(_NAMES, maintain_order=True)
        .agg(first=pl.col("first_date").min(), last=pl.col("last_date").max())
        .select(list(VOID_RANGES))
        .cast(VOID_RANGES)
    )


def list_rivals(judged: pl.DataFrame, ranges: pl.DataFrame) -> list[Delivery]:
    """The merged files that speak for any date of a range of their source.

    Args:
        judged: Rows of the ledger to choose from.
        ranges: Columns `VOID_RANGES`.
    """
    merged = judged.filter(outcome="merged")
    spans: dict[str, list[tuple[date, date]]] = {}
    for source, first, last in ranges.select("source", "first", "last").iter_rows():
        spans.setdefault(source, []).append((first, last))
    meet = [
        _meets(windows, spans.get(source, []))
        for source, windows in merged.select("source", "coverage").iter_rows()
    ]
    return recall(merged.filter(pl.Series(meet, dtype=pl.Boolean)), role="reread")


def _meets(windows: Iterable[dict[str, date]], spans: Iterable[tuple[date, date]]) -> bool:
    return any(
        one["first_date"] <= last and first <= one["last_date"]
        for one in windows
        for first, last in spans
    )
