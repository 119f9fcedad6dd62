"""What a person asks the generator for, checked before anything is made."""

from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from pipeline.errors import UsageError
from pipeline.generate.calendar import list_days, share_rows
from pipeline.generate.vocabulary import DEFAULT_LOCALE

FIRST_DAY: Final = date(1970, 1, 1)
MOST_ROWS: Final = 10**12
SEEDS: Final = 2**63
DEFAULT_BATCH_ROWS: Final = 2**15


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Which data to generate; of `rows` and `rows_per_day` exactly one is given.

    Attributes:
        start: First day, 1970-01-01 or later.
        end: Last day, included; today (UTC) at the latest.
        seed: 0 .. 2**63 - 1.
        rows: Total of the range, 1 .. 10**12, shared over its days by season.
        rows_per_day: Rows of each day, 1 .. 10**12, whatever the range.
        only: One day of the range; it alone is made, as it would be with all others.
        locale: Faker's, for the words in campaign names.
        batch_rows: Most rows in a record batch, at least 1; changes no byte of the result.
    """

    start: date
    end: date
    seed: int
    rows: int | None = None
    rows_per_day: int | None = None
    only: date | None = None
    locale: str = DEFAULT_LOCALE
    batch_rows: int = DEFAULT_BATCH_ROWS


class DayRows(NamedTuple):
    """How many rows a day gets, at least 0."""

    day: date
    rows: int


def plan_days(request: GenerateRequest, *, today: date) -> list[DayRows]:
    """The days that a request asks for, in order, and their rows.

    Args:
        request: What is asked for.
        today: The current day in UTC; data of later days is refused.

    Raises:
        UsageError: The request cannot be met; nothing was made yet.
    """
    _check_days(request, today=today)
    _check_numbers(request)
    days = list_days(request.start, request.end)
    if request.rows is None:
        rows = [request.rows_per_day or 0] * len(days)
    else:
        rows = share_rows(request.start, request.end, request.rows, request.seed)
    return [
        DayRows(day, count)
        for day, count in zip(days, rows, strict=True)
        if request.only in {None, day}
    ]


def _check_days(request: GenerateRequest, *, today: date) -> None:
    start, end, only = request.start, request.end, request.only
    if end < start:
        raise UsageError(
            f"the range ends on {end}, before it starts on {start}; expected an end of {start} "
            f"or later: swap the two days, or move one"
        )
    if start < FIRST_DAY:
        raise UsageError(f"the range starts on {start}; expected {FIRST_DAY} or later")
    if end > today:
        raise UsageError(
            f"the range ends on {end}, which is not here yet; expected {today} (today, UTC) or "
            f"earlier: end the range there"
        )
    if only is not None and not start <= only <= end:
        raise UsageError(
            f"the only day to make, {only}, is outside the range; expected a day from {start} "
            f"to {end}: choose one, or widen the range"
        )


def _check_numbers(request: GenerateRequest) -> None:
    if (request.rows is None) == (request.rows_per_day is None):
        given = "neither" if request.rows is None else "both"
        raise UsageError(
            f"of rows and rows per day, {given} was given; expected exactly one of them"
        )
    for name, rows in (("rows", request.rows), ("rows per day", request.rows_per_day)):
        if rows is not None and not 1 <= rows <= MOST_ROWS:
            raise UsageError(f"{name} is {rows}; expected a whole number from 1 to {MOST_ROWS}")
    if not 0 <= request.seed < SEEDS:
        raise UsageError(
            f"the seed is {request.seed}; expected a whole number from 0 to {SEEDS - 1}"
        )
    if request.batch_rows < 1:
        raise UsageError(
            f"batch rows is {request.batch_rows}; expected a whole number of at least 1, "
            f"such as {DEFAULT_BATCH_ROWS}"
        )
