"""Writes the files of a merge: data, rejects and the ledger. Names are never used twice."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake import LEDGER_TABLE, MASTER_TABLE, QUARANTINE
from pipeline.merge.order import find_order
from pipeline.merge.plan import Part, cut_files
from pipeline.schema import AD_DAY, LEDGER, REJECTS, SORT_ORDER
from pipeline.storage import Storage
from pipeline.table import DataFile

ROW_GROUP_ROWS = 1 << 18

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
]

# Of these a range can rule out row groups, as files are sorted by them; no others are worth it.
_ASKED_FOR = SORT_ORDER[:6]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes under `<transaction>-<run>-<i>-<hash>` names.

    Attributes:
        storage: Of the lake.
        scratch: A local folder for files that are not finished.
        transaction: The number of the commit that will name the files.
        run: Random, so that a run that was killed leaves nothing in the way of the next.
        numbers: Of the files; goes on over the attempts of a run.
    """

    storage: Storage
    scratch: Path
    transaction: int
    run: str
    numbers: Iterator[int]

    def write_part(self, part: Part, rows: pl.DataFrame) -> list[DataFile]:
        """Writes a partition's rows, sorted and cut at date borders; adds them in place.

        Args:
            part: The partition.
            rows: Columns of AD_DAY, in any order, dates within the part's month.
        """
        ordered = rows.select(AD_DAY.names)[find_order(rows, SORT_ORDER)]
        days = ordered.group_by("date", maintain_order=True).len()["len"].to_list()
        folder = f"year={part.year}/month={part.month}"
        return [self._write_data(folder, part, ordered[cut]) for cut in cut_files(days)]

    def write_rejects(self, rows: pl.DataFrame) -> str:
        """Writes rejected rows (`schema.REJECTS`) and returns their key in the lake."""
        return f"{QUARANTINE}/{self._write(QUARANTINE, _to_plain_types(rows, REJECTS))[0]}"

    def write_ledger(self, rows: Sequence[Mapping[str, object]]) -> DataFile:
        """Writes ledger rows (`schema.LEDGER`) below the ledger table, which does not know yet."""
        frame = pl.DataFrame(rows, schema=pl.Schema(LEDGER), orient="row")
        name, size = self._write(LEDGER_TABLE, _to_plain_types(frame, LEDGER))
        return DataFile(path=name, size=size, rows=len(rows), partition={})

    def _write_data(self, folder: str, part: Part, rows: pl.DataFrame) -> DataFile:
        table = _to_plain_types(rows, AD_DAY)
        name, size = self._write(f"{MASTER_TABLE}/{folder}", table)
        return DataFile(
            path=f"{folder}/{name}",
            size=size,
            rows=len(rows),
            partition={"year": part.year, "month": part.month},
            first_date=rows["date"][0],
            last_date=rows["date"][-1],
        )

    def _write(self, folder: str, table: pa.Table) -> tuple[str, int]:
        number = next(self.numbers)
        local = self.scratch / f"out-{number}.parquet"
        pq.write_table(
            table,
            local,
            row_group_size=ROW_GROUP_ROWS,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in table.column_names if name in _LOW_CARDINALITY],  # type: ignore[arg-type]  # the stubs know only the flag
            store_decimal_as_integer=True,
            write_page_checksum=True,
            write_statistics=[name for name in table.column_names if name in _ASKED_FOR],
            store_schema=False,
        )
        with local.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = f"{self.transaction:08d}-{self.run}-{number:04d}-{digest[:32]}.parquet"
        size = local.stat().st_size
        self.storage.adopt(f"{folder}/{name}", local)
        return name, size


def _to_plain_types(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """Arrow's oldest types: not every engine reads string views."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)
