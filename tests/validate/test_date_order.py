"""Dates whose day and month stand the other way round are found out, and no others."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from pipeline.contracts.dates import swap_day_and_month
from pipeline.validate.order import find_other_order

AMERICAN = ("m/d/yyyy", "yyyy-mm-dd")
SPANISH = ("yyyy-mm-dd", "d/m/yyyy")
DECADE = (date(2014, 3, 4), date(2024, 3, 4))
"""Of a file that came on its last day."""

MARCH = (date(2024, 3, 1), date(2024, 3, 31))


def find(
    *texts: str, forms: Sequence[str] = AMERICAN, bounds: tuple[date, date] = DECADE
) -> str | None:
    found = find_other_order(pl.Series(texts, dtype=pl.String), forms, bounds)
    return None if found is None else " as ".join(found)


@pytest.mark.parametrize(
    ("form", "other"),
    [
        ("m/d/yyyy", "d/m/yyyy"),
        ("dd/mm/yyyy", "m/d/yyyy"),
        ("dd.mm.yyyy time", "m.d.yyyy time"),
        ("time d-m-yyyy", "time m-d-yyyy"),
        ("yyyy-mm-dd", None),
        ("yyyymmdd", None),
        ("yyyy-mm-dd time", None),
        ("month d, yyyy", None),
    ],
)
def test_only_forms_that_end_in_the_year_have_another_order(form: str, other: str | None) -> None:
    assert swap_day_and_month(form) == other


def test_one_day_beyond_the_twelfth_tells_the_order_of_all() -> None:
    assert find("1/3/2024", "", "13/3/2024", "14/3/2024") == "13/3/2024 as d/m/yyyy"
    assert find("3/1/2024", "3/13/2024", forms=SPANISH) == "3/13/2024 as m/d/yyyy"
    assert find("13/3/2024", "3/31/2024") == "13/3/2024 as d/m/yyyy"
    assert find("3/13/2024", forms=("dd/mm/yyyy",)) == "3/13/2024 as m/d/yyyy"
    assert find("13/3/2024 09:00", forms=("m/d/yyyy time",)) == "13/3/2024 09:00 as d/m/yyyy time"


@pytest.mark.parametrize(
    "text",
    ["13/13/2024", "31/2/2024", "2024-13-01", "0/3/2024", "13/3/24", "13.3.2024", "Total", "45352"],
)
def test_what_is_a_day_in_neither_order_tells_nothing(text: str) -> None:
    assert find("1/3/2024", text) is None
    assert find("3/1/2024", text, forms=SPANISH) is None


def test_iso_dates_have_one_order() -> None:
    assert find("2024-13-01", "13/3/2024", "3/13/2024", forms=("yyyy-mm-dd", "yyyymmdd")) is None
    assert find("2024-01-05", "2024-31-12", bounds=MARCH) is None


def test_days_up_to_the_twelfth_tell_their_order_where_only_one_fits_the_file() -> None:
    months = [f"{day}/3/2024" for day in range(1, 5)]
    assert find(*months) == "4/3/2024 as d/m/yyyy"
    assert find(*months[:3]) is None
    assert find(*months[:3], bounds=MARCH) == "1/3/2024 as d/m/yyyy"
    assert find("3/1/2024", "3/2/2024", forms=SPANISH, bounds=MARCH) == "3/1/2024 as m/d/yyyy"


def test_a_row_beside_the_period_does_not_tell_the_order() -> None:
    assert find("3/1/2024", "4/3/2024", bounds=(date(2024, 3, 1), date(2024, 4, 2))) is None
    assert find("3/1/2024", "3/2/2024", bounds=(date(2024, 1, 1), date(2024, 3, 1))) is None
    assert find("4/9/2024", bounds=(date(2024, 1, 1), date(2024, 4, 2))) is None


def test_a_week_beside_the_period_is_near_and_a_day_more_is_not() -> None:
    assert find("4/3/2024", bounds=(date(2024, 1, 1), date(2024, 3, 27))) is None
    assert find("4/3/2024", bounds=(date(2024, 1, 1), date(2024, 3, 26))) == "4/3/2024 as d/m/yyyy"
    assert find("2/3/2024", bounds=(date(2024, 2, 10), date(2024, 3, 26))) is None
    assert find("2/3/2024", bounds=(date(2024, 2, 11), date(2024, 3, 26))) == (
        "2/3/2024 as d/m/yyyy"
    )


def test_a_year_of_days_in_the_declared_order_is_no_sign_of_the_other_one() -> None:
    assert find("1/3/2024", "3/31/2024", bounds=MARCH) is None
    assert find("3/31/2024", "1/3/2024", bounds=MARCH) is None
    assert find("1/3/2024", "3/31/2024", "Total", bounds=MARCH) is None
    assert find("1/3/2024", "2024-03-31", bounds=MARCH) == "1/3/2024 as d/m/yyyy"
