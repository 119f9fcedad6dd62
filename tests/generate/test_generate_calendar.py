from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generate.calendar import season_shift, share_rows

DAYS = st.dates(min_value=date(1970, 1, 1), max_value=date(2099, 12, 31))
SEEDS = st.integers(0, 2**63 - 1)


@given(start=DAYS, length=st.integers(0, 800), rows=st.integers(0, 10**12), seed=SEEDS)
def test_shares_add_up_exactly_whatever_the_range(
    start: date, length: int, rows: int, seed: int
) -> None:
    end = start + timedelta(days=length)

    shares = share_rows(start, end, rows, seed)

    assert len(shares) == length + 1
    assert sum(shares) == rows
    assert min(shares) >= 0
    assert shares == share_rows(start, end, rows, seed)


def test_the_shares_of_a_seed_never_change() -> None:
    shares = share_rows(date(2024, 2, 27), date(2024, 3, 4), 1_000, 42)

    assert shares == [149, 146, 145, 141, 136, 137, 146]


def test_another_seed_shares_differently() -> None:
    year = date(2024, 1, 1), date(2024, 12, 31)

    assert share_rows(*year, 500_000, 1) != share_rows(*year, 500_000, 2)


def test_november_and_working_days_get_more_rows() -> None:
    start = date(2024, 1, 1)
    shares = share_rows(start, date(2024, 12, 31), 500_000, 42)
    by_day = {start + timedelta(days=offset): rows for offset, rows in enumerate(shares)}
    november = [rows for day, rows in by_day.items() if day.month == 11]
    june = [rows for day, rows in by_day.items() if day.month == 6]
    tuesdays = [rows for day, rows in by_day.items() if day.weekday() == 1]
    saturdays = [rows for day, rows in by_day.items() if day.weekday() == 5]

    assert sum(november) > 1.15 * sum(june)
    assert sum(tuesdays) / len(tuesdays) > 1.05 * sum(saturdays) / len(saturdays)


@pytest.mark.parametrize("day", [date(1970, 1, 1), date(2024, 2, 29), date(9999, 12, 31)])
def test_the_season_stays_within_its_bounds(day: date) -> None:
    assert -0.25 < season_shift(day) < 0.25


def test_fewer_rows_than_days_leave_days_empty() -> None:
    shares = share_rows(date(2024, 1, 1), date(2024, 1, 31), 3, 42)

    assert sorted(shares) == [0] * 28 + [1] * 3
