"""How long do answers take on a big master, from its rollups and from its rows?

The peer reads one Parquet file of the same rows, sorted by date, as plain DuckDB. Its statement and
ours are the same, and each process runs it ten times, so that its start hardly counts.
"""

from pathlib import Path

from benchmarks.commands import adlake, python
from benchmarks.harness import Case, Question, run_command

TIMES = 10
STATEMENT = """
select
    platform, sum(cost) as spend, sum(clicks) as clicks, sum(impressions) as impressions,
    sum(cost) / nullif(sum(clicks), 0) as cpc, sum(revenue) / nullif(sum(cost), 0) as roas
from {relation} group by platform order by platform
"""
OURS = f"""
import sys
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake
from pipeline.storage import open_storage
lake = Lake(open_storage(sys.argv[1]))
with open_reading_connection(lake, lake.take_snapshot(), workers=2) as connection:
    for _ in range({TIMES}):
        connection.execute('''{STATEMENT.format(relation="ad_day")}''').fetchall()
"""
PEER = f"""
import duckdb, sys
connection = duckdb.connect(config={{"threads": 2}})
connection.read_parquet(sys.argv[1]).create_view("ad_day")
for _ in range({TIMES}):
    connection.execute('''{STATEMENT.format(relation="ad_day")}''').fetchall()
"""
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

    def case(name: str, command: list[str], times: int = 1) -> Case:
        return Case(
            name=name,
            rows=rows * times,
            commands=[command],
            prepare=lambda: None,
            check=lambda: None,
        )

    return Question(
        f"Answers from a master of {rows:,} rows; the two statements run {TIMES} times each",
        [
            case("statement on ad_day", python(OURS, lake), TIMES),
            case("DuckDB: the same on one sorted file", python(PEER, one), TIMES),
            case("adlake kpi platform", adlake("kpi", "platform", "--lake", lake)),
            case("adlake kpi day", adlake("kpi", "day", "--lake", lake)),
            case(
                "adlake kpi campaign --top 10",
                adlake("kpi", "campaign", "--top", "10", "--lake", lake),
            ),
            case(
                "adlake report --html",
                adlake("report", "--html", folder / "r.html", "--lake", lake),
            ),
        ],
    )
