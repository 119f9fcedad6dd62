"""Writes the files of a merge: data, rejects and the ledger. Names are never used twice."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.delta.log import DataFile
from pipeline.errors import ExistsError
from pipeline.lake import LEDGER_TABLE, MASTER_TABLE, QUARANTINE
from pipeline.merge.order import find_order
from pipeline.merge.plan import FILE_ROWS, Part, cut_files
from pipeline.row_groups import regroup
from pipeline.schema import AD_DAY, LEDGER, REJECTS, SORT_ORDER
from pipeline.storage import Storage

ROW_GROUP_ROWS = 1 << 18

# In each of these, figures among them, few values come again and again. A dictionary that grows
# too large is given up while the file is written.
_LOW_CARDINALITY = [
    "source",
    "account",
    "campaign_id",
    "campaign_name",
    "platform",
    "target_audience",
    "currency",
    "breakdown",
    "segment",
    "attribution",
    "date",
    "delivered_at",
    "delivery_id",
    "conversions",
    "video_view_time",
    "reported_ctr",
    "reported_cpc",
]

# Of these a range can rule out row groups, as files are sorted by them; no others are worth it.
_ASKED_FOR = SORT_ORDER[:6]


def sort_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows in the order of the master's files; columns of AD_DAY."""
    return rows.select(AD_DAY.names)[find_order(rows, SORT_ORDER)]


class Finished(NamedTuple):
    """A file of the master that lies in the scratch folder still."""

    data: DataFile
    local: Path


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes under `<transaction>-<run>-<i>-<hash>` names.

    Attributes:
        storage: Of the lake.
        scratch: A local folder for files that are not finished.
        transaction: The number of the commit that will name the files.
        run: Random, so that a run that was killed leaves nothing in the way of the next.
        numbers: Of the files, or of the parts that they are of; goes on over the attempts of a
            run.
    """

    storage: Storage
    scratch: Path
    transaction: int
    run: str
    numbers: Iterator[int]

    def write_part(self, part: Part, slices: Iterable[pl.DataFrame]) -> list[Finished]:
        """Writes a partition's rows, cut at date borders, into the scratch folder.

        Args:
            part: The partition.
            slices: As `sort_rows` gives them; each has all rows of its dates, which lie after those
                of the slice before and within the part's month.
        """
        pieces = _cut_pieces(slices)
        return [
            self._write_data(part, (piece.rows for piece in members))
            for _, members in groupby(pieces, key=lambda piece: piece.file)
        ]

    def place(self, file: Finished) -> DataFile:
        """Puts a file of the master in place, where no version knows it yet.

        A part that is worked on twice comes to the same bytes, and so to the same name.

        Raises:
            ExistsError: Another file has the name.
        """
        path = f"{MASTER_TABLE}/{file.data.path}"
        try:
            self.storage.adopt(path, file.local)
        except ExistsError:
            entry = self.storage.find(path)
            if entry is None or entry.size != file.data.size:
                raise
        return file.data

    def write_rejects(self, rows: pl.DataFrame) -> str:
        """Writes rejected rows (`schema.REJECTS`) and returns their key in the lake."""
        name, _ = self._write_small(QUARANTINE, _to_plain_types(rows, REJECTS))
        return f"{QUARANTINE}/{name}"

    def write_ledger(self, rows: pl.DataFrame) -> DataFile:
        """Writes ledger rows (`schema.LEDGER`) below the ledger table, which does not know yet."""
        name, size = self._write_small(LEDGER_TABLE, _to_plain_types(rows, LEDGER))
        return DataFile(path=name, size=size, rows=len(rows), partition={})

    def _write_data(self, part: Part, pieces: Iterable[pl.DataFrame]) -> Finished:
        rows = 0
        first = last = None

        def count() -> Iterator[pa.Table]:
            nonlocal rows, first, last
            for piece in pieces:
                rows += len(piece)
                first, last = first or piece["date"][0], piece["date"][-1]
                yield _to_plain_types(piece, AD_DAY)

        name, local = self._write(AD_DAY, count())
        data = DataFile(
            path=f"year={part.year}/month={part.month}/{name}",
            size=local.stat().st_size,
            rows=rows,
            partition={"year": part.year, "month": part.month},
            first_date=first,
            last_date=last,
        )
        return Finished(data, local)

    def _write_small(self, folder: str, table: pa.Table) -> tuple[str, int]:
        name, local = self._write(table.schema, [table])
        size = local.stat().st_size
        self.storage.adopt(f"{folder}/{name}", local)
        return name, size

    def _write(self, schema: pa.Schema, tables: Iterable[pa.Table]) -> tuple[str, Path]:
        """Writes a local file and returns the name that it has to have in the lake."""
        number = next(self.numbers)
        local = self.scratch / f"out-{secrets.token_hex(8)}.parquet"
        with pq.ParquetWriter(
            local,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in schema.names if name in _LOW_CARDINALITY],  # type: ignore[arg-type]  # the stubs know only the flag
            store_decimal_as_integer=True,
            write_page_checksum=True,
            write_statistics=[name for name in schema.names if name in _ASKED_FOR],
            store_schema=False,
        ) as writer:
            for group in regroup(tables, ROW_GROUP_ROWS):
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                del group  # else it would stay until the next one is complete
        with local.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return f"{self.transaction:08d}-{self.run}-{number:04d}-{digest[:32]}.parquet", local


class _Piece(NamedTuple):
    """Sorted rows of whole dates, and the number of the file that they go into."""

    file: int
    rows: pl.DataFrame


def _cut_pieces(slices: Iterable[pl.DataFrame]) -> Iterator[_Piece]:
    file = held = 0
    for rows in slices:
        days = rows["date"].rle().struct["len"].to_list()
        for cut in cut_files(days, held=held):
            piece = rows[cut]
            yield _Piece(file, piece)
            held += len(piece)
            if held >= FILE_ROWS:
                file, held = file + 1, 0


def _to_plain_types(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """Arrow's oldest types: not every engine reads string views."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)
