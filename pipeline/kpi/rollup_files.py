"""The files of rollups: which are there, what they hold, and writing those that are missing."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.engine import map_threads
from pipeline.errors import ExistsError, MissingError
from pipeline.kpi.query import fetch_table
from pipeline.kpi.rollup import (
    Kind,
    Partition,
    RollupPlan,
    define_rollup,
    name_mark,
    plan_rollup,
)
from pipeline.lake import ROLLUP, Lake, Snapshot

_SMALL: Final = 10_000
"""So many rows are stored in any case."""


def read_plan(
    lake: Lake,
    snapshot: Snapshot,
    kind: Kind,
    *,
    preferred: Iterable[Sequence[object]] = (),
) -> RollupPlan:
    """Looks which rollups of a version are there and shares its partitions accordingly.

    Args:
        lake: The lake.
        snapshot: The version.
        kind: Which rollup.
        preferred: Rows of the view preferred_breakdown.
    """
    definition = define_rollup(kind, preferred=preferred)
    present = list_rollups(lake, kind)
    return plan_rollup(snapshot.files, kind, definition=definition, present=present)


def list_rollups(lake: Lake, kind: Kind) -> frozenset[str]:
    """The keys of all rollup files and marks of a kind, of whatever version."""
    return frozenset(entry.path for entry in lake.storage.list(f"{ROLLUP}/{kind.name}"))


def read_rollups(
    lake: Lake, plan: RollupPlan, kind: Kind, *, workers: int
) -> tuple[pa.Table, list[str]]:
    """Reads the stored rollups of a plan, with the checksums of their pages.

    Returns:
        The rows of those that are whole, with the columns of the kind; and the keys of those that
        are damaged or have vanished.
    """
    found = dict(
        zip(
            plan.stored,
            map_threads(lambda key: _read_rollup(lake, key, kind), plan.stored, workers=workers),
            strict=True,
        )
    )
    tables = [table for table in found.values() if table is not None]
    damaged = [key for key, table in found.items() if table is None]
    empty = pa.Table.from_batches([], kind.schema)  # made without loading pandas
    return pa.concat_tables([empty, *tables]), damaged


def _read_rollup(lake: Lake, key: str, kind: Kind) -> pa.Table | None:
    try:
        data = lake.storage.read(key)
        table = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True).read()
    except (MissingError, pa.ArrowException, OSError):
        return None
    return table if table.schema.equals(kind.schema) else None


def fetch_months(
    connection: duckdb.DuckDBPyConnection, kind: Kind, partitions: Collection[Partition]
) -> dict[Partition, pa.Table]:
    """The rows of a rollup by partition, in a total order, with the columns of the kind.

    Args:
        connection: One of `open_kpi_connection`.
        kind: Which rollup.
        partitions: Of the version; those without rows are left out.
    """
    months = ["-".join(partition) for partition in partitions]
    measures = fetch_table(connection, _select_months(kind), {"months": months})
    return _cut_months(measures.cast(kind.schema), kind.day)


def _select_months(kind: Kind) -> str:
    columns = ", ".join(kind.schema.names)
    keys = ", ".join([kind.day, *kind.keys])
    # All these names are constants of `rollup`.
    return (
        f"select {columns} from {kind.view} "  # noqa: S608
        f"where strftime({kind.day}, '%Y-%m') in (select unnest($months)) order by {keys}"
    )


def _cut_months(measures: pa.Table, column: str) -> dict[Partition, pa.Table]:
    """The rows of each month; they stand in the order of days."""
    days = measures[column].cast(pa.string()).to_pylist()
    cut: dict[Partition, pa.Table] = {}
    first = 0
    for month, members in groupby(days, key=lambda day: str(day)[:7]):
        count = sum(1 for _ in members)
        cut[month[:4], month[5:]] = measures.slice(first, count)
        first += count
    return cut


def write_missing(
    lake: Lake, connection: duckdb.DuckDBPyConnection, plan: RollupPlan, kind: Kind
) -> int:
    """Writes the rollups that a plan lacks, and returns how many.

    Where one would be too large, an empty mark takes its place, so that nobody computes it in vain
    at each merge.

    Args:
        lake: The lake.
        connection: One of `open_kpi_connection`, which has the rows in memory.
        plan: Which are missing.
        kind: Which rollup.
    """
    if not plan.missing:
        return 0
    parts = fetch_months(connection, kind, plan.missing)
    found = [(name, parts[key]) for key, name in plan.missing.items() if key in parts]
    written = map_threads(lambda one: _write_rollup(lake, *one), found, workers=lake.storage.lanes)
    return sum(written)


def _is_small(measures: pa.Table) -> bool:
    """Whether to store a rollup: where each row is a campaign, it would be a second master."""
    counted: int = pc.sum(measures["rows"]).as_py() or 0
    return measures.num_rows <= max(counted // 2, _SMALL)


def _write_rollup(lake: Lake, name: str, measures: pa.Table) -> bool:
    """Writes a rollup or its mark; returns whether it was a rollup, and was not there."""
    is_small = _is_small(measures)
    sink = pa.BufferOutputStream()
    if is_small:
        pq.write_table(measures, sink, compression="zstd", write_page_checksum=True)
    try:
        lake.storage.create(name if is_small else name_mark(name), sink.getvalue().to_pybytes())
    except ExistsError:
        return False  # another process made the same file from the same rows
    return is_small
