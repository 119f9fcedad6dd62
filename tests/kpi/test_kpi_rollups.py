"""Rollup files: written once, named after what they were made from, never stale."""

import contextlib
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import duckdb
import pytest

from pipeline.delta.log import DataFile
from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.query import run_query
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.rollup import CAMPAIGN, DAILY, Kind, group_partitions, name_rollup, plan_rollup
from pipeline.kpi.rollup_files import read_plan
from pipeline.kpi.view_list import find_kinds
from pipeline.kpi.views import open_kpi_connection, open_reading_connection, views_sql
from pipeline.lake import Lake, Snapshot
from pipeline.storage import LocalStorage
from tests.lakes import build_lake, commit_rows, make_ledger_row, make_row

SPEND = DAILY.schema.names.index("spend")
ROWS = [make_row(date=date(2024, month, 3), cost=f"{month}.25") for month in (1, 2, 3)]


def read_rollup(lake: Lake, snapshot: Snapshot) -> Sequence[tuple[object, ...]]:
    with open_reading_connection(lake, snapshot) as connection:
        return run_query(connection, "from rollup order by date").rows


def test_the_rollup_is_the_same_from_files_from_the_master_and_from_both(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, ROWS)
    snapshot = lake.take_snapshot()
    from_master = read_rollup(lake, snapshot)

    assert write_rollups(lake, snapshot) == 3 + 3  # by day, and of campaigns
    for path in (tmp_path / "rollup").rglob("*.parquet"):
        if "month=02" not in str(path):
            path.unlink()
    from_both = read_rollup(lake, snapshot)
    assert len(read_plan(lake, snapshot, DAILY).unrolled) == 2
    assert write_rollups(lake, snapshot, workers=4) == 2 + 2
    assert write_rollups(lake, snapshot) == 0

    assert read_plan(lake, snapshot, DAILY).unrolled == ()
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
    assert write_rollups(lake, new) == 1 + 1
    assert read_rollup(lake, new) == after
    assert read_rollup(lake, old) == before


def test_a_rollup_is_named_after_the_set_of_files_and_the_statement() -> None:
    key = ("2024", "01")
    name = name_rollup(key, ["b", "a"], definition="select 1")

    assert name.startswith("rollup/daily/year=2024/month=01/")
    assert len(name.rpartition("/")[2]) == 32 + len(".parquet")
    assert name == name_rollup(key, ["a", "b"], definition="select 1")
    others = {
        name_rollup(key, ["a"], definition="select 1"),
        name_rollup(key, ["ab"], definition="select 1"),
        name_rollup(key, ["a", "b", "c"], definition="select 1"),
        name_rollup(key, ["a", "b"], definition="select 2"),
        name_rollup(("2024", "02"), ["a", "b"], definition="select 1"),
    }
    assert len(others) == 5
    assert name not in others


def test_partitions_without_a_file_are_read_from_the_master() -> None:
    files = [
        DataFile(path=path, size=1, rows=1, partition={"year": "2024", "month": path[0] * 2})
        for path in ("2b", "1a", "2a")
    ]
    first = name_rollup(("2024", "11"), ["1a"], kind=CAMPAIGN, definition="select 1")
    second = name_rollup(("2024", "22"), ["2a", "2b"], kind=CAMPAIGN, definition="select 1")

    plan = plan_rollup(
        files, CAMPAIGN, definition="select 1", present={first, "rollup/of another version"}
    )

    assert list(group_partitions(files)) == [("2024", "11"), ("2024", "22")]
    assert plan.stored == (first,)
    assert plan.unrolled == ("master/2a", "master/2b")
    assert plan.missing == {("2024", "22"): second}


def read_kpis(lake: Lake, snapshot: Snapshot) -> list[Sequence[tuple[object, ...]]]:
    with open_kpi_connection(lake, snapshot) as connection:
        return [run_kpi(connection, name).rows for name in ("month", "campaign")]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: b"not Parquet at all",
    ],
)
def test_a_damaged_rollup_is_computed_from_the_master_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[bytes], bytes]
) -> None:
    lake = build_lake(tmp_path, ROWS)
    snapshot = lake.take_snapshot()
    write_rollups(lake, snapshot)
    before = read_kpis(lake, snapshot)
    for path in (tmp_path / "rollup").glob("*/year=2024/month=02/*.parquet"):
        path.write_bytes(spoil(path.read_bytes()))

    assert read_kpis(lake, snapshot) == before
    damaged = [record.getMessage() for record in caplog.records]
    assert [message.split("/")[1] for message in damaged] == ["daily", "campaign"]
    assert all("is damaged" in message for message in damaged)


class RacedStorage(LocalStorage):
    """Another process writes missing rollups as soon as we read one."""

    def read(self, path: str) -> bytes:
        if path.startswith("rollup/"):
            lake = Lake(LocalStorage(self.root))
            write_rollups(lake, lake.take_snapshot())
        return super().read(path)


def test_a_rollup_that_is_written_while_a_damaged_one_is_read_is_not_lost(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, ROWS)
    snapshot = lake.take_snapshot()
    write_rollups(lake, snapshot)
    before = read_kpis(lake, snapshot)
    for path in (tmp_path / "rollup").rglob("*.parquet"):
        if "month=02" in str(path):
            path.write_bytes(b"")
        if "month=03" in str(path):
            path.unlink()

    raced = Lake(RacedStorage(tmp_path))
    assert read_kpis(raced, raced.take_snapshot()) == before


def test_campaigns_are_stored_only_where_that_is_less_than_the_master(tmp_path: Path) -> None:
    rows = [
        make_row(campaign_id=str(number), date=date(2024, month, 1 + number % 2), cost=1)
        for month in (1, 2)
        for number in range(10_001)
    ]
    rows += [make_row(campaign_id=str(number), date=date(2024, 2, 9)) for number in range(10_001)]
    lake = build_lake(tmp_path, rows)
    snapshot = lake.take_snapshot()

    assert write_rollups(lake, snapshot) == 2 + 1

    stored = [path.parent.name for path in (tmp_path / "rollup" / "campaign").rglob("*.parquet")]
    assert stored == ["month=02"]
    plan = read_plan(lake, snapshot, CAMPAIGN)
    assert plan.missing == {}, "the other month is marked, and not computed in vain again"
    assert [path.parent.name for path in map(Path, plan.unrolled)] == ["month=01"]
    with open_kpi_connection(lake, snapshot) as connection:
        assert len(run_kpi(connection, "campaign").rows) == 10_001


def test_another_preferred_breakdown_gives_the_campaigns_another_rollup(tmp_path: Path) -> None:
    rows = [
        make_row(source="ads", breakdown=name, segment="x", campaign_name=name, cost=cost)
        for name, cost in (("age", 3), ("placement", 4))
    ]
    lake = build_lake(tmp_path, rows)
    first = lake.take_snapshot()
    write_rollups(lake, first)
    covered = {"account": "main", "breakdown": "age", "is_primary": True}
    commit_rows(lake, [], ledger=[make_ledger_row(source="ads", coverage=[covered])])
    second = lake.take_snapshot()

    assert [row[6] for row in read_kpis(lake, first)[1]] == [Decimal(4)]
    assert [row[6] for row in read_kpis(lake, second)[1]] == [Decimal(3)]
    assert write_rollups(lake, second) == 1
    assert [row[6] for row in read_kpis(lake, second)[1]] == [Decimal(3)]
    assert [row[6] for row in read_kpis(lake, first)[1]] == [Decimal(4)]


def flip_a_sum(path: Path) -> None:
    """Turns one bit such that DuckDB reads another sum and says nothing."""
    whole = path.read_bytes()
    with duckdb.connect() as own:
        for bit, place in product(range(8), range(4, len(whole))):
            changed = bytes([whole[place] ^ 1 << bit])
            path.write_bytes(whole[:place] + changed + whole[place + 1 :])
            with contextlib.suppress(duckdb.Error):
                found = own.execute("select sum(spend) from read_parquet(?)", [str(path)])
                if found.fetchone() != (Decimal("2.25"),):
                    return
    pytest.fail("no such bit")


def test_a_query_and_printed_views_never_read_a_damaged_rollup(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = build_lake(tmp_path, ROWS)
    snapshot = lake.take_snapshot()
    write_rollups(lake, snapshot)
    [damaged] = (tmp_path / "rollup/daily").glob("year=2024/month=02/*.parquet")
    flip_a_sum(damaged)

    spends = [row[SPEND] for row in read_rollup(lake, snapshot)]
    printed = views_sql(lake, snapshot)

    assert spends == [Decimal("1.25"), Decimal("2.25"), Decimal("3.25")]
    assert [record.getMessage().count("is damaged") for record in caplog.records] == [1, 1]
    assert damaged.name not in printed
    assert printed.count("/rollup/daily/") == 2
    with duckdb.connect() as own:
        own.execute(printed)
        assert own.execute("select sum(spend) from rollup").fetchone() == (Decimal("6.75"),)


@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ("select count(*) from ad_day", []),
        ("from ledger", []),
        ("from ROLLUP", [DAILY]),
        ('select * from "primary_day"', [DAILY]),
        ("from facts(null, null, null, null, null, null)", [DAILY]),
        ("from campaign_rollup", [DAILY, CAMPAIGN]),
        ("from campaigns(null, null, null, null, null, null)", [DAILY, CAMPAIGN]),
    ],
)
def test_only_rollups_that_a_query_could_read_are_loaded(sql: str, kinds: list[Kind]) -> None:
    assert list(find_kinds(sql)) == kinds


def test_a_rollup_that_is_not_loaded_is_computed(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, ROWS)
    snapshot = lake.take_snapshot()
    write_rollups(lake, snapshot)
    for path in (tmp_path / "rollup").rglob("*.parquet"):
        path.write_bytes(b"")

    with open_reading_connection(lake, snapshot, stored=()) as connection:
        for view in ("rollup", "campaign_rollup"):
            found = run_query(connection, f"select sum(spend) from {view}").rows
            assert found == ((Decimal("6.75"),),)
