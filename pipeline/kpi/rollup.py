"""Rollups: the additive measures of one partition of the master, kept beside it.

A rollup is named after what it was made from: the master's files of its partition and the
statement that adds them up. So it is never stale; where it is missing, the measures are computed
from the master.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import ExistsError
from pipeline.kpi.connection import open_locked
from pipeline.kpi.query import fetch_table
from pipeline.kpi.relations import select_files
from pipeline.kpi.statements import read_statement
from pipeline.lake import MASTER_TABLE, ROLLUP, Lake, Snapshot
from pipeline.schema import AD_DAY
from pipeline.table import DataFile

Partition = tuple[str, str]
"""Year and month, zero-padded text, as the master has them."""

STATEMENT: Final = "rollup/daily"

COUNT: Final = pa.decimal128(38, 0)
AMOUNT: Final = pa.decimal128(38, 6)

_FIELDS: Final[list[tuple[str, pa.DataType]]] = [
    ("source", pa.string()),
    ("account", pa.string()),
    ("breakdown", pa.string()),
    ("currency", pa.string()),
    ("platform", pa.string()),
    ("target_audience", pa.string()),
    ("date", pa.date32()),
    ("rows", pa.int64()),
    ("spend", AMOUNT),
    ("impressions", COUNT),
    ("clicks", COUNT),
    ("revenue", AMOUNT),
    ("conversions", AMOUNT),
    ("video_views", COUNT),
    ("view_time_sum", AMOUNT),
    ("view_time_rows", pa.int64()),
    ("view_time_weighted", AMOUNT),
    ("view_time_views", COUNT),
]

ROLLUP_SCHEMA: Final = pa.schema(_FIELDS)
"""What sql/rollup/daily.sql gives; Parquet has no HUGEINT, so counts are decimals of 38 digits."""


@dataclass(frozen=True, slots=True)
class RollupPlan:
    """How the measures of a version are come by.

    Attributes:
        stored: Keys of the rollup files that are there, sorted.
        unrolled: Keys of the master's files in partitions without one, sorted.
    """

    stored: tuple[str, ...]
    unrolled: tuple[str, ...]


def group_partitions(files: Iterable[DataFile]) -> dict[Partition, tuple[str, ...]]:
    """The sorted paths of the master's files by partition, in the order of time."""
    paths: dict[Partition, list[str]] = {}
    for file in files:
        partition = (file.partition["year"], file.partition["month"])
        paths.setdefault(partition, []).append(file.path)
    return {partition: tuple(sorted(paths[partition])) for partition in sorted(paths)}


def name_rollup(partition: Partition, paths: Sequence[str], *, statement: str) -> str:
    """The key of the rollup of a partition.

    Args:
        partition: Year and month.
        paths: The master's files in it, in any order.
        statement: The text of the statement that adds them up, so that a changed definition
            never meets an old file.
    """
    year, month = partition
    content = "\n".join([*sorted(paths), statement])
    digest = hashlib.sha256(content.encode()).hexdigest()[:32]
    return f"{ROLLUP}/year={year}/month={month}/{digest}.parquet"


def name_rollups(files: Iterable[DataFile]) -> dict[Partition, str]:
    """The keys of all rollups that belong to a version of these files, there or not."""
    statement = read_statement(STATEMENT)
    return {
        partition: name_rollup(partition, paths, statement=statement)
        for partition, paths in group_partitions(files).items()
    }


def plan_rollup(
    partitions: Mapping[Partition, Sequence[str]],
    names: Mapping[Partition, str],
    *,
    present: Collection[str],
) -> RollupPlan:
    """Shares the partitions between those with a rollup file and those without.

    Args:
        partitions: Paths of the master's files by partition.
        names: Key of each partition's rollup.
        present: Keys that are there.
    """
    missing = [partition for partition in partitions if names[partition] not in present]
    return RollupPlan(
        stored=tuple(sorted(name for name in names.values() if name in present)),
        unrolled=tuple(
            sorted(f"{MASTER_TABLE}/{path}" for key in missing for path in partitions[key])
        ),
    )


def read_rollup_plan(lake: Lake, snapshot: Snapshot) -> RollupPlan:
    """Looks which rollups of a version are there."""
    return plan_rollup(
        group_partitions(snapshot.files),
        name_rollups(snapshot.files),
        present={entry.path for entry in lake.storage.list(ROLLUP)},
    )


def write_rollups(lake: Lake, snapshot: Snapshot, *, workers: int = 1) -> int:
    """Writes the rollups of a version that are missing.

    Args:
        lake: The lake.
        snapshot: The version.
        workers: Threads, at least 1.

    Returns:
        How many were written; 0 where all were there.
    """
    present = {entry.path for entry in lake.storage.list(ROLLUP)}
    names = name_rollups(snapshot.files)
    missing = [partition for partition, name in names.items() if name not in present]
    made = compute_rollups(lake, snapshot, missing, workers=workers)
    return sum(_write_rollup(lake, names[partition], made[partition]) for partition in missing)


def compute_rollups(
    lake: Lake, snapshot: Snapshot, partitions: Collection[Partition], *, workers: int = 1
) -> dict[Partition, pa.Table]:
    """The measures of some partitions of a version; columns `ROLLUP_SCHEMA`.

    Args:
        lake: The lake.
        snapshot: The version.
        partitions: Of the version; may be empty.
        workers: Threads, at least 1.
    """
    if not partitions:
        return {}
    files = group_partitions(snapshot.files)
    measures = _compute(lake, [path for key in partitions for path in files[key]], workers=workers)
    months = _cut_months(measures)
    nothing = measures.slice(0, 0)
    return {partition: months.get(partition, nothing) for partition in partitions}


def _compute(lake: Lake, paths: Sequence[str], *, workers: int) -> pa.Table:
    """The measures of some whole partitions, by one statement: most of its cost is to begin."""
    uris = [lake.locate(f"{MASTER_TABLE}/{path}") for path in paths]
    with open_locked(lake.uri, workers=workers) as connection:
        connection.execute(f"create view unrolled_rows as {select_files(uris, AD_DAY)}")
        return fetch_table(connection, read_statement(STATEMENT)).cast(ROLLUP_SCHEMA)


def _cut_months(measures: pa.Table) -> dict[Partition, pa.Table]:
    """The rows of each month; they stand in the order of days."""
    days = measures["date"].cast(pa.string()).to_pylist()
    cut: dict[Partition, pa.Table] = {}
    first = 0
    for month, members in groupby(days, key=lambda day: str(day)[:7]):
        count = sum(1 for _ in members)
        cut[month[:4], month[5:]] = measures.slice(first, count)
        first += count
    return cut


def _write_rollup(lake: Lake, name: str, measures: pa.Table) -> bool:
    sink = pa.BufferOutputStream()
    pq.write_table(measures, sink, compression="zstd", write_page_checksum=True)
    try:
        lake.storage.create(name, sink.getvalue().to_pybytes())
    except ExistsError:
        return False  # another process made the same file from the same rows
    return True
