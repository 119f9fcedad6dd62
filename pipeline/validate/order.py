"""Whether dates have day and month in another order than the declared one."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from pipeline.contracts.dates import swap_day_and_month
from pipeline.validate.judge import Refused, judge_date

_NEAR_DAYS: Final = 7
"""So far out of bounds a day may be by itself: by another time zone, or a row too many."""


def find_other_order(
    texts: pl.Series, forms: Sequence[str], bounds: tuple[date, date]
) -> tuple[str, str] | None:
    """The first text that fits only with day and month in each other's place, and that form.

    `31/3/2024` is no day where the month comes first. `1/3/2024` is one in either order: it is a
    sign where the declared order leads far out of bounds and the other one does not, unless
    another text, such as `3/31/2024`, is a day in the declared order only.

    Args:
        texts: Of dates, without outer blanks and nulls.
        forms: The declared ones.
        bounds: First and last day that the texts may mean.
    """
    swapped = {form: other for form in forms if (other := swap_day_and_month(form))}
    if not swapped:
        return None
    sign: tuple[str, str] | None = None
    is_declared = False
    for text in texts.unique(maintain_order=True):
        day = _read(text, forms)
        found = [(one, form) for form in swapped.values() if (one := _read(text, (form,)))]
        if not found:
            is_declared |= _read(text, tuple(swapped)) is not None
            continue
        turned, form = found[0]
        if day is None:
            return text, form
        if sign is None and _measure(day, bounds) > _NEAR_DAYS and not _measure(turned, bounds):
            sign = text, form
    return None if is_declared else sign


def _read(text: str, forms: Sequence[str]) -> date | None:
    try:
        return judge_date(text, forms)
    except Refused:
        return None


def _measure(day: date, bounds: tuple[date, date]) -> int:
    """How many days it lies out of bounds; 0 where within."""
    first, last = bounds
    return max((first - day).days, (day - last).days, 0)
