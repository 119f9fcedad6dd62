"""Cuts a block of CSV bytes into records, strictly: nothing is padded, dropped or repaired.

Lines without a quote are the rule and are cut by counting bytes, all at once; records with one
are cut one by one (`quotes`).
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.errors import BadFileError
from pipeline.read.faults import Positions, count_fault, find_line_faults, show_bytes
from pipeline.read.quotes import QuotedRecord, cut_quoted, judge_quoted
from pipeline.schema import Fault

MAX_OPEN_BYTES = 1 << 26

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
    """

    cells: pl.DataFrame
    lines: Positions
    spans: Positions
    bad: list[BadRecord]
    blank: int
    consumed: int
    line_count: int
    data: bytes

    def show(self, row: int) -> str:
        """The text of a row of `cells` as it was delivered."""
        start, end = self.spans[row]
        return show_bytes(self.data[start:end])


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
    starts, ends = _find_lines(data)
    quoted, open_line = cut_quoted(data, starts, ends, delimiter)
    if open_line is not None:
        if final or len(data) - starts[open_line] > MAX_OPEN_BYTES:
            line = first_line + open_line
            raise BadFileError("unclosed_quote", f"a quote on line {line} is never closed")
        starts, ends = starts[:open_line], ends[:open_line]
    consumed = min(int(ends[-1]) + 1, len(data)) if len(ends) else 0
    faults = find_line_faults(data[:consumed], starts, ends)
    single = np.ones(len(starts), bool)
    for record in quoted:
        single[record.first : record.last + 1] = False
    blank = single & (starts == ends)
    cut_off = final and not data.endswith(b"\n")
    _add_count_faults(faults, data[:consumed], starts, ends, single & ~blank, width, delimiter, cut_off)

    plain = single & ~blank
    plain[list(faults)] = False
    bad = [
        BadRecord(first_line + index, fault, show_bytes(data[starts[index] : ends[index]]))
        for index, fault in faults.items()
        if single[index]
    ]
    good: list[QuotedRecord] = []
    for record in quoted:
        span = data[starts[record.first] : ends[record.last]]
        fault = judge_quoted(record, size=len(span), faults=faults, width=width)
        if fault is None:
            good.append(record)
        else:
            bad.append(BadRecord(first_line + record.first, fault, show_bytes(span)))
    firsts, lasts, order = _order_rows(np.flatnonzero(plain), good)
    cells = _read_plain(_keep_lines(data, starts, ends, plain), width, delimiter)
    return Records(
        cells=_strip_blanks(_append_quoted(cells, good, order), data[:consumed], delimiter),
        lines=firsts + first_line,
        spans=np.column_stack((starts[firsts], ends[lasts])),
        bad=sorted(bad),
        blank=int(blank.sum()),
        consumed=consumed,
        line_count=len(starts),
        data=data,
    )


def _find_lines(data: bytes) -> tuple[Positions, Positions]:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LF)
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    return starts, ends


def _add_count_faults(
    faults: dict[int, Fault],
    data: bytes,
    starts: Positions,
    ends: Positions,
    wanted: npt.NDArray[np.bool_],
    width: int,
    delimiter: str,
    cut_off: bool,
) -> None:
    marks = np.flatnonzero(np.frombuffer(data, np.uint8) == ord(delimiter))
    counts = np.searchsorted(marks, ends) - np.searchsorted(marks, starts) + 1
    for index in np.flatnonzero(wanted & (counts != width)).tolist():
        truncated = cut_off and index == len(starts) - 1
        faults.setdefault(index, count_fault(int(counts[index]), width, truncated=truncated))


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


def _keep_lines(
    data: bytes, starts: Positions, ends: Positions, wanted: npt.NDArray[np.bool_]
) -> bytes:
    """The wanted lines, in as few pieces as there are gaps."""
    if wanted.all():
        return data[: ends[-1]] if len(ends) else b""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return b"\n".join(data[starts[first] : ends[last - 1]] for first, last in runs)


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
    kinds = np.zeros(256, np.uint8)
    kinds[[ord(" "), ord("\t")]] = 1
    kinds[[_LF, ord('"'), ord(delimiter)]] = 2
    marks = kinds[np.frombuffer(b"\n" + data + b"\n", np.uint8)]
    return bool(((marks[1:] | marks[:-1]) == 3).any())  # a blank and a mark side by side
