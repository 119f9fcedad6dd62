"""Compares what a table's log says of its data files, by which they are chosen, with the files."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.care.finding import Finding
from pipeline.delta.log import ADVICE, LOG, DataFile
from pipeline.engine import map_threads
from pipeline.lake import Lake

_DATE = "date"


class _Extent(NamedTuple):
    """How much a file holds; no dates where they are not said, or where there is no such column."""

    rows: int
    first: date | None
    last: date | None

    def __str__(self) -> str:
        days = f" of {self.first} to {self.last}" if self.first or self.last else ""
        return f"{self.rows:,} rows{days}"


def check_statistics(
    lake: Lake, table: str, files: Sequence[DataFile], *, workers: int
) -> list[Finding]:
    """Looks for files of other rows or dates than the log says; dates that it does not say are any.

    Args:
        lake: The lake.
        table: Its folder.
        files: As the log says; the bytes of each are whole.
        workers: How many are read at once.
    """

    def check(file: DataFile) -> Finding | None:
        path = f"{table}/{file.path}"
        said = _Extent(file.rows, file.first_date, file.last_date)
        try:
            held = _measure(pq.ParquetFile(lake.storage.fetch(path)))
        except (pa.ArrowException, OSError) as error:
            return Finding(path, f"it cannot be read: {error}")
        if all(one in (None, other) for one, other in zip(said, held, strict=True)):
            return None
        return Finding(
            path,
            f"it holds {held}, and the log says {said}: an entry or a checkpoint of {table}/{LOG} "
            f"is damaged; {ADVICE}",
        )

    return [found for found in map_threads(check, files, workers=workers) if found]


def _measure(file: pq.ParquetFile) -> _Extent:
    """Counts a file's rows, and finds its first and last date: in its footer where they stand."""
    footer = file.metadata
    paths = [footer.schema.column(number).path for number in range(footer.num_columns)]
    if _DATE not in paths or not footer.num_rows:
        return _Extent(footer.num_rows, None, None)
    place = paths.index(_DATE)
    groups = (footer.row_group(number) for number in range(footer.num_row_groups))
    noted = [group.column(place).statistics for group in groups]
    ends: list[Any] = [(one.min, one.max) for one in noted if one is not None and one.has_min_max]
    if len(ends) == len(noted):
        return _Extent(footer.num_rows, min(ends)[0], max(last for _, last in ends))
    found = pc.min_max(file.read([_DATE])[_DATE])
    return _Extent(footer.num_rows, found["min"].as_py(), found["max"].as_py())
