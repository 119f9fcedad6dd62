"""A statement reads no file of the master that has no rows of the days it asks for."""

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import LakeError
from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.days import find_days, find_spans, keep_days, make_span
from pipeline.kpi.query import Row, run_query
from pipeline.kpi.relations import select_files
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.selection import Selection
from pipeline.kpi.views import narrow_master, open_kpi_connection, open_reading_connection
from pipeline.lake import Lake
from pipeline.schema import AD_DAY
from tests.lakes import build_lake, make_row

YEAR = range(1, 13)
DAYS = (3, 20)
NOBODYS = "o'brien' AND date='2024-03-03'::DATE"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A file for each month of a year, with rows of two days."""
    rows = [
        make_row(campaign_id=f"c{day}", date=date(2024, month, day), cost=month, clicks=day)
        for month in YEAR
        for day in DAYS
    ]
    return build_lake(tmp_path_factory.mktemp("year [1]"), rows)


@pytest.fixture(scope="module")
def opened(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_reading_connection(
        lake, lake.take_snapshot(), stored=(), with_raw=False
    ) as connection:
        yield connection


class Reader:
    """Runs statements on one connection, each as if it were the first."""

    def __init__(self, lake: Lake, connection: duckdb.DuckDBPyConnection) -> None:
        self.snapshot = lake.take_snapshot()
        self.connection = connection

    def narrow(self, sql: str) -> None:
        whole = select_files(self.snapshot.file_uris, AD_DAY)
        self.connection.execute(f"create or replace view master_rows as {whole}")
        narrow_master(self.connection, self.snapshot, find_days(self.connection, sql))

    def read(self, sql: str) -> tuple[Row, ...]:
        self.narrow(sql)
        return run_query(self.connection, sql).rows

    def read_all(self, sql: str) -> tuple[Row, ...]:
        self.narrow("from ad_day")
        return run_query(self.connection, sql).rows

    def list_months(self, sql: str) -> list[int]:
        """Of which months the files are that `ad_day` names when a statement runs."""
        self.narrow(sql)
        [(text,)] = run_query(
            self.connection, "select sql from duckdb_views() where view_name = 'master_rows'"
        ).rows
        return [month for month in YEAR if f"month={month:02d}/" in str(text)]


@pytest.fixture
def reader(lake: Lake, opened: duckdb.DuckDBPyConnection) -> Reader:
    return Reader(lake, opened)


def read(lake: Lake, sql: str) -> tuple[Row, ...]:
    snapshot = lake.take_snapshot()
    with open_reading_connection(lake, snapshot, stored=(), with_raw=False) as connection:
        narrow_master(connection, snapshot, find_days(connection, sql))
        return run_query(connection, sql).rows


@pytest.mark.parametrize(
    ("condition", "months"),
    [
        ("date = '2024-03-03'", [3]),
        ("date = date '2024-03-01'", []),
        ("date = '2031-01-01'", []),
        ("date between '2024-03-20' and '2024-05-03'", [3, 4, 5]),
        ("date > '2024-03-20' and date < '2024-05-03'", [4]),
        ("date >= '2024-11-21'", [12]),
        ("'2024-02-03' > date", [1]),
        ("date in ('2024-03-03', '2024-09-20')", [3, 9]),
        ("date = '2024-03-03' or date > '2024-12-01'", [3, 12]),
        ("date_trunc('month', date) = '2024-06-01'", [6]),
        ("date = '2024-03-03' and platform = 'Google ADS' and cost > 2", [3]),
        # What says nothing of days in a way that is known here reads all.
        ("date = '2024-03-03' or cost > 11", list(YEAR)),
        ("date <> '2024-03-03'", list(YEAR)),
        ("month(date) = 3", list(YEAR)),
        ("date > 'infinity'", []),
        ("date < 'infinity'", list(YEAR)),
        (f"platform = '{NOBODYS.replace(chr(39), chr(39) * 2)}'", list(YEAR)),
        ("campaign_id = '2024-03-03'", list(YEAR)),
        ("true", list(YEAR)),
    ],
)
def test_only_files_with_rows_of_the_days_are_named_and_the_rows_are_the_same(
    reader: Reader, condition: str, months: list[int]
) -> None:
    sql = f"select date, cost from ad_day where {condition} order by all"
    assert reader.list_months(sql) == months
    assert reader.read(sql) == reader.read_all(sql)


@pytest.mark.parametrize(
    ("sql", "months"),
    [
        ("select count(*) from ad_day", list(YEAR)),
        ("select max(date) from ad_day", list(YEAR)),
        ("select * from ad_day order by date desc limit 1", list(YEAR)),
        ("from ad_day join ad_day b using (date) where ad_day.date = '2024-05-03'", [5]),
        ("from ad_day a, ad_day b where a.date = '2024-05-03' and b.date = '2024-08-20'", [5, 8]),
        ("from ad_day a, ad_day b where a.date = '2024-05-03'", list(YEAR)),
        (
            "with x as materialized (from ad_day where date < '2024-02-01') from x, x y",
            [1],
        ),
        ("select * from ledger, ad_day where date = '2024-03-03'", [3]),
        ("select count(*) from ad_day where date = (select max(date) from ad_day)", list(YEAR)),
        ("from ad_day where date = '2024-03-03' union all from ad_day where line = 7", list(YEAR)),
        ("select exists (from ad_day where date = '2024-03-03'), count(*) from ad_day", list(YEAR)),
        ("explain select * from ad_day where date = '2024-03-03'", list(YEAR)),
        ("select nothing from nowhere", list(YEAR)),
        ("select 1; select * from ad_day where date = '2024-03-03'", [3]),
    ],
)
def test_a_file_is_left_out_only_where_no_part_of_the_statement_needs_it(
    reader: Reader, sql: str, months: list[int]
) -> None:
    assert reader.list_months(sql) == months


@pytest.mark.slow
def test_random_conditions_give_the_same_rows(reader: Reader) -> None:
    pick = random.Random(5)
    for _ in range(60):
        sql = f"select date, cost from ad_day where {make_condition(pick)} order by all"
        assert reader.read(sql) == reader.read_all(sql), sql


def make_condition(pick: random.Random, depth: int = 3) -> str:
    if depth and pick.random() < 0.6:
        both = [make_condition(pick, depth - 1) for _ in range(2)]
        whole = f"({both[0]} {pick.choice(['and', 'or'])} {both[1]})"
        return f"not {whole}" if pick.random() < 0.2 else whole
    days = [f"date '{date(2024, 1, 1) + timedelta(pick.randrange(-9, 375))}'" for _ in range(3)]
    return pick.choice(
        [
            f"date {pick.choice(['=', '<', '<=', '>', '>=', '<>'])} {days[0]}",
            f"date in ({', '.join(days)})",
            f"date not between {min(days)} and {max(days)}",
            f"date - 5 > {days[0]}",
            f"cost = {pick.choice(YEAR)}",
        ]
    )


def spoil(lake: Lake, *, but: list[int]) -> Callable[[], None]:
    """Makes the master's files of other months such that nobody can read them."""
    files = {file: file.read_bytes() for file in Path(lake.uri, "master").rglob("year=*/*/*")}
    for file in files:
        if int(file.parent.name.removeprefix("month=")) not in but:
            file.write_bytes(b"")

    def mend() -> None:
        for file, data in files.items():
            file.write_bytes(data)

    return mend


def test_files_of_other_days_are_not_even_opened(lake: Lake) -> None:
    snapshot = lake.take_snapshot()
    write_rollups(lake, snapshot)
    wanted = Selection(campaign="c3", start=date(2024, 8, 2), end=date(2024, 9, 4))
    # Of a list of files the engine looks into the first.
    restore = spoil(lake, but=[1, 8, 9])
    try:
        for kpi in ("total", "campaign"):
            with open_kpi_connection(lake, snapshot, kept=(DAILY,)) as connection:
                narrow_master(connection, snapshot, [make_span(wanted.start, wanted.end)])
                [row] = run_kpi(connection, kpi, wanted).to_dicts()
            assert row["spend"] == 8 + 9, kpi
        sql = "select sum(cost) from ad_day where date = '2024-09-20'"
        assert read(lake, sql) == ((9,),)
        assert read(lake, "select sum(cost) from ad_day where date = '2031-09-20'") == ((None,),)
    finally:
        restore()


def count_read_bytes() -> int:
    [line] = [
        line for line in Path("/proc/self/io").read_text().splitlines() if line.startswith("rchar")
    ]
    return int(line.split()[1])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system does not count bytes")
def test_a_query_of_one_day_reads_the_bytes_of_its_month_only(tmp_path: Path) -> None:
    rows = [
        make_row(campaign_id=secrets.token_hex(40), line=line, date=date(2024, month, 3), cost=1)
        for month in YEAR
        for line in range(500)
    ]
    lake = build_lake(tmp_path, rows)
    sizes = [file.size for file in lake.take_snapshot().files]
    counts = []
    for condition in ("date = '2024-06-03'", "length(account) > 1"):
        before = count_read_bytes()
        sql = f"select max(campaign_id), count(*) from ad_day where {condition}"
        assert read(lake, sql)[0][1] in (500, 6_000)
        counts.append(count_read_bytes() - before)
    assert counts[1] > sum(sizes) * 0.8
    assert counts[1] - counts[0] > sum(sizes) * 0.7


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, date(2024, 3, 20)),
        (date(2024, 3, 4), None),
        (date(2024, 3, 4), date(2024, 10, 31)),
        (date(2024, 3, 1), date(2024, 3, 3)),
    ],
)
def test_kpis_of_some_days_are_those_of_the_whole_master(
    lake: Lake, start: date | None, end: date | None
) -> None:
    """Whatever of it they read, with and without rollups."""
    snapshot = lake.take_snapshot()
    wanted = Selection(start=start, end=end, campaign="c3")
    several = [replace(wanted, campaign=campaign) for campaign in (None, "c3")]
    found = []
    for selection in (wanted, Selection()):
        with open_kpi_connection(lake, snapshot) as connection:
            narrow_master(connection, snapshot, [make_span(selection.start, selection.end)])
            found.append(
                [run_kpi(connection, kpi, one) for kpi in ("month", "campaign") for one in several]
            )
    assert found[0] == found[1]


def test_a_file_whose_days_the_log_does_not_say_is_always_read(lake: Lake) -> None:
    snapshot = lake.take_snapshot()
    unknown = replace(snapshot.files[4], first_date=None, last_date=None)
    files = (*snapshot.files[:4], unknown, *snapshot.files[5:])
    later = [make_span(date(2031, 1, 1), None)]
    assert keep_days(snapshot, later) == []
    assert keep_days(replace(snapshot, files=files), later) == [snapshot.file_uris[4]]


def test_a_plan_without_a_scan_of_the_master_leaves_nothing_out(reader: Reader) -> None:
    """As of contradictory days, or where its files had other columns than we expect."""
    assert reader.list_months(
        "from ad_day where date = '2024-03-03' and line > 1 and line < 1"
    ) == [*YEAR]
    other = {"type": "LOGICAL_GET", "names": ["date"], "table_filters": {"filters": []}}
    assert find_spans({"error": False, "plans": [other]}) == [make_span(None, None)]


def test_a_plan_of_an_unknown_kind_leaves_nothing_out() -> None:
    assert find_spans({}) == find_spans({"error": True}) == [make_span(None, None)]


@pytest.mark.parametrize("column", ["file_row_number", "file_index"])
def test_what_the_engine_adds_to_a_file_is_no_day(lake: Lake, column: str) -> None:
    [path, *_] = lake.fetch(lake.take_snapshot().file_uris)
    counted = f"select count(*) from read_parquet('{path}') where {column} = 0"
    assert read(lake, f"{counted} or true") == ((len(DAYS),),)
    assert read(lake, counted)


def test_a_plan_of_another_shape_leaves_nothing_out(reader: Reader) -> None:
    plan = {"error": False, "plans": [{"type": "LOGICAL_GET", "names": [*AD_DAY.names]}]}
    with pytest.raises(LookupError):
        find_spans(plan)
    deep = " + ".join(["cost"] * 2_000)
    assert reader.list_months(f"select {deep} from ad_day where date = '2024-03-03'") in (
        [3],
        list(YEAR),
    )


def test_a_damaged_file_that_is_needed_is_said_to_be_one(tmp_path: Path) -> None:
    rows = [make_row(date=date(2024, month, 3)) for month in YEAR]
    damaged = build_lake(tmp_path, rows)
    spoil(damaged, but=[month for month in YEAR if month != 3])
    snapshot = damaged.take_snapshot()
    with (
        open_reading_connection(damaged, snapshot, stored=(), with_raw=False) as connection,
        pytest.raises(LakeError, match="fsck"),
    ):
        narrow_master(connection, snapshot, [make_span(date(2024, 3, 1), date(2024, 3, 5))])


def test_many_days_are_few_spans(lake: Lake) -> None:
    snapshot = lake.take_snapshot()
    days = [date(2024, 3, 1) + timedelta(number) for number in range(31)]
    random.Random(1).shuffle(days)
    assert len(keep_days(snapshot, [make_span(day, day) for day in days])) == 1
