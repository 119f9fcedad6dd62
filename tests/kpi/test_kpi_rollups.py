"""Rollup files: written once, named after what they were made from, never stale."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipeline.kpi.query import run_query
from pipeline.kpi.rollup import (
    ROLLUP_SCHEMA,
    group_partitions,
    name_rollup,
    plan_rollup,
    read_rollup_plan,
    write_rollups,
)
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake, Snapshot
from pipeline.table import DataFile
from tests.lakes import build_lake, commit_rows, make_row

SPEND = ROLLUP_SCHEMA.names.index("spend")
ROWS = [make_row(date=date(2024, month, 3), cost=f"{month}.25") for month in (1, 2, 3)]


def read_rollup(lake: Lake, snapshot: Snapshot) -> Sequence[tuple[object, ...]]:
    with open_reading_connection(lake, snapshot) as connection:
        return run_query(connection, "from rollup order by date").rows


def test_the_rollup_is_the_same_from_files_from_the_master_and_from_both(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, ROWS)
    snapshot = lake.take_snapshot()
    from_master = read_rollup(lake, snapshot)

    assert write_rollups(lake, snapshot) == 3
    for path in (tmp_path / "rollup").rglob("*.parquet"):
        if "month=02" not in str(path):
            path.unlink()
    from_both = read_rollup(lake, snapshot)
    assert len(read_rollup_plan(lake, snapshot).unrolled) == 2
    assert write_rollups(lake, snapshot, workers=4) == 2
    assert write_rollups(lake, snapshot) == 0

    assert read_rollup_plan(lake, snapshot).unrolled == ()
    assert from_master == from_both == read_rollup(lake, snapshot)
    assert len(from_master) == 3


def test_each_version_keeps_its_own_measures(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, ROWS)
    old = lake.take_snapshot()
    write_rollups(lake, old)
    before = read_rollup(lake, old)
    replaced = [file for file in old.files if file.partition["month"] == "02"]
    commit_rows(lake, [make_row(date=date(2024, 2, 9), cost=100)], replaces=replaced)
    new = lake.take_snapshot()

    after = read_rollup(lake, new)

    assert read_rollup(lake, old) == before
    spends = [[row[SPEND] for row in rows] for rows in (before, after)]
    assert spends[0] == [Decimal("1.25"), Decimal("2.25"), Decimal("3.25")]
    assert spends[1] == [Decimal("1.25"), Decimal(100), Decimal("3.25")]
    assert write_rollups(lake, new) == 1
    assert read_rollup(lake, new) == after
    assert read_rollup(lake, old) == before


def test_a_rollup_is_named_after_the_set_of_files_and_the_statement() -> None:
    key = ("2024", "01")
    name = name_rollup(key, ["b", "a"], statement="select 1")

    assert name.startswith("rollup/year=2024/month=01/")
    assert len(name.rpartition("/")[2]) == 32 + len(".parquet")
    assert name == name_rollup(key, ["a", "b"], statement="select 1")
    others = {
        name_rollup(key, ["a"], statement="select 1"),
        name_rollup(key, ["ab"], statement="select 1"),
        name_rollup(key, ["a", "b", "c"], statement="select 1"),
        name_rollup(key, ["a", "b"], statement="select 2"),
        name_rollup(("2024", "02"), ["a", "b"], statement="select 1"),
    }
    assert len(others) == 5
    assert name not in others


def test_partitions_without_a_file_are_read_from_the_master() -> None:
    files = [
        DataFile(path=path, size=1, rows=1, partition={"year": "2024", "month": path[0] * 2})
        for path in ("2b", "1a", "2a")
    ]
    groups = group_partitions(files)
    names = {("2024", "11"): "rollup/one", ("2024", "22"): "rollup/two"}

    plan = plan_rollup(groups, names, present={"rollup/one", "rollup/of another version"})

    assert list(groups) == [("2024", "11"), ("2024", "22")]
    assert plan.stored == ("rollup/one",)
    assert plan.unrolled == ("master/2a", "master/2b")
