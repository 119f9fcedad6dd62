"""How fast do CSV lots become a committed master, against DuckDB's plain read and write?

The peer reads typed, removes duplicates of the key and writes Parquet by month; it validates
nothing, keeps no account, and commits nothing.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.commands import (
    adlake,
    empty,
    expect_lines,
    expect_parquet,
    expect_rows,
    original,
    python,
)
from benchmarks.harness import Case, Question, run_command
from pipeline.settings import DEFAULT_QUIET

SHARE = 5
"""Of how many lots the original merges one, as it takes so long."""

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
    ) to '{target}' (
        format parquet, compression zstd, compression_level 1, partition_by (year, month)
    )
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
    rows, lot_rows = (20_000, 1_000) if quick else (2_000_000, 50_000)
    home = folder / "merge_csv"
    lots, spoiled, few, local = (home / name for name in ("lots", "spoiled", "few", "local"))
    lake, dirty, target = home / "lake", home / "dirty", home / "duckdb"
    run_command(adlake("run", "--rows", str(rows), "--lake", home / "source", "--no-csv"))
    cut = ("--lots", str(lot_rows))
    run_command(adlake("export", lots, *cut, "--lake", home / "source"))
    shutil.copytree(lots, spoiled)
    run_command(python(SPOIL, spoiled / "marketing_data_1.csv"))

    for number in range(1, len(list(lots.iterdir())) // SHARE + 1):
        few.mkdir(exist_ok=True)
        shutil.copy(lots / f"marketing_data_{number}.csv", few)
    fewer = rows // SHARE

    return Question(
        f"{rows:,} rows of CSV lots into a new master, on a local folder",
        [
            Case(
                name="adlake merge: validated, accounted for, committed",
                rows=rows,
                commands=[adlake("merge", "--lake", lake)],
                prepare=_fill(lake, lots),
                check=expect_rows(lake, rows),
            ),
            Case(
                name="DuckDB: typed read, row_number, COPY PARTITION_BY",
                rows=rows,
                commands=[python(DUCKDB, lots, target)],
                prepare=empty(target),
                check=expect_parquet(target, rows),
            ),
            Case(
                name="adlake merge: the same with one bad row",
                rows=rows,
                commands=[adlake("merge", "--lake", dirty)],
                prepare=_fill(dirty, spoiled),
                check=expect_rows(dirty, rows - 1),
            ),
            Case(
                name="original: merge (pandas), of fewer rows",
                rows=fewer,
                commands=[original("merge", few, local)],
                prepare=empty(local),
                check=expect_lines(local / "marketing_master_dataset.csv", fewer + 1),
            ),
        ],
    )


def _fill(lake: Path, lots: Path) -> Callable[[], None]:
    def prepare() -> None:
        shutil.rmtree(lake, ignore_errors=True)
        shutil.copytree(lots, lake / "landing" / "lots")
        time.sleep(DEFAULT_QUIET)  # a merge leaves what was only just written for a moment

    return prepare
