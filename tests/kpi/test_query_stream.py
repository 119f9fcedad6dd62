"""A statement's rows in every form, its errors in a person's words, and its end by a signal."""

import csv
import io
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import LakeError, QueryError
from pipeline.kpi.interrupt import hold_interrupts, run_interruptible
from pipeline.kpi.output import render_csv, render_json
from pipeline.kpi.query import BATCH_ROWS, fetch_result, run_query, stream_query
from pipeline.kpi.stream import write_rows
from pipeline.kpi.views import open_reading_connection
from tests.lakes import build_lake, make_row

KINDS = (
    "select 0.10::decimal(9, 2) as cost, 'ñ,\"x\"' as text, null::int as a, 1::hugeint as a, "
    "[1, null] as list, {'k': 0.5::double} as map, date '2024-02-29' as day, "
    "'nan'::double as nan, timestamptz '2024-01-01 00:00:00+00' as at"
)

LATE = "select cast(if(range = 2000000, 'x', '1') as int) from range(3000000)"


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    lake = build_lake(tmp_path_factory.mktemp("lake"), [make_row(cost="0.10")])
    with open_reading_connection(lake, lake.take_snapshot()) as opened:
        yield opened


def write(connection: duckdb.DuckDBPyConnection, sql: str, form: str) -> bytes:
    sink = io.BytesIO()
    write_rows(stream_query(connection, sql), form, sink)
    return sink.getvalue()


@pytest.mark.parametrize("sql", [KINDS, "select 1 as x where false", "from ad_day"])
def test_streamed_text_is_what_is_written_of_all_rows_at_once(
    connection: duckdb.DuckDBPyConnection, sql: str
) -> None:
    result = run_query(connection, sql)

    assert write(connection, sql, "csv").decode() == render_csv(result)
    assert write(connection, sql, "json").decode() == render_json(result)


@pytest.mark.slow
def test_rows_of_many_batches_are_all_there_in_every_form(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    count = 2 * BATCH_ROWS + 3
    sql = f"select range as x, range * 0.01::decimal(9, 2) as y from range({count})"

    parquet = pq.read_table(io.BytesIO(write(connection, sql, "parquet")))
    with pa.ipc.open_stream(write(connection, sql, "arrow")) as reader:
        arrow = reader.read_all()

    assert parquet.num_rows == arrow.num_rows == count
    assert parquet["y"].to_pylist() == arrow["y"].to_pylist()
    assert parquet["y"][-1].as_py() == Decimal(count - 1) / 100
    assert write(connection, sql, "csv").count(b"\n") == count + 1
    assert len(json.loads(write(connection, sql, "json"))) == count
    assert len(run_query(connection, sql, limit=7).rows) == 7


def test_repeated_names_are_numbered_in_binary_forms_too(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    table = pq.read_table(io.BytesIO(write(connection, KINDS.partition(", [1")[0], "parquet")))

    assert table.column_names == ["cost", "text", "a", "a_1"]


def test_a_type_that_a_form_lacks_is_refused_with_advice(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(QueryError, match=r"cannot be written as parquet .*: cast it"):
        write(connection, "select union_value(k := 1) as i", "parquet")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select\n  nosuch\nfrom ad_day", "LINE 2:   nosuch\n          ^"),
        ("selec 1", 'syntax error at or near "selec"\nLINE 1: selec 1\n        ^'),
        ("select 1 where", "syntax error at end of input\nLINE 1: select 1 where\n          "),
        ("select * from nope", "Table with name nope does not exist"),
        ("select nocost from ad_day", 'not found in FROM clause; Candidate bindings: "cost"'),
        ("select error('stop')", "stop"),
    ],
)
def test_an_error_is_one_line_and_the_place(
    connection: duckdb.DuckDBPyConnection, sql: str, message: str
) -> None:
    with pytest.raises(QueryError) as refusal:
        run_query(connection, sql)

    text = str(refusal.value)
    assert message in text
    assert "Error:" not in text
    assert text.count("\n") in {0, 2}


@pytest.mark.slow
def test_an_error_in_a_late_row_is_said_likewise(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError, match=r"Could not convert string 'x' to INT32"):
        write(connection, LATE, "csv")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (LATE, "Could not convert string 'x' to INT32"),
        (LATE.replace("'x'", "'2'"), "Interrupted"),
    ],
)
def test_a_thread_of_the_engine_that_was_interrupted_is_not_the_reason(
    connection: duckdb.DuckDBPyConnection, sql: str, said: str
) -> None:
    stream = stream_query(connection, sql)
    rows = iter(stream)
    next(rows)
    connection.interrupt()  # as a thread of the engine does that fails
    with pytest.raises(QueryError, match=said):
        list(rows)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_statement_that_fails_at_once_writes_nothing(
    connection: duckdb.DuckDBPyConnection, form: str
) -> None:
    sink = io.BytesIO()
    with pytest.raises(QueryError):
        write_rows(stream_query(connection, "select cast(platform as int) from ad_day"), form, sink)
    assert sink.getvalue() == b""


@pytest.mark.parametrize("form", ["sum(a.range * b.range)", "a.range * b.range"])
def test_a_signal_ends_a_statement_at_once(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = (
        f"select {form} from range(10000000) a, range(10000000) b "
        "where (a.range * b.range) % 999999999999 = 7"
    )
    lake = build_lake(tmp_path, [make_row()])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with open_reading_connection(lake, lake.take_snapshot()) as own:
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt):
                run_interruptible(own, lambda: write(own, endless, "csv"))
            assert run_query(own, "select 1").rows == ((1,),)  # the connection is still good
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_while_it_could_get_lost(number: signal.Signals) -> None:
    class TellError(Exception):
        pass

    def tell(*_: object) -> None:
        raise TellError

    before = signal.signal(number, tell)
    steps = ["begun"]
    try:
        with pytest.raises(TellError), hold_interrupts():  # noqa: PT012 - where it is raised counts
            os.kill(os.getpid(), number)
            steps.append("gone on")
        assert signal.getsignal(number) is tell
    finally:
        signal.signal(number, before)
    assert steps == ["begun", "gone on"]


def test_names_of_columns_may_have_line_ends(connection: duckdb.DuckDBPyConnection) -> None:
    text = write(connection, 'select 1 as "a\nb", 2 as c', "csv").decode()

    assert list(csv.reader(io.StringIO(text))) == [["a\nb", "c"], ["1", "2"]]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("340282366920938463463374607431768211455::uhugeint", "UHUGEINT"),
        ("timetz '10:00:00+02'", "TIME WITH TIME ZONE"),
        ("interval 1 month", "INTERVAL"),
        ("[{'k': '101'::bit}]", "BIT"),
        ("map {'k': interval 1 day}", "INTERVAL"),
    ],
)
def test_a_value_that_would_be_shown_as_another_is_refused_with_advice(
    connection: duckdb.DuckDBPyConnection, expression: str, kind: str
) -> None:
    with pytest.raises(QueryError, match=f"column 'x' has the type {kind}: cast it to varchar"):
        run_query(connection, f"select {expression} as x")

    assert run_query(connection, f"select ({expression})::varchar as x").rows != ((None,),)


def clear_footer(data: bytes) -> bytes:
    """A Parquet file whose description of itself is zeros; its length still stands at the end."""
    size = int.from_bytes(data[-8:-4], "little")
    return data[: -8 - size] + bytes(size) + data[-8:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        clear_footer,
        lambda data: data[:4] + bytes(byte ^ 0x55 for byte in data[4:200]) + data[200:],
    ],
)
def test_a_damaged_file_of_the_master_is_no_fault_of_the_sql(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    days = [date(2024, month, 1) for month in (1, 2)]
    lake = build_lake(tmp_path, [make_row(date=day, cost=1) for day in days])
    snapshot = lake.take_snapshot()
    [damaged] = (tmp_path / "master").glob("year=2024/month=02/*.parquet")
    damaged.write_bytes(spoil(damaged.read_bytes()))

    with open_reading_connection(lake, snapshot) as connection:
        for ask in (run_query, fetch_result):
            with pytest.raises(LakeError, match=r"a file of this lake is damaged: .*adlake fsck"):
                ask(connection, "select * from ad_day")
