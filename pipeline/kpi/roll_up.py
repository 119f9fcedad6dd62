"""Writes the rollups that a version lacks, and computes again those that it has."""

import duckdb
import pyarrow as pa

from pipeline.kpi.query import fetch_result
from pipeline.kpi.rollup import KINDS, Kind, RollupPlan
from pipeline.kpi.rollup_files import fetch_months, read_plan, write_missing
from pipeline.kpi.views import PREFERRED, open_kpi_connection
from pipeline.lake import Lake, Snapshot


def write_rollups(lake: Lake, snapshot: Snapshot, *, workers: int = 1) -> int:
    """Writes the rollups of a version that are missing.

    Args:
        lake: The lake.
        snapshot: The version.
        workers: Threads, at least 1.

    Returns:
        How many were written; 0 where all were there.
    """
    with open_kpi_connection(lake, snapshot, workers=workers, quarantine=False) as connection:
        return store_rollups(connection, lake, snapshot)


def store_rollups(connection: duckdb.DuckDBPyConnection, lake: Lake, snapshot: Snapshot) -> int:
    """The same, from a connection of `open_kpi_connection` with all rollups in memory."""
    plans = _read_plans(lake, snapshot, connection)
    return sum(write_missing(lake, connection, plan, kind) for kind, plan in plans.items())


def compute_stored(lake: Lake, snapshot: Snapshot, *, workers: int = 1) -> dict[str, pa.Table]:
    """What the rollup files of a version must hold, computed from the master, by their keys."""
    with open_kpi_connection(
        lake, snapshot, workers=workers, quarantine=False, stored=()
    ) as connection:
        return {
            name: part
            for kind, plan in _read_plans(lake, snapshot, connection).items()
            for partition, part in fetch_months(connection, kind, plan.names).items()
            if (name := plan.names[partition]) in plan.stored
        }


def _read_plans(
    lake: Lake, snapshot: Snapshot, connection: duckdb.DuckDBPyConnection
) -> dict[Kind, RollupPlan]:
    preferred = fetch_result(connection, PREFERRED).rows
    return {kind: read_plan(lake, snapshot, kind, preferred=preferred) for kind in KINDS}
