"""The rows that a page is made from; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from pipeline.report.cells import order_names
from pipeline.report.content import Row
from pipeline.report.period import Period


class Figures(NamedTuple):
    """The rows that a page is made from; those with a currency have all of them.

    Attributes:
        version: Of the master table.
        filters: What all of it is limited to, as for `content.list_filters`.
        cells: Of sql/report/cells.sql; may be empty.
        cut: Whether days are left out of `cells`, since there are too many.
        period: That the page shows at first; None where there is no cell.
        totals: The KPI `total` for the period.
        totals_before: Likewise for the period before; empty where there is none.
        platforms: The KPI `platform` for the period.
        audiences: The KPI `audience` for the period.
        days: The KPI `day` for the period.
        shares: The KPI `share` for the period.
        campaigns: The KPI `campaign` for the period: those that spent most.
        unconverted: The KPI `unconverted` for the period: those that spent most.
        account: The account of all rows.
        sources: The KPI `quality`.
        reasons: The KPI `quarantine`.
    """

    version: int
    filters: Mapping[str, object]
    cells: Sequence[Row]
    cut: bool
    period: Period | None
    totals: Sequence[Row]
    totals_before: Sequence[Row]
    platforms: Sequence[Row]
    audiences: Sequence[Row]
    days: Sequence[Row]
    shares: Sequence[Row]
    campaigns: Sequence[Row]
    unconverted: Sequence[Row]
    account: Row
    sources: Sequence[Row]
    reasons: Sequence[Row]


def find_days(cells: Sequence[Row]) -> Period | None:
    """From the first to the last day of cells; None where there is none."""
    days = [day for cell in cells if isinstance(day := cell["date"], date)]
    return Period(min(days), max(days)) if days else None


def pick(rows: Sequence[Row], currency: object) -> list[Row]:
    """The rows of a currency."""
    return [row for row in rows if row["currency"] == currency]


def pick_one(rows: Sequence[Row], currency: object) -> Row:
    """The first row of a currency; empty where there is none."""
    return next(iter(pick(rows, currency)), {})


def choose_currency(cells: Sequence[Row], period: Period | None) -> object:
    """The currency that a page opens with: that of most cells of its period, of several the first.

    None where there is no cell, or its currency is not known.
    """
    within = [
        cell["currency"]
        for cell in cells
        if period is not None
        and isinstance(day := cell["date"], date)
        and period.start <= day <= period.end
    ]
    counts = Counter(within or [cell["currency"] for cell in cells])
    return max(order_names(counts), key=lambda currency: counts[currency], default=None)
