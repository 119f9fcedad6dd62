"""The pages of a Parquet column, by their headers: sizes and counts, before anything is read.

A library asks for as much memory as a header says, and trusts its counts.
"""

import os
from pathlib import Path
from typing import IO, Final

from pipeline.errors import BadFileError
from pipeline.read.parquet_footer import Chunk, Footer
from pipeline.read.thrift import Struct, ThriftError, read_struct

_HEADER_BYTES: Final = 1 << 12
_LONGEST_HEADER: Final = 1 << 24  # it may hold statistics of long texts
_INDEX, _DICTIONARY = 1, 2
_COUNTED: Final = {0: 5, 2: 7, 3: 8}  # by the page's type, the field with its number of values


def check_pages(path: Path, footer: Footer, columns: frozenset[str]) -> None:
    """Checks the headers of all pages that will be read.

    Args:
        path: A local Parquet file.
        footer: Its checked footer.
        columns: Names of the columns that will be read, none of them nested.

    Raises:
        BadFileError: `corrupt_page`, or `too_large` where a page says that it holds more than
            the footer's limit.
    """
    with path.open("rb") as file:
        for number, group in enumerate(footer.groups, start=1):
            for chunk in group.chunks:
                wanted = len(chunk.path) == 1 and chunk.path[0] in columns
                if wanted and (group.rows or chunk.values):
                    _check_chunk(file, chunk, group.rows, footer.limit, number)


def _check_chunk(file: IO[bytes], chunk: Chunk, rows: int, limit: int, number: int) -> None:
    where = f"column {chunk.path[0]!r}, row group {number}"
    place, end, values = chunk.start, chunk.start + chunk.size, 0
    while place < end:
        header, size = _read_header(file, place, end, where)
        held, stored = _take_count(header, 2), _take_count(header, 3)
        count = _count_values(header)
        if held is None or stored is None or count is None:
            raise _damaged(where, "a page's header holds an impossible size or count")
        if held > limit:
            raise BadFileError(
                "too_large",
                f"{where}: a page says that it holds {held} bytes; expected at most {limit}",
            )
        if chunk.plain and held != stored:
            raise _damaged(where, "a page has two sizes, and is said not to be compressed")
        if header.get(1) != _DICTIONARY:
            values += count
        place += size + stored
    if place != end:
        raise _damaged(where, "its last page goes on after its end")
    if values != rows or chunk.values != rows:
        raise _damaged(where, f"its pages hold {values} values; expected {rows}")


def _read_header(file: IO[bytes], place: int, end: int, where: str) -> tuple[Struct, int]:
    size = _HEADER_BYTES
    while True:
        file.seek(place, os.SEEK_SET)
        data = file.read(min(size, end - place))
        try:
            return read_struct(data)
        except ThriftError as error:
            if len(data) < size or size >= _LONGEST_HEADER:
                raise _damaged(where, f"a page's header is damaged: {error}") from error
            size *= 16


def _count_values(header: Struct) -> int | None:
    """How many values a page has; None where its header contradicts itself."""
    kind = header.get(1)
    if kind == _INDEX:
        return 0
    fields = header.get(_COUNTED.get(kind, 0)) if isinstance(kind, int) else None
    return _take_count(fields, 1) if isinstance(fields, dict) else None


def _take_count(fields: Struct, number: int) -> int | None:
    value = fields.get(number)
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if fits else None


def _damaged(where: str, what: str) -> BadFileError:
    return BadFileError("corrupt_page", f"{where}: {what}; get the file again")
