"""Periods of days: what a page shows at first, and the period before it; pure."""

from datetime import date, timedelta
from typing import Final, NamedTuple, Self

CHOICES: Final = (7, 30, 90)
"""Lengths in days that can be chosen beside all days."""

FIRST_CHOICE: Final = 30
"""What a page shows at first, where there is an earlier period of this length."""


class Period(NamedTuple):
    """Days, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Its length."""
        return (self.end - self.start).days + 1

    @property
    def before(self) -> Self:
        """The period of the same length that ends the day before."""
        end = self.start - timedelta(days=1)
        return type(self)(end - timedelta(days=self.days - 1), end)


def choose_period(first: date, last: date) -> Period:
    """The newest days, where the data has as many before them; else all days.

    Args:
        first: First day with data.
        last: Last day with data.
    """
    newest = Period(last - timedelta(days=FIRST_CHOICE - 1), last)
    return newest if newest.before.start >= first else Period(first, last)
