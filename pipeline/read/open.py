"""What a delivered file is by its first bytes, whatever its name; gzip is inflated with a limit."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from pipeline.contracts.model import Format
from pipeline.errors import BadFileError

MIN_INFLATED_LIMIT: Final = 1 << 24
"""Bytes that a gzip file may inflate to, however small it is."""

MAX_INFLATION: Final = 100
"""How many times its own size a larger one may inflate to; CSV shrinks 5 to 20 times."""

_GZIP, _ZIP, _PARQUET, _TAR = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"ustar"
_PARQUET_ENDS: Final = (_PARQUET, b"PARE")
_TAR_OFFSET: Final = 257
_HEAD_BYTES: Final = 512
_BLOCK_BYTES: Final = 1 << 18
_GZIP_BITS: Final = 31


class Opened(NamedTuple):
    """A delivered file that can be read.

    Attributes:
        path: Where its plain bytes are: the file itself, or its inflated copy.
        format: `csv` for any text.
    """

    path: Path
    format: Format


def open_delivery(path: Path, scratch: Path, *, name: str | None = None) -> Opened:
    """Tells what a file is, and inflates it where it is gzip.

    Args:
        path: A local file.
        scratch: A folder for the inflated copy, which the caller removes.
        name: Its name as delivered, whose ending must agree; `path`'s own where not given.

    Raises:
        BadFileError: `archive`, `compressed` (twice), `corrupt_gzip`, `too_large`,
            `not_parquet` or `not_csv`.
    """
    ending = Path((name or path.name).lower()).suffix
    head = _read_head(path)
    if head.startswith(_GZIP):
        return _open_gzip(path, scratch / "inflated", ending)
    if head.startswith(_PARQUET):
        if ending == ".csv":
            raise BadFileError("not_csv", "Parquet data; expected CSV: name it .parquet")
        return Opened(path, "parquet")
    if _ends_as_parquet(path):  # its reader says what is wrong with the beginning
        return Opened(path, "parquet")
    if ending == ".parquet":
        raise BadFileError("not_parquet", "it does not begin with PAR1; expected a Parquet file")
    _refuse_archive(head)
    return Opened(path, "csv")


def _ends_as_parquet(path: Path) -> bool:
    """Whether a file ends in a mark of Parquet, plain or encrypted."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_PARQUET)))
        return file.read() in _PARQUET_ENDS


def _open_gzip(path: Path, target: Path, ending: str) -> Opened:
    _inflate(path, target)
    head = _read_head(target)
    if head.startswith(_PARQUET):
        raise BadFileError(
            "not_parquet", "a gzipped Parquet file; expected Parquet: unpack it, it is compressed"
        )
    if ending == ".parquet":
        raise BadFileError("not_parquet", "gzip data; expected a Parquet file")
    if head.startswith(_GZIP):
        raise BadFileError("compressed", "gzip data inside gzip data; expected CSV: unpack it once")
    _refuse_archive(head)
    return Opened(target, "csv")


def _refuse_archive(head: bytes) -> None:
    if head.startswith(_ZIP):
        raise BadFileError(
            "archive", "a zip archive or an Excel workbook; expected CSV: unpack it or save as CSV"
        )
    if head[_TAR_OFFSET:].startswith(_TAR):
        raise BadFileError("archive", "a tar archive; expected CSV: unpack it")


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _inflate(path: Path, target: Path) -> None:
    """Writes what all members of a gzip file hold, and not a byte more than one past the limit."""
    size = path.stat().st_size
    limit = max(MIN_INFLATED_LIMIT, MAX_INFLATION * size)
    written = 0
    with path.open("rb") as source, target.open("wb") as sink:
        try:
            for block in _read_members(source, limit):
                written += sink.write(block)
        except zlib.error as error:
            raise BadFileError(
                "corrupt_gzip", f"gzip data that is damaged after {written} bytes: {error}"
            ) from error
    if written > limit:
        raise BadFileError(
            "too_large",
            f"gzip data of {size} bytes that inflates to more than {limit} bytes; expected at "
            f"most {MAX_INFLATION} times its size: land it unpacked if it is right",
        )


def _read_members(source: IO[bytes], limit: int) -> Iterator[bytes]:
    """Yields what the members of a gzip file hold, at most `limit` + 1 bytes.

    Raises:
        BadFileError: The file ends inside a member, or something else follows one.
        zlib.error: A member is damaged.
    """
    left = limit + 1
    inflater = zlib.decompressobj(wbits=_GZIP_BITS)
    data = b""
    while left:
        data = data or source.read(_BLOCK_BYTES)
        if inflater.eof:
            if not data:
                return
            if not data.startswith(_GZIP[: len(data)]):
                raise BadFileError("corrupt_gzip", "gzip data that something else follows")
            inflater = zlib.decompressobj(wbits=_GZIP_BITS)
        block = inflater.decompress(data, min(left, _BLOCK_BYTES))
        if not (data or block or inflater.eof):
            raise BadFileError("corrupt_gzip", "gzip data that is cut off; get the whole file")
        data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        left -= len(block)
        yield block
