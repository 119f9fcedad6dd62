"""Runs one reading statement and gives its rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.errors import QueryError
from pipeline.kpi.reach import explain_failure

_ALLOWED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a statement.

    Attributes:
        columns: Names, each one once.
        rows: Values in the order of `columns`: None, bool, int, float, Decimal, str, bytes, date,
            datetime (UTC where it has a zone), and lists and dicts of these.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def to_dicts(self) -> list[dict[str, object]]:
        """Each row as a dict from column name to value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def run_query(connection: duckdb.DuckDBPyConnection, sql: str) -> Result:
    """Runs a person's statement.

    Args:
        connection: One of `open_reading_connection`.
        sql: Exactly one statement of the type SELECT or EXPLAIN (of a SELECT).

    Raises:
        QueryError: It is not, or the engine refused it.
    """
    _refuse_other_statements(connection, sql)
    return _convert(fetch_table(connection, sql))


def fetch_table(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object] | None = None
) -> pa.Table:
    """Runs a statement of ours.

    Args:
        connection: One of `open_reading_connection`.
        sql: The statement.
        values: Of its parameters.

    Raises:
        QueryError: The engine refused it.
        StorageError: The lake's store refused it, or failed to the end.
    """
    try:
        return connection.execute(sql, dict(values or {})).to_arrow_table()
    except duckdb.PermissionException as error:
        raise QueryError(
            f"{error}\nA query reads the files of this lake and nothing else."
        ) from error
    except duckdb.Error as error:
        raise (explain_failure(error) or QueryError(str(error))) from error


def fetch_result(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object] | None = None
) -> Result:
    """Runs a statement of ours and gives its rows; arguments and errors as for `fetch_table`."""
    return _convert(fetch_table(connection, sql, values))


def _refuse_other_statements(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        sql.encode()  # the engine takes no text that is not Unicode, and has no error of its own
        statements = connection.extract_statements(sql)
    except (duckdb.Error, UnicodeEncodeError) as error:
        raise QueryError(str(error)) from error
    kinds = [statement.type for statement in statements]
    if len(kinds) == 1 and kinds[0] in _ALLOWED and _explains_select(connection, sql, kinds[0]):
        return
    got = " and ".join(kind.name for kind in kinds) or "none"
    raise QueryError(
        f"a query is exactly one statement of the type SELECT or EXPLAIN SELECT; got {len(kinds)}: "
        f"{got}. A PIVOT without an IN list counts as CREATE and SELECT: list its values with IN."
    )


def _explains_select(
    connection: duckdb.DuckDBPyConnection, sql: str, kind: duckdb.StatementType
) -> bool:
    """Whether an EXPLAIN is one of a SELECT: EXPLAIN ANALYZE runs what it explains."""
    if kind != duckdb.StatementType.EXPLAIN:  # these values are equal, but not the same object
        return True
    # The explained statement is the first rest of the text that is a statement by itself; what
    # stands before it are the word EXPLAIN and its options.
    text = sql.encode()
    for start, _ in duckdb.tokenize(sql)[1:]:
        try:
            inner = connection.extract_statements(text[start:].decode())
        except duckdb.Error:
            continue
        return [statement.type for statement in inner] == [duckdb.StatementType.SELECT]
    return False


def _convert(table: pa.Table) -> Result:
    columns = [_convert_column(column) for column in table.columns]
    return Result(
        columns=_make_unique(table.column_names),
        rows=tuple(zip(*columns, strict=True)),
    )


def _convert_column(column: "pa.ChunkedArray[Any]") -> list[object]:
    try:
        values: list[object] = (
            _read_times(column) if pa.types.is_timestamp(column.type) else column.to_pylist()
        )
    except (OverflowError, ValueError) as error:
        raise QueryError(
            f"a value lies beyond what can be shown ({error}): cast it to varchar"
        ) from error
    if pa.types.is_decimal(column.type) and column.type.scale == 0:
        return [None if value is None else int(str(value)) for value in values]
    return values


def _read_times(column: "pa.ChunkedArray[Any]") -> list[object]:
    """Times as datetimes; Arrow's own way imports pandas, where that is installed."""
    start = datetime(1970, 1, 1, tzinfo=UTC if column.type.tz else None)
    microseconds = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).to_pylist()
    return [
        None if count is None else start + timedelta(microseconds=count) for count in microseconds
    ]


def _make_unique(names: Iterable[str]) -> tuple[str, ...]:
    """Numbers repeated names, as a row must have each once; the way DuckDB itself does it."""
    unique: list[str] = []
    for name in names:
        candidate, number = name, 0
        while candidate in unique:
            number += 1
            candidate = f"{name}_{number}"
        unique.append(candidate)
    return tuple(unique)
