"""Records that hold quotes, by the exact grammar of RFC 4180."""

import re
from typing import NamedTuple

import numpy as np

from pipeline.read.lines import MAX_LINE_BYTES, MAX_OPEN_BYTES, Lines, count_fault, length_fault
from pipeline.schema import Fault

MAX_CELL_LINES = 100
"""Lines that a quoted cell may span: one of more is two stray quotes with rows between them."""

_LF, _QUOTE = 10, 34


class QuotedRecord(NamedTuple):
    """A record with a quote in it.

    Attributes:
        first: Index of the line it begins on.
        last: Index of the line it ends on.
        cells: Its cells, or None where a quote stands in a wrong place.
    """

    first: int
    last: int
    cells: list[str] | None


def cut_quoted(
    lines: Lines, delimiter: str, *, final: bool
) -> tuple[list[QuotedRecord], int | None]:
    """Cuts the records that hold quotes, in order.

    Args:
        lines: Of the data.
        delimiter: One ASCII character.
        final: Whether no more data follows.

    Returns:
        The records, and the index of the line whose quote the data does not close, if there is
        one; nothing after that line is cut.
    """
    grammar = _Grammar(delimiter)
    records: list[QuotedRecord] = []
    done = -1
    for first in lines.find(np.frombuffer(lines.data, np.uint8) == _QUOTE):
        if first <= done:
            continue
        start = int(lines.starts[first])
        waits = not final and len(lines.data) - start <= MAX_OPEN_BYTES
        cells, end = grammar.read(lines.data, start, waits=waits)
        if end is None:
            return records, first
        done = int(np.searchsorted(lines.ends, end))
        records.append(QuotedRecord(first, done, cells))
    return records, None


def judge_quoted(
    record: QuotedRecord, *, size: int, faults: dict[int, Fault], width: int
) -> Fault | None:
    """What is wrong with a record, given the faults of its lines and its size in bytes."""
    for index in range(record.first, record.last + 1):
        if index in faults:
            return faults[index]
    if size > MAX_LINE_BYTES:
        return length_fault(size)
    if record.cells is None:
        return Fault("bad_quote", "", '"', "quotes around a whole cell, doubled inside")
    if len(record.cells) != width:
        return count_fault(len(record.cells), width)
    return None


class _Grammar:
    """The grammar for one delimiter."""

    def __init__(self, delimiter: str) -> None:
        mark = re.escape(delimiter.encode())
        end = rb"(?=" + mark + rb"|\n|\Z)"
        self._quoted = re.compile(rb'"([^"]*(?:""[^"]*)*)"' + end)
        self._closed = re.compile(rb'"[^"]*(?:""[^"]*)*"(?!")')
        self._closed_early = re.compile(rb'"[^"]*"')
        self._plain = re.compile(rb'[^"\n' + mark + rb"]*" + end)

    def read(self, data: bytes, start: int, *, waits: bool) -> tuple[list[str] | None, int | None]:
        """The cells from `start` on, and the offset of the record's line end.

        The cells are None where a quote stands in a wrong place or a cell spans too many lines,
        and the offset is None where a quote is not closed before the end of the data.

        Args:
            data: Whole lines.
            start: Where a line begins.
            waits: Whether more data may close a quote. Where none comes, a doubled quote is taken
                for one in a wrong place, so that it costs a row and not the file.
        """
        closed = self._closed if waits else self._closed_early
        cells: list[str] = []
        position = start
        while True:
            if match := self._quoted.match(data, position):
                cell = match.group(1).replace(b'""', b'"')
                if cell.count(b"\n") >= MAX_CELL_LINES:
                    # Only the first line is given up, so that no row between is swallowed.
                    return None, _find_line_end(data, start)
            elif match := self._plain.match(data, position):
                cell = match.group(0)
            elif data[position] == _QUOTE and closed.match(data, position) is None:
                return None, None
            else:
                return None, _find_line_end(data, position)
            cells.append(cell.decode(errors="replace"))
            position = match.end()
            if position >= len(data) or data[position] == _LF:
                return cells, position
            position += 1


def _find_line_end(data: bytes, position: int) -> int:
    end = data.find(b"\n", position)
    return len(data) if end < 0 else end
