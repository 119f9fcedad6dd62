"""Cuts a version into parts that are sorted and written one after the other.

The master's files are cut at date borders, so parts in the order of time make the export's order,
and memory depends on the size of a part and not of the lake.
"""

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from pipeline.delta.log import DataFile

MAX_PART_ROWS: Final = 250_000
"""Aim for the rows of a part; a single day is never cut."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of some days, from all files that may hold one of them.

    Attributes:
        files: Sorted by path.
        start: First day, or None where the files hold none before this part.
        end: Last day, or None where the files hold none after this part.
    """

    files: tuple[DataFile, ...]
    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class _Group:
    """Files whose days overlap, and the days, both included."""

    files: tuple[DataFile, ...]
    first: date
    last: date

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def plan_parts(
    files: Iterable[DataFile],
    *,
    start: date | None = None,
    end: date | None = None,
    max_rows: int = MAX_PART_ROWS,
) -> list[Part]:
    """Cuts files into parts of disjoint days in the order of time.

    Args:
        files: The master's files.
        start: First day wanted; all where it is None.
        end: Last day wanted, included; all where it is None.
        max_rows: Aim for the rows of a part, at least 1.

    Returns:
        Parts that together hold each wanted row once.
    """
    return [
        part
        for group in _group_by_days(files)
        if (end is None or group.first <= end) and (start is None or group.last >= start)
        for part in _cut_group(group, start=start, end=end, max_rows=max_rows)
    ]


def _group_by_days(files: Iterable[DataFile]) -> list[_Group]:
    groups: list[_Group] = []
    for first, last, file in sorted(
        ((*_find_days(file), file) for file in files), key=lambda item: (item[0], item[2].path)
    ):
        if groups and first <= groups[-1].last:
            before = groups.pop()
            members = tuple(sorted((*before.files, file), key=lambda member: member.path))
            groups.append(_Group(members, before.first, max(before.last, last)))
        else:
            groups.append(_Group((file,), first, last))
    return groups


def _find_days(file: DataFile) -> tuple[date, date]:
    if file.first_date is not None and file.last_date is not None:
        return file.first_date, file.last_date
    year, month = int(file.partition["year"]), int(file.partition["month"])
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _cut_group(
    group: _Group, *, start: date | None, end: date | None, max_rows: int
) -> Iterator[Part]:
    # Outer borders stay open where all is wanted: no row is lost even if a file's dates were wrong.
    firsts = _list_first_days(group, max_rows)
    borders: Sequence[date | None] = [None, *firsts[1:], None]
    for lower, upper in pairwise(borders):
        last = upper - timedelta(days=1) if upper else None
        if (end and lower and lower > end) or (start and last and last < start):
            continue
        yield Part(
            files=group.files,
            start=max(filter(None, (lower, start)), default=None),
            end=min(filter(None, (last, end)), default=None),
        )


def _list_first_days(group: _Group, max_rows: int) -> list[date]:
    days = (group.last - group.first).days + 1
    step = max(1, days * max_rows // max(group.rows, 1))
    return [group.first + timedelta(days=offset) for offset in range(0, days, step)]
