"""What the lake holds, in one look: the account of rows, the shape of the master, its health."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.errors import AdlakeError, EmptyLakeError, LakeError
from pipeline.kpi.catalogue import read_account
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake, Snapshot
from pipeline.schema import AD_DAY
from pipeline.settings import Settings
from pipeline.storage import Probe

FIRST_ROWS = 10

_ACCOUNT = (
    "rows_in",
    "accepted",
    "quarantined",
    "duplicates",
    "superseded",
    "files",
    "last_merge_at",
)


def read_status(lake: Lake, snapshot: Snapshot, *, settings: Settings) -> dict[str, Any]:
    """The lake's account over all its files.

    Returns:
        lake, master_version, master_rows, rows_in, accepted, quarantined, duplicates, superseded,
        files (how many the ledger holds) and last_merge_at (UTC; None before the first).
    """
    with open_reading_connection(
        lake, snapshot, workers=settings.workers, stored=(), with_raw=False
    ) as connection:
        account = read_account(connection).to_dicts()[0]
    return {
        "lake": lake.uri,
        "master_version": snapshot.version,
        "master_rows": snapshot.rows,
        **{name: account[name] for name in _ACCOUNT},
    }


@dataclass(frozen=True, slots=True)
class Inspection:
    """The shape of the master.

    Attributes:
        columns: column, type.
        partitions: year, month, files, rows, bytes.
        rows: The first rows in the master's order, as records.
    """

    columns: Sequence[dict[str, Any]]
    partitions: Sequence[dict[str, Any]]
    rows: Sequence[dict[str, Any]]


def inspect(lake: Lake, snapshot: Snapshot, *, count: int = FIRST_ROWS) -> Inspection:
    """Looks at a snapshot's columns, partitions and first rows."""
    partitions: dict[tuple[str, str], dict[str, Any]] = {}
    for file in snapshot.files:
        key = (file.partition["year"], file.partition["month"])
        entry = partitions.setdefault(
            key, {"year": key[0], "month": key[1], "files": 0, "rows": 0, "bytes": 0}
        )
        entry["files"] += 1
        entry["rows"] += file.rows
        entry["bytes"] += file.size
    return Inspection(
        columns=[{"column": field.name, "type": str(field.type)} for field in AD_DAY],
        partitions=[partitions[key] for key in sorted(partitions)],
        rows=_read_first(lake, snapshot, count),
    )


def _read_first(lake: Lake, snapshot: Snapshot, count: int) -> list[dict[str, Any]]:
    order = sorted(
        zip(snapshot.files, snapshot.file_uris, strict=True),
        key=lambda pair: (pair[0].partition["year"], pair[0].partition["month"], pair[0].path),
    )
    rows: list[dict[str, Any]] = []
    for _, uri in order:
        (local,) = lake.fetch([uri])
        frame = pl.scan_parquet(local, glob=False, hive_partitioning=False)
        try:
            rows += frame.head(count - len(rows)).collect().to_dicts()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise LakeError(f"a file of the master cannot be read: {error}") from error
        if len(rows) >= count:
            break
    return rows


def examine(lake: Lake) -> Sequence[Probe]:
    """Checks reach and rights of the lake, then whether its tables open."""
    probes = lake.storage.probe()
    if not all(probe.passed for probe in probes):
        return probes
    try:
        snapshot = lake.take_snapshot()
    except EmptyLakeError as error:
        return [*probes, Probe("open the master", True, str(error))]
    except AdlakeError as error:
        return [*probes, Probe("open the master", False, str(error))]
    detail = f"version {snapshot.version}, {snapshot.rows:,} rows in {len(snapshot.files)} files"
    return [*probes, Probe("open the master", True, detail)]
