"""Cuts a block of CSV bytes into records, strictly: nothing is padded, dropped or repaired.

Lines without a quote are the rule and are cut by counting bytes, all at once; records with one
are cut one by one (`quotes`).
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.errors import BadFileError
from pipeline.read.lines import (
    MAX_OPEN_BYTES,
    Lines,
    Positions,
    count_fault,
    find_line_faults,
    find_lines,
    show_bytes,
)
from pipeline.read.quotes import QuotedRecord, cut_quoted, judge_quoted
from pipeline.schema import Fault

_LF = 10


class BadRecord(NamedTuple):
    """A record that has no cells to look at, and the line where it begins."""

    line: int
    fault: Fault
    raw: str


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one block.

    Attributes:
        cells: One row a well-formed record: columns `0`, `1`, ... as text without outer blanks.
        lines: Physical line on which each row of `cells` begins.
        spans: Where its bytes begin and end in `data`; shape (rows, 2).
        bad: The records that are not well-formed, in order.
        blank: How many lines were empty.
        consumed: How many bytes of `data` were cut; the rest is an unfinished record.
        line_count: How many physical lines were consumed.
        data: The block.
        totals: Rows that sum up the others, taken out of `cells`; the same columns.
    """

    cells: pl.DataFrame
    lines: Positions
    spans: Positions
    bad: list[BadRecord]
    blank: int
    consumed: int
    line_count: int
    data: bytes
    totals: pl.DataFrame = field(default_factory=pl.DataFrame)

    def show(self, row: int) -> str:
        """The text of a row of `cells` as it was delivered."""
        start, end = self.spans[row]
        return show_bytes(self.data[start:end])

    def set_aside(self, rows: Sequence[int], bad: Sequence[BadRecord] = ()) -> "Records":
        """The records without some rows of `cells`, and with more bad ones."""
        kept = np.setdiff1d(np.arange(len(self.lines)), np.asarray(rows, np.int64))
        return replace(
            self,
            cells=self.cells[kept],
            lines=self.lines[kept],
            spans=self.spans[kept],
            bad=sorted([*self.bad, *bad]),
        )


def cut_records(
    data: bytes, *, first_line: int, width: int, delimiter: str, final: bool
) -> Records:
    """Cuts a block into records.

    Args:
        data: Bytes with LF line ends; complete lines unless `final`.
        first_line: Physical number of its first line.
        width: How many cells a record has.
        delimiter: One ASCII character.
        final: Whether the file ends here.

    Raises:
        BadFileError: A quote is never closed.
    """
    lines = find_lines(data)
    quoted, open_line = cut_quoted(lines, delimiter, final=final)
    if open_line is not None:
        if final or len(data) - lines.starts[open_line] > MAX_OPEN_BYTES:
            line = first_line + open_line
            raise BadFileError("unclosed_quote", f"a quote on line {line} is never closed")
        lines = lines.keep(open_line)
    plain = np.ones(len(lines.starts), bool)
    for record in quoted:
        plain[record.first : record.last + 1] = False
    blank = plain & (lines.starts == lines.ends)
    plain &= ~blank
    faults = find_line_faults(lines)
    cut_off = final and not data.endswith(b"\n")
    for index, fault in _find_count_faults(lines, plain, width, delimiter, cut_off).items():
        faults.setdefault(index, fault)

    bad = [
        BadRecord(first_line + index, fault, show_bytes(lines.take(index)))
        for index, fault in faults.items()
        if plain[index]
    ]
    plain[list(faults)] = False
    good: list[QuotedRecord] = []
    for record in quoted:
        span = lines.take(record.first, record.last)
        quoted_fault = judge_quoted(record, size=len(span), faults=faults, width=width)
        if quoted_fault is None:
            good.append(record)
        else:
            bad.append(BadRecord(first_line + record.first, quoted_fault, show_bytes(span)))
    firsts, lasts, order = _order_rows(np.flatnonzero(plain), good)
    cells = _read_plain(_keep_lines(lines, plain), width, delimiter)
    return Records(
        cells=_strip_blanks(_append_quoted(cells, good, order), lines.data, delimiter),
        lines=firsts + first_line,
        spans=np.column_stack((lines.starts[firsts], lines.ends[lasts])),
        bad=sorted(bad),
        blank=int(blank.sum()),
        consumed=len(lines.data),
        line_count=len(lines.starts),
        data=data,
    )


def _find_count_faults(
    lines: Lines, wanted: npt.NDArray[np.bool_], width: int, delimiter: str, cut_off: bool
) -> dict[int, Fault]:
    """The wanted lines that have not as many cells as the header."""
    counts = lines.count_byte(ord(delimiter)) + 1
    last = len(counts) - 1
    return {
        index: count_fault(int(counts[index]), width, truncated=cut_off and index == last)
        for index in np.flatnonzero(wanted & (counts != width)).tolist()
    }


def _order_rows(
    plain: Positions, quoted: Sequence[QuotedRecord]
) -> tuple[Positions, Positions, Positions | None]:
    """First and last line index of each row in the file's order, and how to get that order."""
    if not quoted:
        return plain, plain, None
    firsts = np.concatenate((plain, [record.first for record in quoted]))
    lasts = np.concatenate((plain, [record.last for record in quoted]))
    order = np.argsort(firsts, kind="stable")
    return firsts[order], lasts[order], order


def _append_quoted(
    cells: pl.DataFrame, quoted: Sequence[QuotedRecord], order: Positions | None
) -> pl.DataFrame:
    if order is None:
        return cells
    rows = [record.cells for record in quoted]
    return pl.concat([cells, pl.DataFrame(rows, schema=cells.schema, orient="row")])[order]


def _keep_lines(lines: Lines, wanted: npt.NDArray[np.bool_]) -> bytes:
    """The wanted lines, in as few pieces as there are gaps."""
    if wanted.all():
        return lines.data
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return b"\n".join(lines.take(first, last - 1) for first, last in runs)


def _read_plain(text: bytes, width: int, delimiter: str) -> pl.DataFrame:
    schema = {str(number): pl.String() for number in range(width)}
    if not text:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(
        io.BytesIO(text),
        has_header=False,
        schema=schema,
        separator=delimiter,
        quote_char=None,
        empty_string_is_null=False,
    )


def _strip_blanks(cells: pl.DataFrame, data: bytes, delimiter: str) -> pl.DataFrame:
    # Looking once for a blank beside a mark is cheaper than stripping every cell.
    if not _has_outer_blanks(data, delimiter):
        return cells
    return cells.select(pl.all().str.strip_chars(" \t"))


def _has_outer_blanks(data: bytes, delimiter: str) -> bool:
    array = np.frombuffer(data, np.uint8)
    marks = np.array([_LF, ord('"'), ord(delimiter)], np.uint8)
    for blank in b" \t":
        places = np.flatnonzero(array == blank)
        if not len(places):
            continue
        if places[0] == 0 or places[-1] == len(array) - 1:
            return True
        beside = np.concatenate((array[places - 1], array[places + 1]))
        if np.isin(beside, marks).any():
            return True
    return False
