"""What the report measures, as data: the page's script adds up and divides by the same list.

The rules themselves stand in sql/kpi/; the tests hold this list against them.
"""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Measure:
    """A sum, or a ratio of sums.

    Attributes:
        key: Its name among the KPIs.
        form: How it is shown: `count`, `quantity`, `amount` or `percent`.
        over: What is added up.
        less: Taken from `over` before it is divided; '' for nothing.
        under: What it is divided by; '' where it is a sum.
        times: The ratio's factor.
        better: 1 where more is better, -1 where less is, 0 where neither.
    """

    key: str
    form: str
    over: str
    less: str = ""
    under: str = ""
    times: int = 1
    better: int = 0

    def describe(self) -> dict[str, Any]:
        """The measure as the script reads it."""
        return {
            "form": self.form,
            "over": self.over,
            "less": self.less,
            "under": self.under,
            "times": self.times,
            "better": self.better,
        }


SUMS: Final = (
    "spend",
    "revenue",
    "conversions",
    "clicks",
    "impressions",
    "earning_spend",
    "converting_spend",
    "converting_clicks",
    "view_time_sum",
    "view_time_rows",
    "view_time_weighted",
    "view_time_views",
)
"""What a cell holds; the columns of sql/report/cells.sql."""

_LIST: Final = (
    Measure("spend", "amount", "spend"),
    Measure("revenue", "amount", "revenue", better=1),
    Measure("conversions", "quantity", "conversions", better=1),
    Measure("clicks", "count", "clicks", better=1),
    Measure("impressions", "count", "impressions"),
    Measure("roas", "amount", "revenue", under="earning_spend", better=1),
    Measure("roi", "amount", "revenue", "earning_spend", "earning_spend", better=1),
    Measure("cpa", "amount", "converting_spend", under="conversions", better=-1),
    Measure("cpc", "amount", "spend", under="clicks", better=-1),
    Measure("ctr", "percent", "clicks", under="impressions", better=1),
    Measure("cvr", "percent", "conversions", under="converting_clicks", better=1),
    Measure("avg_view_time", "amount", "view_time_sum", under="view_time_rows"),
    Measure("avg_view_time_weighted", "amount", "view_time_weighted", under="view_time_views"),
)

MEASURES: Final = {measure.key: measure for measure in _LIST}
