"""Checks files that adlake wrote once and never changes: there, whole, and of the same bytes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.care.finding import Finding
from pipeline.engine import map_threads
from pipeline.errors import MissingError
from pipeline.lake import Lake
from pipeline.storage import Entry

_HASH = re.compile(r"-([0-9a-f]{32})\.parquet")


@dataclass(frozen=True, slots=True)
class Expected:
    """A file that has to be there.

    Attributes:
        path: Key below the lake's root. A name of ours ends with the beginning of its sha256.
        size: Bytes; None where nothing says it.
        sha256: Of its bytes, hexadecimal; None where only its name says it.
    """

    path: str
    size: int | None = None
    sha256: str | None = None


def check_files(
    lake: Lake, expected: Sequence[Expected], present: Mapping[str, Entry], *, workers: int
) -> list[Finding]:
    """Reads all bytes of files that have to be there.

    Args:
        lake: The lake.
        expected: The files.
        present: What a listing found, by path.
        workers: How many are read at once.
    """

    def check(file: Expected) -> Finding | None:
        entry = present.get(file.path)
        if entry is None:
            return Finding(file.path, "it is missing")
        if file.size is not None and entry.size != file.size:
            return Finding(file.path, f"it has {entry.size:,} bytes; {file.size:,} were written")
        try:
            detail = _check_bytes(lake, file)
        except MissingError:
            detail = "it is missing"
        return Finding(file.path, detail) if detail else None

    return [found for found in map_threads(check, expected, workers=workers) if found]


def _check_bytes(lake: Lake, file: Expected) -> str | None:
    """What is wrong with a file's bytes; None where nothing is."""
    named = _HASH.search(file.path)
    wanted = file.sha256 or (named[1] if named else None)
    if wanted is None:
        return find_damage(lake, file.path)  # not of our writer: its own checksums have to do
    if lake.storage.digest(file.path).startswith(wanted):
        return None
    return "its bytes are not those that were written: their hash is another"


def find_damage(lake: Lake, path: str) -> str | None:
    """What a Parquet file's own checksums say; None where they are right, or there are none."""
    try:
        pq.ParquetFile(lake.storage.fetch(path), page_checksum_verification=True).read()
    except (pa.ArrowException, OSError) as error:
        return f"it cannot be read: {error}"
    return None
