"""How long do answers take on a big master, from its rollups and from its rows?

The peers read one Parquet file of the same rows, sorted by date, as plain DuckDB and as Polars.
Their statement and ours are the same; each process runs it ten times, once it has opened, and
measures only that. Ours is opened as `adlake query` opens it.
"""

from pathlib import Path

import duckdb

from benchmarks.commands import adlake, expect_rows, inside, python, timed
from benchmarks.harness import Case, Question, run_command

TIMES = 10
FROM_ROLLUP = ("platform", "audience", "day")
STATEMENT = """
select
    platform, sum(cost) as spend, sum(clicks) as clicks, sum(impressions) as impressions,
    sum(cost) / nullif(sum(clicks), 0) as cpc, sum(revenue) / nullif(sum(cost), 0) as roas
from {relation} group by platform order by platform
"""
REPEAT = f"""
for _ in range({TIMES}):
    assert len(connection.execute(statement).fetchall()) == platforms, "other platforms"
"""
OURS = timed(
    f"""
import sys
from pipeline.kpi.view_list import find_kinds
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake
from pipeline.storage import open_storage
lake = Lake(open_storage(sys.argv[1]))
statement, platforms = {STATEMENT.format(relation="ad_day")!r}, int(sys.argv[2])
opened = open_reading_connection(
    lake, lake.take_snapshot(), workers=2, stored=find_kinds(statement)
)
connection = opened.__enter__()
""",
    REPEAT,
)
PEER = timed(
    f"""
import duckdb, sys
connection = duckdb.connect(config={{"threads": 2}})
connection.read_parquet(sys.argv[1]).create_view("ad_day")
statement, platforms = {STATEMENT.format(relation="ad_day")!r}, int(sys.argv[2])
""",
    REPEAT,
)
POLARS = timed(
    """
import polars as pl, sys
file, platforms = sys.argv[1], int(sys.argv[2])
def total(name):
    return pl.col(name).sum()
""",
    f"""
for _ in range({TIMES}):
    sums = pl.scan_parquet(file).group_by("platform").agg(
        total("cost"), total("clicks"), total("impressions"),
        cpc=total("cost") / total("clicks"), roas=total("revenue") / total("cost"),
    ).sort("platform").collect(engine="streaming")
    assert sums.height == platforms, "other platforms"
""",
)
KPIS = timed(
    """
import sys
from pipeline.kpi.catalogue import list_kpis, run_kpi
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake
from pipeline.storage import open_storage
lake = Lake(open_storage(sys.argv[1]))
opened = open_kpi_connection(lake, lake.take_snapshot(), workers=2)
connection = opened.__enter__()
names = sys.argv[2:] or list_kpis()
for name in names:  # once to warm up
    run_kpi(connection, name)
""",
    """
for name in names:
    assert run_kpi(connection, name).rows or name in {"quarantine", "unconverted"}, name
""",
)
ONE_FILE = """
import duckdb, sys
duckdb.connect().execute(f'''
    copy (
        select * from read_parquet('{sys.argv[1]}/master/*/*/*.parquet', hive_partitioning = false)
        order by date, platform
    ) to '{sys.argv[2]}' (format parquet, compression zstd)
''')
"""


def ask(folder: Path, *, quick: bool) -> Question:
    """A generated lake of one merge, so that the files in its folder are those of its version."""
    rows = 100_000 if quick else 20_000_000
    lake, one = folder / "kpi_queries", folder / "kpi_queries.parquet"
    run_command(adlake("run", "--rows", str(rows), "--lake", lake, "--no-csv"))
    run_command(python(ONE_FILE, lake, one))
    expect_rows(lake, rows)()

    audience, campaign, platforms = describe(one)

    def answered(*arguments: str) -> Case:
        return Case(
            name=f"adlake {' '.join(arguments)}".replace(f"{folder}/", ""),
            rows=rows,
            commands=[adlake(*arguments, "--lake", lake)],
            prepare=lambda: None,
            check=lambda: None,
        )

    return Question(
        f"Answers from a master of {rows:,} rows; a statement runs {TIMES} times",
        [
            inside("statement on ad_day", rows * TIMES, OURS, lake, platforms),
            inside("DuckDB: the same on one sorted file", rows * TIMES, PEER, one, platforms),
            inside("Polars: the same on that file", rows * TIMES, POLARS, one, platforms),
            inside("all KPIs, once opened", rows, KPIS, lake),
            *(inside(f"kpi {name}, once opened", rows, KPIS, lake, name) for name in FROM_ROLLUP),
            answered("kpi", "platform"),
            answered("kpi", "audience"),
            answered("kpi", "day"),
            answered("kpi", "campaign", "--top", "10"),
            answered("kpi", "campaign", "--top", "10", "--audience", audience),
            answered("kpi", "total", "--campaign", campaign),
            answered("report", "--html", str(folder / "r.html")),
        ],
    )


def describe(file: Path) -> tuple[str, str, str]:
    """An audience and a campaign of the rows, and how many platforms they have."""
    asked = """
        select min(target_audience), min(campaign_id), count(distinct platform)
        from read_parquet($file)
    """
    row = duckdb.execute(asked, {"file": str(file)}).fetchone()
    assert row is not None
    return row[0], row[1], str(row[2])
