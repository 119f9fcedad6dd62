"""Writes frames into files of a workspace."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple, Self

import polars as pl
import pyarrow.parquet as pq

from pipeline.engine import map_ahead
from pipeline.export.seed_csv import write_header, write_lines
from pipeline.schema import AD_DAY

MASTER_CSV: Final = "marketing_master_dataset.csv"
MASTER_PARQUET: Final = "marketing_master_dataset.parquet"
ROW_GROUP_ROWS: Final = 131_072


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A finished file.

    Attributes:
        name: Without a folder.
        rows: Rows in it, less the header.
        size: Bytes.
        sha256: Of its bytes, in hex.
    """

    name: str
    rows: int
    size: int
    sha256: str


class _Lines(NamedTuple):
    """A piece as it is written.

    Attributes:
        lot: As in `Piece`.
        rows: How many.
        content: Their lines.
    """

    lot: int
    rows: int
    content: bytes


class Piece(NamedTuple):
    """Rows that stand together in one lot.

    Attributes:
        lot: Number of the lot, from 1.
        rows: At least one.
    """

    lot: int
    rows: pl.DataFrame


def name_lot(number: int) -> str:
    """The name of a lot, numbered from 1."""
    return f"marketing_data_{number}.csv"


def cut_frames(frames: Iterable[pl.DataFrame], lot_rows: int | None) -> Iterator[Piece]:
    """Cuts frames at the borders of lots; with None all is one lot."""
    passed = 0
    for frame in frames:
        start = 0
        while start < frame.height:
            lot, inside = divmod(passed, lot_rows) if lot_rows else (0, 0)
            room = lot_rows - inside if lot_rows else frame.height
            rows = frame.slice(start, room)
            yield Piece(lot + 1, rows)
            start += rows.height
            passed += rows.height


def write_csv_files(
    frames: Iterable[pl.DataFrame], workspace: Path, *, master: bool, lot_rows: int | None
) -> list[ExportedFile]:
    """Writes the master CSV, lots, or both; each row is formatted once.

    Args:
        frames: What `seed_csv.spell_cells` gives, in the export's order.
        workspace: An empty folder.
        master: Whether to write the master CSV, which is there even without rows.
        lot_rows: Rows a lot, or None for no lots.

    Returns:
        The files: the master first, then the lots by number.
    """
    lots: list[ExportedFile] = []
    # Rows are read and sorted, made lines, and written, each while the others go on.
    lines = map_ahead(_make_lines, cut_frames(frames, lot_rows), ahead=1)
    with contextlib.closing(lines), contextlib.ExitStack() as masters:
        sinks = [masters.enter_context(_CsvFile(workspace / MASTER_CSV))] if master else []
        for lot, members in groupby(lines, key=lambda piece: piece.lot):
            with contextlib.ExitStack() as stack:
                own = [stack.enter_context(_CsvFile(workspace / name_lot(lot)))] if lot_rows else []
                for piece in members:
                    for sink in (*sinks, *own):
                        sink.write(piece.content, rows=piece.rows)
            lots += [file.describe() for file in own]
    return [*(file.describe() for file in sinks), *lots]


def write_parquet_file(frames: Iterable[pl.DataFrame], workspace: Path) -> list[ExportedFile]:
    """Writes one Parquet file of canonical rows, in row groups of a fixed size.

    Args:
        frames: The columns of `schema.AD_DAY`, in the export's order.
        workspace: An empty folder.
    """
    path = workspace / MASTER_PARQUET
    rows = 0
    with pq.ParquetWriter(
        path, AD_DAY, compression="zstd", store_decimal_as_integer=True, write_page_checksum=True
    ) as writer:
        # Lots of the size of a row group: so the file does not depend on how it was read.
        pieces = cut_frames(frames, ROW_GROUP_ROWS)
        for _, members in groupby(pieces, key=lambda piece: piece.lot):
            group = pl.concat([piece.rows for piece in members], rechunk=True)
            writer.write_table(group.to_arrow().cast(AD_DAY), row_group_size=ROW_GROUP_ROWS)
            rows += group.height
    return [_describe(path, rows)]


class _CsvFile:
    """A CSV file that is being written; its hash grows with it, so that nobody reads it again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._rows = self._size = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("xb")
        self.write(write_header(), rows=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, lines: bytes, *, rows: int) -> None:
        self._file.write(lines)
        self._digest.update(lines)
        self._rows += rows
        self._size += len(lines)

    def describe(self) -> ExportedFile:
        return ExportedFile(self._path.name, self._rows, self._size, self._digest.hexdigest())


def _make_lines(piece: Piece) -> _Lines:
    return _Lines(piece.lot, piece.rows.height, write_lines(piece.rows))


def _describe(path: Path, rows: int) -> ExportedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedFile(name=path.name, rows=rows, size=path.stat().st_size, sha256=digest)
