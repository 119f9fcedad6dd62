"""What of the lake a KPI is about: its filters, as values that are bound to the statement."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from pipeline.errors import UsageError

RANKINGS: Final = (
    "spend",
    "clicks",
    "impressions",
    "conversions",
    "revenue",
    "ctr",
    "cpc",
    "cvr",
    "cpa",
    "roas",
)
"""The measures that campaigns can be ranked by."""

MOST_CAMPAIGNS: Final = 1_000_000_000
"""More than any lake has."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters; None takes all.

    Attributes:
        start: First day.
        end: Last day, included.
        platform: A platform's name, exactly.
        audience: A target audience's name, exactly.
        campaign: A campaign_id or campaign_name, exactly.
        source: A source's name, exactly.
        by: What campaigns are ranked by, one of `RANKINGS`; spend where it is None.
        top: Only so many campaigns from the top of each currency, 1 to `MOST_CAMPAIGNS`.
        bottom: Only so many from the bottom, likewise; with `top`: both.

    Raises:
        UsageError: The values contradict each other, or a ranking is unknown.
    """

    start: date | None = None
    end: date | None = None
    platform: str | None = None
    audience: str | None = None
    campaign: str | None = None
    source: str | None = None
    by: str | None = None
    top: int | None = None
    bottom: int | None = None

    def __post_init__(self) -> None:
        if self.start and self.end and self.start > self.end:
            raise UsageError(f"the first day {self.start} is after the last day {self.end}")
        if self.by is not None and self.by not in RANKINGS:
            raise UsageError(
                f"campaigns cannot be ranked by {self.by!r}; expected {', '.join(RANKINGS)}"
            )
        for name, number in (("top", self.top), ("bottom", self.bottom)):
            if number is not None and not 1 <= number <= MOST_CAMPAIGNS:
                raise UsageError(f"{name} is {number}; expected 1 to {MOST_CAMPAIGNS:,}")

    def bind(self, params: tuple[str, ...], *, kpi: str) -> Mapping[str, object]:
        """The value of each parameter of a statement.

        Args:
            params: The parameters that the statement declares.
            kpi: Its name, for the message.

        Raises:
            UsageError: Something is asked for that the statement has no parameter for: to leave it
                out would give figures of more than was asked for.
        """
        values = asdict(self)
        for name, value in values.items():
            if value is not None and name not in params:
                known = ", ".join(params) or "none"
                why = _OF_FILES if params == ("source",) and name in _OF_ROWS else ""
                raise UsageError(
                    f"the KPI {kpi!r} cannot be filtered by {name}; it knows {known}{why}"
                )
        return {name: values[name] for name in params}


_OF_ROWS: Final = frozenset({"start", "end", "platform", "audience", "campaign"})
_OF_FILES: Final = (
    ": it counts delivered files and refused rows, and what was refused has no day, platform, "
    "audience or campaign that could be trusted"
)
EVERYTHING: Final = Selection()
"""All that a version holds."""
