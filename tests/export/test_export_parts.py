"""Parts: every wanted row once, in the order of time, a bounded number at once."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.delta.log import DataFile
from pipeline.export.parts import Part, plan_parts

FIRST = date(2024, 1, 1)


def make_file(first: int, last: int, rows: int, *, name: str = "f") -> DataFile:
    return DataFile(
        path=f"{name}-{first}-{last}",
        size=1,
        rows=rows,
        partition={"year": "2024", "month": "01"},
        first_date=FIRST + timedelta(days=first),
        last_date=FIRST + timedelta(days=last),
    )


def holds(part: Part, file: DataFile, day: date) -> bool:
    return (
        file in part.files
        and (part.start is None or part.start <= day)
        and (part.end is None or day <= part.end)
    )


spans = st.tuples(st.integers(0, 40), st.integers(0, 12), st.integers(1, 100))


@given(
    spans=st.lists(spans, max_size=8),
    start=st.none() | st.integers(0, 50),
    length=st.none() | st.integers(0, 30),
    max_rows=st.integers(1, 200),
)
def test_each_wanted_day_of_each_file_is_in_one_part_and_parts_follow_in_time(
    spans: list[tuple[int, int, int]], start: int | None, length: int | None, max_rows: int
) -> None:
    files = [
        make_file(first, first + days, rows, name=str(number))
        for number, (first, days, rows) in enumerate(spans)
    ]
    begin = None if start is None else FIRST + timedelta(days=start)
    end = None if length is None else (begin or FIRST) + timedelta(days=length)

    parts = plan_parts(files, start=begin, end=end, max_rows=max_rows)

    days_of: dict[int, list[date]] = {number: [] for number in range(len(parts))}
    for file in files:
        assert file.first_date is not None
        assert file.last_date is not None
        for offset in range((file.last_date - file.first_date).days + 1):
            day = file.first_date + timedelta(days=offset)
            wanted = (begin is None or begin <= day) and (end is None or day <= end)
            found = [number for number, part in enumerate(parts) if holds(part, file, day)]
            assert len(found) == wanted
            for number in found:
                days_of[number].append(day)
    filled = [days for days in days_of.values() if days]
    assert all(max(before) < min(after) for before, after in pairwise(filled))


def test_a_large_file_is_cut_by_days_and_a_small_one_is_read_whole() -> None:
    large, small = make_file(0, 9, 1000), make_file(20, 29, 100)

    parts = plan_parts([large, small], max_rows=300)

    days = [(part.start, part.end) for part in parts]
    assert days == [
        (None, date(2024, 1, 3)),
        (date(2024, 1, 4), date(2024, 1, 6)),
        (date(2024, 1, 7), date(2024, 1, 9)),
        (date(2024, 1, 10), None),
        (None, None),
    ]


def test_a_file_of_unknown_days_stands_for_its_whole_month() -> None:
    unknown = DataFile(path="u", size=1, rows=5, partition={"year": "2024", "month": "02"})

    assert plan_parts([unknown], start=date(2024, 3, 1)) == []
    [part] = plan_parts([unknown], end=date(2024, 2, 29))
    assert part == Part(files=(unknown,), start=None, end=date(2024, 2, 29))
