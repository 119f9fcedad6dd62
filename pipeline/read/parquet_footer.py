"""What surrounds the data of a Parquet file: magic bytes, footer, and where each chunk lies.

All of it is checked before any library is let near the file: most libraries read a file whose
parts contradict one another, and give wrong values.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from pipeline.errors import BadFileError
from pipeline.read.thrift import Struct, ThriftError, read_struct

MIN_SIZE_LIMIT: Final = 1 << 28
"""Bytes that a column chunk or a page may declare, however small the file is."""

MAX_EXPANSION: Final = 100
"""How many times the file's own size they may declare where that is more."""

_MAGIC: Final = b"PAR1"
_ENCRYPTED: Final = b"PARE"
_TAIL_BYTES: Final = 8
_UNITS: Final = {9: 1, 10: 2}  # of a timestamp: milliseconds, microseconds
_SMALLEST: Final = len(_MAGIC) + 1 + _TAIL_BYTES


class Chunk(NamedTuple):
    """One column's bytes in a row group.

    Attributes:
        path: The column's name, below those of the columns that it is nested in.
        start: Where its first page begins.
        size: Bytes of all its pages with their headers.
        values: How many values it says it has, nulls included.
        stored: What it says its pages hold when decompressed, in bytes.
        plain: Whether they are not compressed.
    """

    path: tuple[str, ...]
    start: int
    size: int
    values: int
    stored: int
    plain: bool


class RowGroup(NamedTuple):
    """A row group: its rows, and its columns' chunks in the schema's order."""

    rows: int
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class Footer:
    """What a Parquet file says of itself.

    Attributes:
        rows: Rows of all row groups.
        groups: The row groups.
        limit: Bytes that a chunk or a page may declare.
    """

    rows: int
    groups: Sequence[RowGroup]
    limit: int


def read_footer(path: Path) -> Footer:
    """Reads and checks what surrounds the data.

    Args:
        path: A local file.

    Raises:
        BadFileError: `corrupt_header`, `truncated_parquet`, `corrupt_footer`, `encrypted`,
            `trailing_or_leading_data` or `too_large`.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = _find_footer(file, size)
        file.seek(start)
        data = file.read(size - _TAIL_BYTES - start)
    limit = max(MIN_SIZE_LIMIT, MAX_EXPANSION * size)
    try:
        fields, end = read_struct(data)
        _refuse_encrypted(fields)
        _check_schema(fields[2])
        groups = [_read_group(group) for group in fields[4]]
        rows = _take_count(fields[3])
        ends = list(_list_ends(fields[4]))
    except (ThriftError, LookupError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise BadFileError(
            "corrupt_footer", f"its footer is damaged ({error}); get the file again"
        ) from error
    if end != len(data) or sum(group.rows for group in groups) != rows:
        raise BadFileError(
            "corrupt_footer", "its footer contradicts itself in its length or rows; get it again"
        )
    chunks = [chunk for group in groups for chunk in group.chunks]
    _check_sizes(chunks, limit)
    _check_places(chunks, start)
    _check_border(chunks, ends, start)
    return Footer(rows, groups, limit)


def _find_footer(file: IO[bytes], size: int) -> int:
    """Where the footer begins."""
    file.seek(0)
    head = file.read(len(_MAGIC))
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read()
    if head == _ENCRYPTED and tail.endswith(_ENCRYPTED):
        raise BadFileError("encrypted", "its footer is encrypted; expected a plain Parquet file")
    if head != _MAGIC:
        raise BadFileError("corrupt_header", f"it begins with {head!r}; expected {_MAGIC!r}")
    if size < _SMALLEST or not tail.endswith(_MAGIC):
        raise BadFileError(
            "truncated_parquet", "it does not end as Parquet does, with PAR1; get the whole file"
        )
    length = int.from_bytes(tail[:4], "little")
    if not 0 < length <= size - _TAIL_BYTES - len(_MAGIC):
        raise BadFileError(
            "corrupt_footer",
            f"it says that its footer has {length} bytes, in a file of {size}; get it again",
        )
    return size - _TAIL_BYTES - length


def _check_schema(elements: Sequence[Struct]) -> None:
    """A type is told in an old and a new way: where one is damaged, they differ."""
    for element in elements:
        logical = element.get(10) or {}
        if decimal := logical.get(5):
            told = {7: decimal[1], 8: decimal[2]}
            if any(element.get(field, value) != value for field, value in told.items()):
                raise ThriftError("it tells two scales of a decimal")
        converted = element.get(6)
        if converted in _UNITS and (time := logical.get(8)) and _UNITS[converted] not in time[2]:
            raise ThriftError("it tells two units of a time")


def _refuse_encrypted(fields: Struct) -> None:
    marks = [fields.get(8), *(chunk.get(8) for group in fields[4] for chunk in group[1])]
    if any(isinstance(mark, dict) for mark in marks):
        raise BadFileError("encrypted", "columns are encrypted; expected a plain Parquet file")


def _read_group(fields: Struct) -> RowGroup:
    return RowGroup(_take_count(fields[3]), [_read_chunk(chunk) for chunk in fields[1]])


def _read_chunk(fields: Struct) -> Chunk:
    if fields.get(1):
        raise ThriftError("a column's data lies in another file")
    meta: Struct = fields[3]
    # A dictionary lies before the data; some writers say 0 where there is none.
    start = min(place for place in (meta[9], meta.get(11) or meta[9]) if place is not None)
    return Chunk(
        path=tuple(name.decode() for name in meta[3]),
        start=_take_count(start),
        size=_take_count(meta[7]),
        values=_take_count(meta[5]),
        stored=_take_count(meta[6]),
        plain=meta[4] == 0,
    )


def _take_count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ThriftError(f"{value!r} stands where a count or size must be")
    return value


def _list_ends(groups: Sequence[Struct]) -> Iterator[int | None]:
    """Where each index and Bloom filter ends; None where the footer does not tell."""
    for group in groups:
        for chunk in group[1]:
            meta = chunk[3]
            for fields, place, length in ((chunk, 4, 5), (chunk, 6, 7), (meta, 14, 15)):
                if fields.get(place) is not None:
                    known = fields.get(length)
                    yield None if known is None else fields[place] + known


def _check_sizes(chunks: Sequence[Chunk], limit: int) -> None:
    for chunk in chunks:
        if chunk.stored > limit:
            raise BadFileError(
                "too_large",
                f"column {'.'.join(chunk.path)!r} says that it holds {chunk.stored} bytes in one "
                f"row group; expected at most {limit}: write smaller row groups",
            )


def _check_places(chunks: Sequence[Chunk], footer: int) -> None:
    for chunk in chunks:
        outside = chunk.start < len(_MAGIC) or chunk.start + chunk.size > footer
        if outside and chunk.values:
            raise BadFileError(
                "corrupt_footer",
                f"column {'.'.join(chunk.path)!r} is said to lie outside of the file's data; "
                "get the file again",
            )


def _check_border(chunks: Sequence[Chunk], ends: Sequence[int | None], footer: int) -> None:
    """Data begins right after the magic and goes on to the footer; else another file is there."""
    filled = [chunk for chunk in chunks if chunk.values]
    first = min((chunk.start for chunk in filled), default=len(_MAGIC))
    last = max((chunk.start + chunk.size for chunk in filled), default=len(_MAGIC))
    last = max([last, *(end for end in ends if end is not None)])
    # A chunk without values may have pages, of which only the size is told.
    empty = sum(chunk.size for chunk in chunks if not chunk.values)
    if first == len(_MAGIC) and (last <= footer <= last + empty or None in ends):
        return
    raise BadFileError(
        "trailing_or_leading_data",
        f"its footer speaks of the bytes from {first} to {last} of {len(_MAGIC)} to {footer}; "
        "expected all of them: perhaps two files were glued together",
    )
