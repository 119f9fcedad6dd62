"""How a KPI's measures moved from one version to another; pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from pipeline.kpi.query import Row

COLUMNS: Final = (
    "kpi",
    "row",
    "currency",
    "measure",
    "before",
    "after",
    "change",
    "change_relative",
)

COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "total": (),
    "platform": ("platform",),
    "audience": ("target_audience",),
    "month": ("month",),
    "campaign": ("source", "account", "campaign_id", "campaign_name"),
}
"""The KPIs that are compared, each with what tells its rows apart beside the currency."""

CAMPAIGNS: Final = 10
"""So many campaigns of each currency are compared: those of which the spend moved the most."""

MEASURES: Final = (
    "spend",
    "clicks",
    "impressions",
    "conversions",
    "revenue",
    "cpc",
    "ctr",
    "cvr",
    "cpa",
    "roas",
)


def pick_campaigns(
    before: pl.DataFrame, after: pl.DataFrame, *, count: int = CAMPAIGNS
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """The campaigns that moved the most, as `compare_rows` takes them.

    Args:
        before: Rows of the KPI `campaign` in one version.
        after: Its rows in the other.
        count: How many of each currency.

    Returns:
        Their rows before and after, where there are any, each with what tells it apart, of which
        the name is null where there is an id; and how many more moved.
    """
    keys = [*COMPARED["campaign"], "currency"]
    old, new = (
        frame.select(
            "source",
            "account",
            "campaign_id",
            # A campaign with an id may be renamed between the versions.
            pl.when(pl.col("campaign_id").is_null()).then("campaign_name").alias("campaign_name"),
            "currency",
            *MEASURES,
            is_there=pl.lit(value=True),
        )
        for frame in (before, after)
    )
    both = old.join(new, on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_after")
    moved = both.filter(
        pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in MEASURES)
    )
    spends = pl.col("spend_after").fill_null(0) - pl.col("spend").fill_null(0)
    most = (
        moved.with_columns(spends.abs().alias("moved"))
        .sort("moved", *keys, descending=[True, *[False] * len(keys)], nulls_last=True)
        .group_by("currency", maintain_order=True)
        .head(count)
    )
    rows = [
        most.filter(f"is_there{side}")
        .select(*keys, *(pl.col(f"{name}{side}").alias(name) for name in MEASURES))
        .to_dicts()
        for side in ("", "_after")
    ]
    return rows[0], rows[1], moved.height - most.height


def compare_rows(
    kpi: str, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> list[Row]:
    """The measures that are not the same in both, as rows of `COLUMNS`.

    Args:
        kpi: One of `COMPARED`.
        before: Its rows in one version.
        after: Its rows in the other.

    Returns:
        In the order of the rows' names, currencies and measures; `row` joins what tells a row
        apart with slashes. A row that only one version has
        is compared with nulls; the change is null where a value is, and the relative change also
        where the value before is 0.
    """
    old, new = _index_rows(kpi, before), _index_rows(kpi, after)
    return [
        (kpi, _name_row(key), key[-1], measure, was, now, *_find_change(was, now))
        for key in sorted(old.keys() | new.keys(), key=_sort_nulls_last)
        for measure in MEASURES
        if (was := old.get(key, {}).get(measure)) != (now := new.get(key, {}).get(measure))
    ]


def _index_rows(
    kpi: str, rows: Iterable[Mapping[str, Any]]
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """The rows by what tells them apart, the currency last."""
    names = (*COMPARED[kpi], "currency")
    return {tuple(row[name] for name in names): row for row in rows}


def _name_row(key: Sequence[Any]) -> str | None:
    *names, _ = key
    if not names:
        return "all"
    return "/".join(name for name in names if name is not None) or None


def _sort_nulls_last(key: Sequence[Any]) -> list[tuple[bool, str]]:
    return [(value is None, str(value)) for value in key]


def _find_change(before: Any, after: Any) -> tuple[Decimal | float | None, float | None]:
    if before is None or after is None:
        return None, None
    change = after - before
    return change, float(change) / float(before) if before else None
