"""What a person's statement may do, and what it may not."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipeline.errors import QueryError
from pipeline.kpi.query import run_query
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake
from pipeline.schema import REJECTS
from tests.lakes import build_lake, make_ledger_row, make_row, write_file

SECRET_OF_THIS_PROGRAM = pa.table({"secret": ["not for a query"]})

HOSTILE = [
    "attach '{outside}/other.db' as other",
    "copy ad_day to '{lake}/stolen.csv'",
    "copy (select 1) to '{outside}/stolen.csv'",
    "set memory_limit = '1TB'",
    "reset threads",
    "install httpfs",
    "load httpfs",
    "pragma memory_limit = '1TB'",
    "call pragma_version()",
    "create table t as select 1 as x",
    "create view ad_day2 as select 1 as x",
    "drop view ad_day",
    "insert into ad_day select * from ad_day",
    "update ad_day set cost = 0",
    "delete from ad_day",
    "select 1; select 2",
    "select 1; drop view ad_day",
    "select * from read_text('{outside}/secret.csv')",
    "select * from read_csv('{outside}/secret.csv')",
    "select * from '{outside}/secret.csv'",
    "select * from read_blob('{lake}/../outside/secret.csv')",
    "select * from read_csv('http://127.0.0.1:9/x.csv')",
    "select * from read_parquet('s3://bucket/x.parquet')",
    "select * from glob('{outside}/*')",
    "select getenv('HOME')",
    "export database '{lake}/dump'",
    "import database '{lake}/dump'",
    "checkpoint",
    "vacuum",
    "begin",
    "use memory",
    "prepare q as select 1",
    "create secret (type s3)",
    "explain analyze copy (select 1) to '{lake}/stolen.csv'",
    "explain analyze create table t as select 1 as x",
    "/* a */ explain /* b */ (analyze) insert into ad_day select * from ad_day",
    "with a as (select 1 as x) insert into ad_day select * from a",
    "select * from SECRET_OF_THIS_PROGRAM",
    "pivot ad_day on platform using sum(cost)",
    "select $1",
    "select",
    "selec 1",
    "select nosuch from ad_day",
    "select error('stop')",
    "select cast('x' as integer)",
    "",
    "-- nothing",
    "select 'open",
    "select \ud800",
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    base = tmp_path_factory.mktemp("base")
    (base / "outside").mkdir()
    (base / "outside" / "secret.csv").write_text("secret\n1\n")
    return build_lake(base / "lake", [make_row(cost="0.10", impressions=1)])


@pytest.fixture(scope="module")
def connection(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_reading_connection(lake, lake.take_snapshot()) as opened:
        yield opened


@pytest.mark.parametrize("statement", HOSTILE)
def test_a_hostile_or_wrong_statement_is_refused_and_changes_nothing(
    statement: str, lake: Lake, connection: duckdb.DuckDBPyConnection
) -> None:
    base = Path(lake.uri).parent
    before = sorted(base.rglob("*"))
    sql = statement.replace("{lake}", lake.uri).replace("{outside}", f"{base}/outside")

    with pytest.raises(QueryError) as refusal:
        run_query(connection, sql)

    assert str(refusal.value).strip()
    assert sorted(base.rglob("*")) == before
    assert run_query(connection, "select count(*) from ad_day").rows == ((1,),)


@pytest.mark.parametrize(
    "statement",
    [
        "select cost from ad_day",
        "select cost from ad_day;",
        "/* first */ from ad_day select cost -- last",
        "with a as (select cost from ad_day) select * from a",
    ],
)
def test_one_reading_statement_runs_however_it_is_written(
    statement: str, connection: duckdb.DuckDBPyConnection
) -> None:
    assert run_query(connection, statement).rows == ((Decimal("0.10"),),)


@pytest.mark.parametrize(
    "statement",
    [
        "explain select 1",
        "explain analyze select count(*) from ad_day",
        "explain (analyze, format json) select 1",
        "describe ad_day",
        "summarize ad_day",
        "show tables",
        "values (1)",
        "pivot ad_day on platform in ('Google ADS') using sum(cost)",
    ],
)
def test_other_ways_to_read_run_as_well(
    statement: str, connection: duckdb.DuckDBPyConnection
) -> None:
    assert run_query(connection, statement).rows


def test_the_refusal_says_what_was_got_and_what_is_allowed(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(QueryError, match=r"SELECT or EXPLAIN SELECT; got 2: SELECT and DROP"):
        run_query(connection, "select 1; drop view ad_day")
    with pytest.raises(QueryError, match=r"got 2: CREATE and SELECT\. A PIVOT without an IN list"):
        run_query(connection, "pivot ad_day on platform using sum(cost)")
    with pytest.raises(QueryError, match=r"got 1: DELETE$"):
        run_query(connection, "delete from ad_day")
    with pytest.raises(QueryError, match="LINE 1: select nosuch from ad_day"):
        run_query(connection, "select nosuch from ad_day")
    with pytest.raises(QueryError, match="files of this lake and nothing else"):
        run_query(connection, "select * from read_csv('/etc/passwd')")


def test_values_arrive_as_plain_python_with_each_name_once(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    result = run_query(
        connection,
        "select 1::hugeint as a, sum(impressions) as a, [1, null] as list, "
        "{'k': 0.5::double} as map, delivered_at from ad_day group by all",
    )

    assert result.columns == ("a", "a_1", "list", "map", "delivered_at")
    first, second, *rest, delivered_at = result.rows[0]
    assert (type(first), type(second)) == (int, int)
    assert rest == [[1, None], {"k": 0.5}]
    assert str(delivered_at) == "2025-01-01 00:00:00+00:00"


@pytest.mark.parametrize(
    "name", ["it's a lake", "lake[1]", "lake*", "a[b]*'c d", "läke 1", "-lake"]
)
def test_a_lake_reads_exactly_its_own_files_whatever_its_folder_is_called(
    tmp_path: Path, name: str
) -> None:
    # What the name would match if it were taken as a pattern.
    for decoy in ("lake1", "lakex", "abzz'c d"):
        build_lake(tmp_path / decoy, [make_row(account="decoy")])
    lake = build_lake(tmp_path / name, [make_row(account="own")])

    with open_reading_connection(lake, lake.take_snapshot()) as connection:
        assert run_query(connection, "select account from ad_day").rows == (("own",),)
        assert run_query(connection, "select sum(rows) from rollup").rows == ((1,),)
        with pytest.raises(QueryError):
            run_query(connection, f"from read_parquet('{tmp_path}/lake1/master/**/*.parquet')")


def test_only_reject_files_that_the_ledger_names_are_in_quarantine(tmp_path: Path) -> None:
    lake = build_lake(
        tmp_path,
        [make_row()],
        ledger=[
            make_ledger_row(path="landing/a.csv", reject_path="quarantine/n=1/[a].parquet"),
            make_ledger_row(path="landing/b.csv"),
        ],
    )
    write_file(lake, "quarantine/n=1/[a].parquet", make_rejects("landing/a.csv"))
    write_file(lake, "quarantine/n=1/a.parquet", make_rejects("never named"))

    with open_reading_connection(lake, lake.take_snapshot()) as connection:
        found = run_query(connection, "select path, line from quarantine").rows

    assert found == (("landing/a.csv", 2),)


def make_rejects(path: str) -> pa.Table:
    row = dict.fromkeys(REJECTS.names, "x") | {"path": path, "line": 2}
    return pa.Table.from_pylist([row | {"n": 1}], REJECTS)
