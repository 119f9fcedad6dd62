"""Which files a merge rewrites, and where new ones are cut."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delta.log import DataFile
from pipeline.merge.plan import SMALL_ROWS, Span, cut_dates, cut_files, plan_parts


def make_file(name: str, first: date, last: date, *, rows: int = SMALL_ROWS) -> DataFile:
    month = {"year": f"{first.year:04d}", "month": f"{first.month:02d}"}
    return DataFile(name, 100, rows, month, first, last)


JANUARY = make_file("a", date(2024, 1, 1), date(2024, 1, 15))
LATE_JANUARY = make_file("b", date(2024, 1, 16), date(2024, 1, 31))
FEBRUARY = make_file("c", date(2024, 2, 1), date(2024, 2, 29))


def test_only_files_that_hold_a_touched_date_are_rewritten() -> None:
    parts = plan_parts(
        [JANUARY, LATE_JANUARY, FEBRUARY], [Span(0, date(2024, 1, 3), date(2024, 1, 4))]
    )
    assert [(part.year, part.month, part.files) for part in parts] == [("2024", "01", (JANUARY,))]


def test_a_span_over_a_month_border_touches_both_months() -> None:
    parts = plan_parts([FEBRUARY], [Span(7, date(2024, 1, 31), date(2024, 2, 1))])
    assert [(part.month, part.files, part.file_nos) for part in parts] == [
        ("01", (), (7,)),
        ("02", (FEBRUARY,), (7,)),
    ]
    assert (parts[1].first, parts[1].last) == (date(2024, 2, 1), date(2024, 2, 29))


def test_small_neighbours_are_joined_in_the_same_run() -> None:
    small = make_file("d", date(2024, 1, 20), date(2024, 1, 21), rows=SMALL_ROWS - 1)
    parts = plan_parts([JANUARY, small], [Span(0, date(2024, 1, 3), date(2024, 1, 3))])
    assert parts[0].files == (JANUARY, small)


def test_nothing_touched_plans_nothing() -> None:
    assert plan_parts([JANUARY], []) == []


@given(
    days=st.dictionaries(st.dates(date(2024, 1, 1), date(2024, 1, 31)), st.integers(1, 50)),
    rows=st.integers(1, 100),
)
def test_slices_are_the_month_and_hold_no_more_than_they_may(
    days: dict[date, int], rows: int
) -> None:
    first, last = date(2024, 1, 1), date(2024, 1, 31)
    slices = cut_dates(days, first, last, rows=rows)
    assert (slices[0][0], slices[-1][1]) == (first, last)
    for (_, end), (begin, _) in pairwise(slices):
        assert begin - end == timedelta(days=1)
    for begin, end in slices:
        held = [count for day, count in days.items() if begin <= day <= end]
        assert sum(held) <= rows or len(held) == 1


@pytest.mark.parametrize(
    ("days", "cuts"),
    [
        ([], []),
        ([5], [slice(0, 5)]),
        ([5, 5, 5], [slice(0, 10), slice(10, 15)]),
        ([25, 1], [slice(0, 25), slice(25, 26)]),
    ],
)
def test_files_are_cut_at_the_date_border_where_they_are_full(
    days: list[int], cuts: list[slice]
) -> None:
    assert cut_files(days, file_rows=10) == cuts


def test_a_file_that_is_begun_is_filled_first() -> None:
    assert cut_files([5, 5, 5], held=5, file_rows=10) == [slice(0, 5), slice(5, 15)]


@given(days=st.lists(st.integers(1, 50), max_size=40), size=st.integers(1, 100))
def test_cuts_hold_every_row_once_and_split_no_date(days: list[int], size: int) -> None:
    cuts = cut_files(days, file_rows=size)
    assert [row for cut in cuts for row in range(cut.start, cut.stop)] == list(range(sum(days)))
    borders = {sum(days[:count]) for count in range(len(days) + 1)}
    assert {cut.stop for cut in cuts} <= borders


def test_a_large_month_is_cut_where_no_file_spans_the_border() -> None:
    files = [
        make_file("a", date(2024, 1, 1), date(2024, 1, 10), rows=SMALL_ROWS),
        make_file("b", date(2024, 1, 11), date(2024, 1, 31), rows=SMALL_ROWS),
    ]
    spans = [
        Span(0, date(2024, 1, 2), date(2024, 1, 4)),
        Span(1, date(2024, 1, 30), date(2024, 1, 31)),
    ]
    days = {date(2024, 1, 2): 5, date(2024, 1, 30): 7}
    [whole] = plan_parts(files, spans, days)
    parts = plan_parts(files, spans, days, part_rows=SMALL_ROWS // 4)
    assert [(part.first, part.last) for part in parts] == [
        (date(2024, 1, 1), date(2024, 1, 10)),
        (date(2024, 1, 11), date(2024, 1, 31)),
    ]
    assert [part.files for part in parts] == [(files[0],), (files[1],)]
    assert [part.file_nos for part in parts] == [(0,), (1,)]
    assert whole.files == tuple(files)


def test_a_large_month_in_one_file_is_one_part() -> None:
    file = make_file("a", date(2024, 1, 1), date(2024, 1, 31), rows=10 * SMALL_ROWS)
    parts = plan_parts([file], [Span(0, date(2024, 1, 2), date(2024, 1, 4))], part_rows=SMALL_ROWS)
    assert [part.files for part in parts] == [(file,)]
    assert (parts[0].first, parts[0].last) == (date(2024, 1, 1), date(2024, 1, 31))


def test_a_large_new_month_is_cut_by_its_rows_and_what_nobody_touches_is_left_out() -> None:
    days = {date(2024, 1, day): 10 for day in range(1, 31)}
    spans = [Span(day.day, day, day) for day in days]
    parts = plan_parts([], spans, days, part_rows=100)
    assert [(part.first.day, part.last.day) for part in parts] == [(1, 10), (11, 20), (21, 31)]
    assert [part.file_nos for part in parts] == [
        tuple(range(1, 11)),
        tuple(range(11, 21)),
        tuple(range(21, 31)),
    ]
