"""Builds small real lakes, wherever they are: rows in, Parquet files and Delta commits out.

A row is a dict of what matters to the test; the rest has plain values (see `make_row`).
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.delta.log import DataFile
from pipeline.lake import LEDGER_TABLE, MASTER_TABLE, Lake
from pipeline.ledger import append
from pipeline.schema import AD_DAY, LEDGER, SORT_ORDER
from pipeline.storage import LocalStorage

DELIVERED_AT = datetime(2025, 1, 1, tzinfo=UTC)


def make_row(**columns: Any) -> dict[str, Any]:
    """A canonical row; numbers for decimal columns may be given as text."""
    row: dict[str, Any] = dict.fromkeys(AD_DAY.names)
    row |= {
        "source": "lots",
        "account": "main",
        "campaign_id": "c1",
        "platform": "Google ADS",
        "target_audience": "Mujer 18-25",
        "currency": "USD",
        "breakdown": "",
        "segment": "",
        "date": date(2024, 1, 1),
        "cost": Decimal(0),
        "delivered_at": DELIVERED_AT,
        "delivery_id": "d1",
        "line": 1,
    }
    row |= columns
    for field in AD_DAY:
        if pa.types.is_decimal(field.type) and row[field.name] is not None:
            row[field.name] = Decimal(row[field.name])
    return row


def make_ledger_row(**columns: Any) -> dict[str, Any]:
    """A ledger row of a merged file; the counts are 0."""
    row: dict[str, Any] = dict.fromkeys(LEDGER.names)
    counts = ("rows_in", "control", "accepted", "quarantined", "duplicates", "superseded")
    row |= dict.fromkeys(counts, 0)
    row |= {
        "n": 1,
        "recorded_at": DELIVERED_AT,
        "path": "landing/lots/a.csv",
        "sha256": "0" * 64,
        "source": "lots",
        "outcome": "merged",
        "coverage": [],
    }
    return row | columns


def build_lake(
    root: Path,
    rows: Iterable[Mapping[str, Any]] = (),
    *,
    ledger: Sequence[Mapping[str, Any]] = (),
) -> Lake:
    """A new lake with these rows in one commit, one file a month; no commit without any."""
    lake = Lake(LocalStorage(root))
    lake.initialise()
    rows = list(rows)
    if rows or ledger:
        commit_rows(lake, rows, ledger=ledger)
    return lake


def commit_rows(
    lake: Lake,
    rows: Iterable[Mapping[str, Any]],
    *,
    ledger: Sequence[Mapping[str, Any]] = (),
    replaces: Sequence[DataFile] = (),
) -> list[DataFile]:
    """Commits rows as new files in place of others, and returns the new files.

    In a folder and in a bucket. Unlike a merge it joins no files: a month has one more each time.
    """
    months: dict[tuple[int, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        months[row["date"].year, row["date"].month].append(row)
    files = [
        write_master_file(lake, pa.Table.from_pylist(months[month], AD_DAY))
        for month in sorted(months)
    ]
    commit_files(lake, files, ledger=ledger, replaces=replaces)
    return files


def write_master_file(lake: Lake, rows: pa.Table) -> DataFile:
    """Writes rows of one month as a data file of the master, sorted as a merge would."""
    rows = rows.sort_by([(name, "ascending") for name in SORT_ORDER])
    days = rows["date"].unique().sort()
    first, last = days[0].as_py(), days[-1].as_py()
    partition = {"year": f"{first:%Y}", "month": f"{first:%m}"}
    path = f"year={first:%Y}/month={first:%m}/{uuid.uuid4().hex}.parquet"
    data = _encode(rows, compression="zstd", store_decimal_as_integer=True)
    lake.storage.create(f"{MASTER_TABLE}/{path}", data)
    return DataFile(
        path=path,
        size=len(data),
        rows=rows.num_rows,
        partition=partition,
        first_date=first,
        last_date=last,
    )


def commit_files(
    lake: Lake,
    files: Sequence[DataFile],
    *,
    ledger: Sequence[Mapping[str, Any]] = (),
    replaces: Sequence[DataFile] = (),
) -> None:
    """Commits files that are in place, with a ledger file that the commit names."""
    master = lake.open_master()
    known = lake.catch_up(master)
    number = master.transaction + 1
    path = f"{number}-test{uuid.uuid4().hex}.parquet"
    entries = [{**entry, "n": number} for entry in ledger]
    data = _encode(pa.Table.from_pylist(entries, LEDGER))
    lake.storage.create(f"{LEDGER_TABLE}/{path}", data)
    noted = DataFile(path=path, size=len(data), rows=len(entries), partition={})
    added, removed = (sum(file.rows for file in some) for some in (files, replaces))
    master.commit(
        adds=files,
        removes=replaces,
        transaction=number,
        metadata={
            "n": number,
            "ledger": {"path": path, "size": noted.size, "rows": noted.rows},
            "rows": sum(file.rows for file in master.list_files()) + added - removed,
            "rows_added": added,
            "rows_removed": removed,
        },
    )
    append(master, known, noted, number=number, version=master.version + 1)


def write_file(lake: Lake, path: str, rows: pa.Table) -> None:
    """Writes any Parquet file of the lake."""
    lake.storage.overwrite(path, _encode(rows))


def _encode(rows: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, **options)
    data: bytes = sink.getvalue().to_pybytes()
    return data
