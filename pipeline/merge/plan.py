"""Which files of the master are rewritten, and how the new ones are cut. Pure."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from pipeline.delta.log import DataFile

FILE_ROWS = 8_000_000
"""A file of the master is cut at the date border at which it reaches this many rows."""

SMALL_ROWS = FILE_ROWS // 4
"""A file below this is joined with its neighbours when one of them is rewritten."""

NO_ROWS: Final[Mapping[date, int]] = MappingProxyType({})


class Span(NamedTuple):
    """Dates that one incoming file touches, both included."""

    file_no: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Part:
    """One partition of the master, or some dates of a large one, and what is done to it.

    Attributes:
        year: Of the partition, as in its path.
        month: Of the partition, as in its path.
        first: First date of the month, or of those dates.
        last: Last date of them.
        files: The files that are rewritten.
        file_nos: The incoming files that touch it.
    """

    year: str
    month: str
    first: date
    last: date
    files: tuple[DataFile, ...]
    file_nos: tuple[int, ...]


def plan_parts(
    files: Iterable[DataFile],
    spans: Iterable[Span],
    day_rows: Mapping[date, int] = NO_ROWS,
    *,
    part_rows: int = FILE_ROWS,
) -> list[Part]:
    """Plans the parts of a merge, in the order of time.

    A month with more rows is cut at dates that no file of it spans, so that several can work on
    it. Where it is cut depends on rows and files alone, so the master has the same files whoever
    works on how many parts at once.

    Args:
        files: The master's files.
        spans: What the incoming files touch, whether with rows or by taking rows away.
        day_rows: Incoming rows of each date.
        part_rows: Aim for the most rows of a part, old and new.
    """
    by_month: dict[date, list[DataFile]] = defaultdict(list)
    for file in files:
        by_month[date(int(file.partition["year"]), int(file.partition["month"]), 1)].append(file)
    touching: dict[date, list[Span]] = defaultdict(list)
    for span in spans:
        for month in _list_months(span.first, span.last):
            touching[month].append(span)
    incoming: dict[date, dict[date, int]] = defaultdict(dict)
    for day, rows in day_rows.items():
        incoming[day.replace(day=1)][day] = rows
    return [
        piece
        for month in sorted(touching)
        for piece in _split_part(
            _make_part(
                month,
                _choose_files(by_month[month], touching[month]),
                sorted({span.file_no for span in touching[month]}),
            ),
            touching[month],
            incoming[month],
            part_rows,
        )
    ]


def plan_compaction(files: Iterable[DataFile]) -> list[Part]:
    """Plans which files are joined, so that no month has two small ones, in the order of time."""
    small: dict[tuple[str, str], list[DataFile]] = defaultdict(list)
    for file in files:
        if file.rows < SMALL_ROWS:
            small[file.partition["year"], file.partition["month"]].append(file)
    return [
        _make_part(date(int(year), int(month), 1), small[year, month], ())
        for year, month in sorted(small)
        if len(small[year, month]) > 1
    ]


def cut_dates(
    day_rows: Mapping[date, int], first: date, last: date, *, rows: int
) -> list[tuple[date, date]]:
    """Cuts a span of dates so that the rows of each piece fit into memory.

    Args:
        day_rows: Rows of the dates that have any.
        first: First date of the span.
        last: Last date of it, included.
        rows: A piece holds at most so many, unless one date alone has more.

    Returns:
        First and last date of each piece; together they are the span.
    """
    pieces: list[tuple[date, date]] = []
    start, held = first, 0
    for day in sorted(day_rows):
        if held and held + day_rows[day] > rows:
            pieces.append((start, day - timedelta(days=1)))
            start, held = day, 0
        held += day_rows[day]
    return [*pieces, (start, last)]


def cut_files(day_rows: Sequence[int], *, held: int = 0, file_rows: int = FILE_ROWS) -> list[slice]:
    """Cuts sorted rows into files at date borders.

    Args:
        day_rows: Rows of each date, in order.
        held: Rows that the first file has already.
        file_rows: A file that has reached this many ends with its date.

    Returns:
        The rows of each file.
    """
    cuts: list[slice] = []
    start = stop = 0
    for rows in day_rows:
        stop += rows
        if held + stop - start >= file_rows:
            cuts.append(slice(start, stop))
            start, held = stop, 0
    if stop > start:
        cuts.append(slice(start, stop))
    return cuts


def _make_part(month: date, files: Iterable[DataFile], file_nos: Iterable[int]) -> Part:
    return Part(
        year=f"{month.year:04d}",
        month=f"{month.month:02d}",
        first=month,
        last=_end_month(month),
        files=tuple(files),
        file_nos=tuple(file_nos),
    )


def _split_part(
    part: Part, spans: Sequence[Span], incoming: Mapping[date, int], part_rows: int
) -> list[Part]:
    """Cuts a month that has too many rows for one worker, where its files allow it."""
    if sum(incoming.values()) + sum(file.rows for file in part.files) <= part_rows:
        return [part]
    cuts = cut_dates(_weigh(part, incoming), part.first, part.last, rows=part_rows)
    starts = [first for first, _ in cuts]
    files: list[list[DataFile]] = [[] for _ in cuts]
    for file in part.files:  # no cut goes through a file
        files[bisect_right(starts, file.first_date or part.first) - 1].append(file)
    pieces = [
        replace(
            part,
            first=first,
            last=last,
            files=tuple(held),
            file_nos=tuple(
                sorted({one.file_no for one in spans if one.first <= last and first <= one.last})
            ),
        )
        for (first, last), held in zip(cuts, files, strict=True)
    ]
    return [piece for piece in pieces if piece.file_nos]


def _weigh(part: Part, incoming: Mapping[date, int]) -> dict[date, int]:
    """The rows, old and new, of dates that must not be parted, by the first of them."""
    weights: Counter[date] = Counter()
    firsts: dict[date, date] = {}
    start, end = part.first, None
    for file in sorted(part.files, key=lambda file: file.first_date or part.first):
        first, last = file.first_date or part.first, file.last_date or part.last
        start = first if end is None or first > end else start
        end = last if end is None else max(end, last)
        weights[start] += file.rows
        firsts |= {first + timedelta(days=day): start for day in range((last - first).days + 1)}
    for day, rows in incoming.items():
        weights[firsts.get(day, day)] += rows
    return dict(weights)


def _choose_files(files: Sequence[DataFile], spans: Sequence[Span]) -> list[DataFile]:
    """The files that hold a touched date, and small ones beside them."""
    joined = _join_spans(spans)
    chosen = [
        file
        for file in files
        if file.rows < SMALL_ROWS or any(_overlap(file, span) for span in joined)
    ]
    return sorted(chosen, key=lambda file: file.path)


def _join_spans(spans: Sequence[Span]) -> list[Span]:
    """The same dates in as few spans as may be, whosesoever they are."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.first):
        if joined and span.first <= joined[-1].last + timedelta(days=1):
            joined[-1] = joined[-1]._replace(last=max(span.last, joined[-1].last))
        else:
            joined.append(span)
    return joined


def _overlap(file: DataFile, span: Span) -> bool:
    if file.first_date is None or file.last_date is None:
        return True
    return file.first_date <= span.last and span.first <= file.last_date


def _list_months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _end_month(month) + timedelta(days=1)


def _end_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
