"""Checks the master's rows against what holds of any master, and the rollups against the rows."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.care.finding import Finding
from pipeline.kpi.connection import open_locked
from pipeline.kpi.query import fetch_result
from pipeline.kpi.relations import select_files
from pipeline.kpi.roll_up import compute_stored
from pipeline.kpi.rollup import group_partitions
from pipeline.kpi.statements import read_statement
from pipeline.lake import MASTER_TABLE, Lake, Snapshot
from pipeline.schema import AD_DAY

STATEMENT = "check/repeated_places"


def check_places(lake: Lake, snapshot: Snapshot, *, workers: int) -> Iterator[Finding]:
    """Looks for two rows of one place, and for rows outside the month of their folder."""
    statement = read_statement(STATEMENT)
    with open_locked(lake.storage, workers=workers) as connection:
        for (year, month), paths in group_partitions(snapshot.files).items():
            uris = [lake.locate(f"{MASTER_TABLE}/{path}") for path in paths]
            connection.execute(f"create or replace view month_rows as {select_files(uris, AD_DAY)}")
            for row in fetch_result(connection, statement, {"month": f"{year}-{month}"}).to_dicts():
                yield Finding(
                    f"{MASTER_TABLE}/year={year}/month={month}",
                    f"it holds {row['rows']} rows of one place (source {row['source']}, account "
                    f"{row['account']}, campaign {row['campaign']}, {row['date']}); expected one, "
                    f"and a date within the month",
                )


def check_rollups(lake: Lake, snapshot: Snapshot, *, workers: int) -> tuple[int, list[Finding]]:
    """Computes the stored rollups of a version again; returns how many there are as well."""
    expected = compute_stored(lake, snapshot, workers=workers)
    findings = [
        Finding(name, detail)
        for name, measures in expected.items()
        if (detail := _compare(lake, name, measures))
    ]
    return len(expected), findings


def _compare(lake: Lake, name: str, expected: pa.Table) -> str | None:
    try:
        file = pq.ParquetFile(lake.storage.fetch(name), page_checksum_verification=True)
        found = file.read().select(expected.schema.names)
    except (pa.ArrowException, OSError, KeyError) as error:
        return f"it cannot be read ({error}): delete it, it is computed anew"
    if found.equals(expected):
        return None
    return "its sums are not those of the master's rows: delete it, it is computed anew"
