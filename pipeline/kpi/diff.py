"""How a KPI's measures moved from one version to another; pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

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
}
"""The KPIs that are compared, each with what tells its rows apart beside the currency."""

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


def compare_rows(
    kpi: str, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> list[Row]:
    """The measures that are not the same in both, as rows of `COLUMNS`.

    Args:
        kpi: One of `COMPARED`.
        before: Its rows in one version.
        after: Its rows in the other.

    Returns:
        In the order of the rows' names, currencies and measures. A row that only one version has
        is compared with nulls; the change is null where a value is, and the relative change also
        where the value before is 0.
    """
    old, new = _index_rows(kpi, before), _index_rows(kpi, after)
    return [
        (kpi, *key, measure, was, now, *_find_change(was, now))
        for key in sorted(old.keys() | new.keys(), key=_sort_nulls_last)
        for measure in MEASURES
        if (was := old.get(key, {}).get(measure)) != (now := new.get(key, {}).get(measure))
    ]


def _index_rows(
    kpi: str, rows: Iterable[Mapping[str, Any]]
) -> dict[tuple[Any, Any], Mapping[str, Any]]:
    names = COMPARED[kpi]
    return {((row[names[0]] if names else "all"), row["currency"]): row for row in rows}


def _sort_nulls_last(key: Sequence[Any]) -> list[tuple[bool, str]]:
    return [(value is None, str(value)) for value in key]


def _find_change(before: Any, after: Any) -> tuple[Decimal | float | None, float | None]:
    if before is None or after is None:
        return None, None
    change = after - before
    return change, float(change) / float(before) if before else None
