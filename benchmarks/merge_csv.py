"""How fast do CSV lots become a committed master, against DuckDB's plain read and write?

The peer reads typed, removes duplicates of the key and writes Parquet by month; it validates
nothing, keeps no account, and commits nothing.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.commands import adlake, empty, python
from benchmarks.harness import Case, Question, run_command
from pipeline.settings import DEFAULT_QUIET

LOT_ROWS = 50_000
DUCKDB = """
import duckdb, sys
folder, target = sys.argv[1:]
connection = duckdb.connect()
connection.execute("set threads = 2")
connection.execute(f'''
    copy (
        select *, strftime(date, '%Y') as year, strftime(date, '%m') as month
        from read_csv(
            '{folder}/*.csv', header = true, auto_detect = false, columns = {{
                'campaign_id': 'varchar', 'date': 'date', 'platform': 'varchar',
                'target_audience': 'varchar', 'impressions': 'bigint', 'ctr': 'decimal(18, 6)',
                'clicks': 'bigint', 'cpc': 'decimal(18, 6)', 'costo_total': 'decimal(18, 6)',
                'video_view_time': 'decimal(18, 6)'
            }}
        )
        qualify row_number() over (
            partition by campaign_id, date, target_audience order by costo_total
        ) = 1
    ) to '{target}' (format parquet, compression zstd, partition_by (year, month))
''')
"""
SPOIL = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
lines = path.read_text().split("\\n")
lines[10] = lines[10].replace(",", ";")
path.write_text("\\n".join(lines))
"""


def ask(folder: Path, *, quick: bool) -> Question:
    """The lots come from a generated lake; the third case has one bad row among them."""
    rows = 20_000 if quick else 2_000_000
    home = folder / "merge_csv"
    lots, spoiled = home / "lots", home / "spoiled"
    lake, dirty, target = home / "lake", home / "dirty", home / "duckdb"
    run_command(adlake("run", "--rows", str(rows), "--lake", home / "source", "--no-csv"))
    cut = ("--lots", str(LOT_ROWS))
    run_command(adlake("export", lots, *cut, "--lake", home / "source"))
    shutil.copytree(lots, spoiled)
    run_command(python(SPOIL, spoiled / "marketing_data_1.csv"))

    def expect_rows(place: Path, expected: int) -> None:
        files = (place / "master").rglob("year=*/month=*/*.parquet")
        found = sum(pq.read_metadata(file).num_rows for file in files)
        assert found == expected, f"{place} holds {found} rows; expected {expected}"

    return Question(
        f"{rows:,} rows of CSV lots into a new master, on a local folder",
        [
            Case(
                name="adlake merge: validated, accounted for, committed",
                rows=rows,
                commands=[adlake("merge", "--lake", lake)],
                prepare=_fill(lake, lots),
                check=lambda: expect_rows(lake, rows),
            ),
            Case(
                name="DuckDB: typed read, row_number, COPY PARTITION_BY",
                rows=rows,
                commands=[python(DUCKDB, lots, target)],
                prepare=empty(target),
                check=lambda: None,
            ),
            Case(
                name="adlake merge: the same with one bad row",
                rows=rows,
                commands=[adlake("merge", "--lake", dirty)],
                prepare=_fill(dirty, spoiled),
                check=lambda: expect_rows(dirty, rows - 1),
            ),
        ],
    )


def _fill(lake: Path, lots: Path) -> Callable[[], None]:
    def prepare() -> None:
        shutil.rmtree(lake, ignore_errors=True)
        shutil.copytree(lots, lake / "landing" / "lots")
        time.sleep(DEFAULT_QUIET)  # a merge leaves what was only just written for a moment

    return prepare
