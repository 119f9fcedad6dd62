"""Rows by source and day."""

from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.merge.by_day import ByDay, Place

SCHEMA = pl.Schema({"source": pl.String(), "n": pl.Int64(), "date": pl.Date()})
PLACES = st.tuples(st.sampled_from("st"), st.dates(date(2024, 1, 1), date(2024, 1, 3)))
ROWS = st.lists(st.builds(lambda place, n: (place[0], n, place[1]), PLACES, st.integers(0, 9)))

Row = tuple[str, int, date]


def make_table(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def is_within(row: Row, places: set[Place]) -> bool:
    return (row[0], row[2]) in places


@given(rows=ROWS, new=ROWS, places=st.sets(PLACES), asked=st.sets(PLACES))
def test_rows_are_found_and_replaced_as_in_a_list(
    rows: list[Row], new: list[Row], places: set[Place], asked: set[Place]
) -> None:
    new = [row for row in new if is_within(row, places)]
    table = ByDay(make_table(rows))
    table.replace(places, make_table(new))
    expected = [row for row in rows if not is_within(row, places)] + new
    found = table.find(asked)
    assert found.schema == SCHEMA
    assert sorted(found.rows()) == sorted(row for row in expected if is_within(row, asked))
