"""How fast does a restatement of one month get into a large table, against delta-rs's MERGE?

Both tables hold the same rows in the same monthly partitions, and both get the same file: rows of
June with another cost. Ours is a delivery like any other, so it checks every row and keeps the
account; the peer is told which partition to look into.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from benchmarks.commands import adlake, link, python
from benchmarks.harness import Case, Question, run_command
from pipeline.lake import Lake
from pipeline.storage import open_storage

MONTH = "06"
WRITE = """
import duckdb, sys
raw, folder, changed = sys.argv[1:]
connection = duckdb.connect(config={"threads": 2})
connection.execute(f'''
    create view rows as
    select date, 'main' as account, campaign_id, campaign_name, platform, target_audience,
        'USD' as currency, cast(cost as decimal(18, 6)) as cost, impressions, clicks, revenue,
        conversions, video_view_time, video_views
    from read_parquet('{raw}/*/*.parquet', hive_types = {{'date': date}})
''')
for month in range(1, 13):
    connection.execute(f'''
        copy (from rows where month(date) = {month}) to '{folder}/{month:02}.parquet'
    ''')
connection.execute(f'''
    copy (
        select * replace (cast(cost + 1 as decimal(18, 6)) as cost)
        from (from '{folder}/06.parquet' order by hash(campaign_id), date limit {changed})
    ) to '{folder}/change.parquet'
''')
"""
LOAD = """
import duckdb, sys
from deltalake import write_deltalake
folder, table = sys.argv[1:]
connection = duckdb.connect(config={"threads": 2})
for month in range(1, 13):
    rows = connection.sql(f'''
        select *, strftime(date, '%Y') as year, strftime(date, '%m') as month
        from '{folder}/{month:02}.parquet'
    ''')
    write_deltalake(
        table, rows.to_arrow_reader(), mode="append", partition_by=["year", "month"]
    )
"""
MERGE = """
import duckdb, sys
from deltalake import DeltaTable
file, table, month = sys.argv[1:]
rows = duckdb.sql(f'''
    select *, strftime(date, '%Y') as year, strftime(date, '%m') as month from '{file}'
''').to_arrow_table()
key = ("campaign_id", "date", "target_audience")
same = " and ".join(f"t.{name} = s.{name}" for name in key)
year = rows["year"][0]
DeltaTable(table).merge(
    rows,
    predicate=f"t.year = '{year}' and t.month = '{month}' and {same}",
    source_alias="s",
    target_alias="t",
).when_matched_update_all().when_not_matched_insert_all().execute()
"""


def ask(folder: Path, *, quick: bool) -> Question:
    """A table of a year, and a file with some rows of one of its months."""
    rows, changed = (100_000, 2_000) if quick else (20_000_000, 200_000)
    home = folder / "upsert"
    raw, files = home / "raw", home / "files"
    files.mkdir(parents=True)
    run_command(adlake("generate", "--rows", str(rows), "--lake", raw))
    run_command(python(WRITE, raw / "raw" / "ad_day", files, str(changed)))
    months = [files / f"{month:02}.parquet" for month in range(1, 13)]
    change = files / "change.parquet"

    grown, lake = home / "grown", home / "lake"
    run_command(adlake("land", *months, "--source", "canonical", "--lake", grown))
    run_command(adlake("merge", "--lake", grown))
    run_command(adlake("land", change, "--source", "canonical", "--lake", grown))
    table, copy = home / "table", home / "copy"
    run_command(python(LOAD, files, table))
    # Each changed row costs 1 more than before: so a run that changed too few of them shows.
    cost = _sum_cost([str(month) for month in months]) + changed

    def expect_change(list_files: Callable[[], Sequence[str]]) -> Callable[[], None]:
        def check() -> None:
            found = _sum_cost(list_files())
            assert found == cost, f"the rows cost {found}; expected {cost}"

        return check

    return Question(
        f"{changed:,} changed rows of one month into {rows:,}, on a local folder",
        [
            Case(
                name="adlake merge: validated, accounted for, committed",
                rows=changed,
                commands=[adlake("merge", "--lake", lake)],
                prepare=link(grown, lake),
                check=expect_change(
                    lambda: Lake(open_storage(str(lake))).take_snapshot().file_uris
                ),
            ),
            Case(
                name="delta-rs: MERGE with the partition named",
                rows=changed,
                commands=[python(MERGE, change, copy, MONTH)],
                prepare=link(table, copy),
                check=expect_change(lambda: DeltaTable(copy).file_uris()),
            ),
        ],
    )


def _sum_cost(files: Sequence[str]) -> Decimal:
    asked = "select sum(cost) from read_parquet($files, hive_partitioning = false)"
    row = duckdb.execute(asked, {"files": list(files)}).fetchone()
    assert row is not None
    return Decimal(row[0])
