"""Whether every line of a taken text file was accounted for, told from the file's own bytes.

The lines are counted and joined to records here once more and in another way: a well-formed record
ends with the first line up to which its quotes are even in number, and what is said of a rejected
one has to be the very text that stands in the file.
"""

import base64
import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pipeline.read.layout import Layout
from pipeline.steps.ingest import Ingested

YEAR = b"2024"
"""Of all days in the samples, however they are written."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Account(NamedTuple):
    """What was said of the lines of a file, by their numbers from 1 on.

    Attributes:
        accepted: How often each was said to be of an accepted row.
        rejected: Likewise of a rejected one.
        blank: Empty ones below the header that no row spans.
        control: Records below the header of which nothing was said, by their first line.
    """

    accepted: Counter[int]
    rejected: Counter[int]
    blank: Sequence[int]
    control: Mapping[int, bytes]


def read_lines(path: Path) -> list[bytes]:
    """The physical lines of a text file without their ends; those of UTF-16 as UTF-8."""
    data = path.read_bytes()
    if data.startswith(_UTF16):
        data = data.decode("utf-16").encode()
    lines = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n")
    return lines if lines[-1] else lines[:-1]


def account_for(lines: Sequence[bytes], result: Ingested, *, header: int) -> Account:
    """Finds what was said of each line.

    Args:
        lines: Of the file, as delivered.
        result: What was said of its rows.
        header: The number of the header's line.
    """
    accepted = Counter(number for first in list_accepted(result) for number in _span(lines, first))
    rejected: Counter[int] = Counter()
    for first, raw in list_rejects(result):
        numbers = range(first, first + raw.count(b"\n") + 1)
        _check_text(raw, lines[first - 1 : first - 1 + len(numbers)])
        rejected.update(numbers)
    below = range(header + 1, len(lines) + 1)
    said = accepted + rejected
    unsaid = [number for number in below if number not in said]
    blank = [number for number in unsaid if not lines[number - 1]]
    control: dict[int, bytes] = {}
    end = 0
    for number in unsaid:
        if number > end and number not in blank:
            span = _span(lines, number)
            end = span[-1]
            control[number] = b"\n".join(lines[number - 1 : end])
    return Account(accepted, rejected, blank, control)


def list_accepted(result: Ingested) -> list[int]:
    """Where the accepted rows begin."""
    return [line for path in result.spooled for line in pl.read_ipc(path)["line"].to_list()]


def list_rejects(result: Ingested) -> Iterator[tuple[int, bytes]]:
    """Where the rejected rows begin, and their bytes."""
    for path in result.rejects:
        for line, raw in pl.read_ipc(path).select("line", "raw").iter_rows():
            mark, _, coded = raw.partition(":")
            yield line, base64.b64decode(coded) if mark == "base64" else raw.encode()


def check_lines(path: Path, result: Ingested, layout: Layout) -> Account:
    """Checks that every line of a taken file is one of a row, or none for a reason that holds."""
    lines = read_lines(path)
    account = account_for(lines, result, header=layout.header_line)
    said = account.accepted + account.rejected
    assert max(said.values(), default=1) == 1, "a line is in two rows"
    assert all(layout.header_line < number <= len(lines) for number in said)
    counted = layout.header_line - 1 + len(account.blank) + len(account.control)
    assert counted == result.control
    mark = layout.dialect.delimiter
    width = len(_cut(lines[layout.header_line - 1], mark))
    for line in lines[: layout.header_line - 1]:  # one without a day may be a header, damaged
        assert len(_cut(line, mark)) < width or YEAR not in line, "a row above the header"
    for number, record in account.control.items():
        assert _is_footer(record, layout) or _is_totals(record, layout), record
        if layout.contract.totals and layout.contract.totals.position == "first":
            assert not any(layout.header_line < one < number for one in said)
        else:
            assert number > max(account.accepted, default=0)
    return account


def _span(lines: Sequence[bytes], first: int) -> range:
    """The lines of the record that begins on one."""
    quotes = 0
    for number in range(first, len(lines) + 1):
        quotes += lines[number - 1].count(b'"')
        if quotes % 2 == 0:
            return range(first, number + 1)
    raise AssertionError(f"the record on line {first} has no end")


def _check_text(raw: bytes, lines: Iterable[bytes]) -> None:
    text = b"\n".join(lines)
    if raw != text:  # a file in Windows-1252 is told of as UTF-8
        assert raw.decode() == text.decode("windows-1252")


def _cut(record: bytes, delimiter: str) -> list[str]:
    text = record.decode(errors="replace").replace("\r", " ")  # else csv takes it for a line end
    return next(csv.reader([text], delimiter=delimiter), [])


def _is_footer(record: bytes, layout: Layout) -> bool:
    text = record.decode(errors="replace").lstrip('"')
    return any(text.startswith(mark) for mark in layout.contract.footer)


def _is_totals(record: bytes, layout: Layout) -> bool:
    """Whether the columns that a sum lacks are missing, and a label is there where one must be.

    It must be where a row may lack these columns and still be of a campaign.
    """
    totals = layout.contract.totals
    if totals is None:
        return False
    cells = [cell.strip().lower() for cell in _cut(record, layout.dialect.delimiter)]
    places = [layout.positions[name][0] for name in totals.empty if name in layout.positions]
    missing = {"", *layout.dialect.null_words}
    labels = tuple(label.lower() for label in totals.labels)
    campaign = {"campaign_id", "campaign_name"} & layout.positions.keys()
    return all(cells[place] in missing or cells[place].startswith(labels) for place in places) and (
        campaign <= set(totals.empty) or any(cell.startswith(labels) for cell in cells)
    )
