"""Commands for SQL of one's own: query, views."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.command import Session, on_lake
from pipeline.cli.options import Format, SafeOption, When
from pipeline.errors import UsageError

if TYPE_CHECKING:
    import duckdb

_log = logging.getLogger(__name__)

TABLE_ROWS: Final = 10_000
"""A table on the terminal has so many rows at most: its columns are as wide as their widest cell,
so it has to be in memory."""


class QueryFormat(StrEnum):
    """How rows of a query are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    ARROW = "arrow"


@on_lake
def query(
    session: Session,
    sql: Annotated[str, typer.Argument(help="One SELECT over ad_day, rollup, ledger, ...")],
    output: Annotated[
        Path | None, typer.Option("--output", help="Write into this file.", metavar="FILE")
    ] = None,
    *,
    when: When,
    form: Annotated[
        QueryFormat | None,
        typer.Option("--format", help="How to print [default: table, or as FILE ends]."),
    ] = None,
    safe: SafeOption = False,
) -> None:
    """Run one reading SQL statement on the lake."""
    chosen = choose_format(form, output)
    if safe and chosen is not QueryFormat.CSV:
        raise UsageError("--safe-for-spreadsheets is about CSV: add --format csv")
    if chosen in {QueryFormat.PARQUET, QueryFormat.ARROW} and not output and sys.stdout.isatty():
        raise UsageError(f"{chosen.value} is not for a terminal: name a file with --output")
    from pipeline.cli.output import keep_out_of_lake
    from pipeline.engine import limited_memory
    from pipeline.kpi.connection import PROCESS_BYTES
    from pipeline.kpi.days import find_days
    from pipeline.kpi.interrupt import hold_interrupts, run_interruptible
    from pipeline.kpi.table_files import warn_of_table_files
    from pipeline.kpi.view_list import find_kinds
    from pipeline.kpi.views import narrow_master, open_reading_connection

    snapshot = when.pin(session)
    if output is not None:
        keep_out_of_lake(output, session)
    with (
        limited_memory(PROCESS_BYTES),
        hold_interrupts() as held,
        open_reading_connection(
            session.lake, snapshot, workers=session.settings.workers, stored=find_kinds(sql)
        ) as connection,
    ):
        _log.info("querying version %d", snapshot.version)
        warn_of_table_files(sql)

        def work() -> None:
            narrow_master(connection, snapshot, find_days(connection, sql))
            _write(connection, sql, form=chosen, output=output, safe=safe)

        run_interruptible(connection, work, held=held)


def choose_format(form: QueryFormat | None, output: Path | None) -> QueryFormat:
    """The form of the rows: the one asked for, else as the file's name ends, else a table.

    Raises:
        UsageError: A file is to be written, and its form is not known or is none for files.
    """
    if form is None and output is not None:
        suffix = output.suffix.lower().removeprefix(".")
        form = QueryFormat(suffix) if suffix in set(QueryFormat) else QueryFormat.TABLE
    if output is not None and form is QueryFormat.TABLE:
        raise UsageError(
            f"{output}: a table is for the terminal; choose --format csv, json, parquet or arrow"
        )
    return form or QueryFormat.TABLE


def _write(
    connection: "duckdb.DuckDBPyConnection",
    sql: str,
    *,
    form: QueryFormat,
    output: Path | None,
    safe: bool,
) -> None:
    from pipeline.cli.output import make_safe, print_plan, print_result
    from pipeline.kpi.query import is_plan, run_query, stream_query
    from pipeline.kpi.stream import write_rows

    if form is not QueryFormat.TABLE:
        rows = stream_query(connection, sql)
        with _open_sink(output) as sink:
            write_rows(rows, form.value, sink, change=make_safe if safe else None)
        return
    result = run_query(connection, sql, limit=TABLE_ROWS + 1)
    if is_plan(connection, sql):
        print_plan(result)
        return
    print_result(result.keep(TABLE_ROWS), form=Format.TABLE)
    if len(result.rows) > TABLE_ROWS:
        typer.echo(f"only the first {TABLE_ROWS:,} rows: --format csv writes all", err=True)


@contextlib.contextmanager
def _open_sink(output: Path | None) -> Iterator[IO[bytes]]:
    """The standard output, or a file."""
    from pipeline.cli.output import open_file

    if output is not None:
        with open_file(output) as sink:
            yield sink
        return
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@on_lake
def views(
    session: Session,
    when: When,
) -> None:
    """Print the SQL that makes the views of one version in your own DuckDB."""
    from pipeline.kpi.views import views_sql

    snapshot = when.pin(session)
    text = views_sql(session.lake, snapshot, workers=session.settings.workers)
    sys.stdout.write(text)
