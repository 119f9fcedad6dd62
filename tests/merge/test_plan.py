"""Which files a merge rewrites, and where new ones are cut."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delta.log import DataFile
from pipeline.merge.plan import (
    FILE_ROWS,
    SMALL_ROWS,
    Part,
    Span,
    cut_dates,
    cut_files,
    plan_compaction,
    plan_parts,
)


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


def test_a_file_is_full_at_its_rows_and_small_below_a_quarter_of_them() -> None:
    assert cut_files([FILE_ROWS - 1, 1, 1]) == [
        slice(0, FILE_ROWS),
        slice(FILE_ROWS, FILE_ROWS + 1),
    ]
    assert SMALL_ROWS * 4 == FILE_ROWS


def test_files_are_rewritten_where_a_span_meets_their_first_or_last_date() -> None:
    file = make_file("a", date(2024, 1, 10), date(2024, 1, 20))
    touched = {
        day: bool(plan_parts([file], [Span(0, date(2024, 1, day), date(2024, 1, day))])[0].files)
        for day in (9, 10, 15, 20, 21)
    }
    assert touched == {9: False, 10: True, 15: True, 20: True, 21: False}


def test_a_file_whose_dates_nobody_knows_is_rewritten() -> None:
    for dates in ((None, None), (date(2024, 1, 1), None), (None, date(2024, 1, 1))):
        file = replace(JANUARY, first_date=dates[0], last_date=dates[1])
        [part] = plan_parts([file], [Span(0, date(2024, 1, 31), date(2024, 1, 31))])
        assert part.files == (file,)


def test_files_between_two_spans_are_left_alone() -> None:
    files = [make_file(f"{day:02}", date(2024, 1, day), date(2024, 1, day)) for day in range(1, 9)]
    spans = [
        Span(0, date(2024, 1, 6), date(2024, 1, 6)),
        Span(1, date(2024, 1, 1), date(2024, 1, 3)),
        Span(2, date(2024, 1, 2), date(2024, 1, 2)),
        Span(3, date(2024, 1, 4), date(2024, 1, 4)),
    ]
    [part] = plan_parts(files, spans, part_rows=100 * SMALL_ROWS)
    assert [file.path for file in part.files] == ["01", "02", "03", "04", "06"]
    assert part.file_nos == (0, 1, 2, 3)


def test_a_part_is_its_month_with_files_by_path_and_the_files_that_touch_it() -> None:
    files = [LATE_JANUARY, JANUARY]
    spans = [
        Span(4, date(2023, 12, 31), date(2024, 1, 31)),
        Span(2, date(2024, 1, 2), date(2024, 1, 2)),
        Span(4, date(2024, 1, 5), date(2024, 1, 5)),
    ]
    december, january = plan_parts(files, spans)
    assert december == Part(
        year="2023",
        month="12",
        first=date(2023, 12, 1),
        last=date(2023, 12, 31),
        files=(),
        file_nos=(4,),
    )
    assert january == Part(
        year="2024",
        month="01",
        first=date(2024, 1, 1),
        last=date(2024, 1, 31),
        files=(JANUARY, LATE_JANUARY),
        file_nos=(2, 4),
    )


def test_a_month_is_cut_only_above_the_rows_of_a_part() -> None:
    day_rows = {date(2024, 1, 1): 6, date(2024, 1, 2): 4, date(2024, 2, 1): 100}
    spans = [Span(0, date(2024, 1, 1), date(2024, 1, 2))]
    assert len(plan_parts([], spans, day_rows, part_rows=10)) == 1
    parts = plan_parts([], spans, day_rows, part_rows=9)
    assert [(part.first.day, part.last.day) for part in parts] == [(1, 1), (2, 31)]
    held = replace(JANUARY, rows=1)
    assert len(plan_parts([held], spans, day_rows, part_rows=11)) == 1
    # The file spans both days, so that they stay together.
    assert len(plan_parts([held], spans, day_rows, part_rows=10)) == 1


def test_a_file_whose_first_date_is_unknown_stays_with_what_lies_before_its_last() -> None:
    files = [
        replace(make_file("a", date(2024, 1, 2), date(2024, 1, 3)), first_date=None),
        make_file("b", date(2024, 1, 3), date(2024, 1, 5)),
        make_file("c", date(2024, 1, 5), date(2024, 1, 6)),
        make_file("d", date(2024, 1, 7), date(2024, 1, 8)),
    ]
    spans = [Span(0, date(2024, 1, 1), date(2024, 1, 31))]
    new = {date(2024, 1, 4): 1, date(2024, 1, 20): SMALL_ROWS}
    parts = plan_parts(files, spans, new, part_rows=SMALL_ROWS)
    assert [(part.first.day, part.last.day) for part in parts] == [(1, 6), (7, 19), (20, 31)]
    assert [[file.path for file in part.files] for part in parts] == [
        ["a", "b", "c"],
        ["d"],
        [],
    ]


def test_small_files_of_a_month_are_joined_in_the_order_of_time() -> None:
    small = [
        make_file(name, date(year, month, 1), date(year, month, 2), rows=SMALL_ROWS - 1)
        for name, year, month in (
            ("a", 2024, 2),
            ("b", 2023, 12),
            ("c", 2024, 2),
            ("d", 2023, 12),
            ("alone", 2024, 1),
        )
    ]
    large = make_file("large", date(2024, 1, 3), date(2024, 1, 4))
    assert plan_compaction([*small, large]) == [
        Part("2023", "12", date(2023, 12, 1), date(2023, 12, 31), (small[1], small[3]), ()),
        Part("2024", "02", date(2024, 2, 1), date(2024, 2, 29), (small[0], small[2]), ()),
    ]
