"""Rows are ordered by numbers as they would be by their values."""

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_series_equal

from pipeline.merge.order import find_order

ROWS = st.lists(
    st.tuples(
        st.none() | st.text(max_size=3),
        st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
        st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)),  # noqa: DTZ001 - Hypothesis wants naive bounds
        st.none() | st.integers(-(2**62), 2**62),
        st.sampled_from(["", "a", "b", "á", "ab", "Z"]),
    ),
    max_size=30,
)
SCHEMA = {
    "text": pl.String,
    "day": pl.Date,
    "moment": pl.Datetime("us"),
    "number": pl.Int64,
    "short": pl.String,
}


@given(ROWS, st.permutations(list(SCHEMA)))
def test_the_order_is_that_of_a_sort_with_nulls_last(
    rows: list[tuple[object, ...]], by: list[str]
) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_row_index("row")
    order = find_order(frame, [*by, "row"])
    expected = frame.sort([*by, "row"], nulls_last=True)["row"]
    assert_series_equal(frame["row"][order], expected)


def test_numbers_may_be_as_far_apart_as_they_go() -> None:
    numbers = [2**62, -(2**62), 0, None, 2**63 - 2, -(2**63)]
    frame = pl.DataFrame({"number": pl.Series(numbers, dtype=pl.Int64), "row": range(6)})
    assert find_order(frame, ["number", "row"]).to_list() == [5, 1, 2, 0, 4, 3]


def test_rows_that_are_all_alike_stay_in_their_order() -> None:
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    frame = pl.DataFrame({"text": ["a"] * 3, "none": [None] * 3, "moment": [moment] * 3})
    frame = frame.with_columns(pl.col("none").cast(pl.String))
    assert find_order(frame, ["text", "none", "moment"]).to_list() == [0, 1, 2]
