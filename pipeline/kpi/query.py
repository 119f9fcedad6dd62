"""Runs one reading statement and gives its rows."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import duckdb
import pyarrow as pa
from duckdb import sqltypes

from pipeline.errors import AdlakeError, LakeError, QueryError
from pipeline.kpi.literals import write_arguments
from pipeline.kpi.query_errors import explain_error, find_damage
from pipeline.kpi.reach import explain_failure

_ALLOWED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)

_LOST: Final = frozenset({"bit", "interval", "time with time zone", "uhugeint"})
"""Types without an Arrow type of the same values: UHUGEINT would wrap, a time lose its zone."""

_NESTED: Final = frozenset({"array", "list", "map", "struct", "union"})

BATCH_ROWS: Final = 65_536
"""Rows of a statement that are in memory at once."""

_REFUSALS: Final = (duckdb.Error, pa.ArrowException, OSError)
"""What reading a stream of the engine's raises."""

_INTERRUPTED: Final = "INTERRUPT Error"
_TRIES: Final = 3

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

    def keep(self, count: int) -> "Result":
        """The first rows, so many at most."""
        return Result(self.columns, self.rows[:count])


class RowStream:
    """The rows of a statement, as batches that are made when they are asked for.

    Attributes:
        schema: Arrow types; each name is there once.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, sql: str) -> None:
        self._connection = connection
        self._reader = connection.to_arrow_reader(BATCH_ROWS)
        self._sql = sql
        fields = self._reader.schema
        names = _make_unique(fields.names)
        self.schema = pa.schema(
            [field.with_name(name) for field, name in zip(fields, names, strict=True)]
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.schema.names)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yields the batches, once.

        Raises:
            QueryError: The engine refused the statement on the way.
            LakeError: A file that it reads is damaged.
            StorageError: The lake's store refused it, or failed to the end.
        """
        while True:
            try:
                batch = self._reader.read_next_batch()
            except StopIteration:
                return
            except _REFUSALS as error:
                raise _explain(self._find_reason(error), self._sql) from error
            yield pa.RecordBatch.from_arrays(batch.columns, schema=self.schema)

    def _find_reason(self, error: Exception) -> Exception:
        """Why the engine stopped, which it may not have said.

        A thread of it that fails interrupts the others, and one of these may be heard first. So the
        statement runs again, until it ends for another reason; its rows are thrown away.
        """
        for _ in range(_TRIES):
            if _INTERRUPTED not in str(error):
                break
            try:
                for _ in self._connection.execute(self._sql).to_arrow_reader(BATCH_ROWS):
                    pass
            except _REFUSALS as other:
                error = other
        return error


def stream_query(connection: duckdb.DuckDBPyConnection, sql: str) -> RowStream:
    """Begins to run a person's statement.

    Args:
        connection: One of `open_reading_connection`.
        sql: Exactly one statement of the type SELECT or EXPLAIN (of a SELECT).

    Raises:
        QueryError: It is not, or the engine refused it, or it has a column of `_LOST`.
        LakeError: A file that it reads is damaged.
    """
    _refuse_other_statements(connection, sql)
    with _explaining(sql):
        connection.execute(sql)
        for name, kind, *_ in connection.description or ():
            if lost := _find_lost_type(kind):
                raise QueryError(f"column {name!r} has the type {lost}: cast it to varchar")
        return RowStream(connection, sql)


def _find_lost_type(kind: sqltypes.DuckDBPyType) -> str:
    """The name of a type, or of one within it, whose values Arrow would not show as they are."""
    if kind.id in _LOST:
        return str(kind)
    children = kind.children if kind.id in _NESTED else ()
    parts = (part for _, part in children if isinstance(part, sqltypes.DuckDBPyType))
    return next(filter(None, map(_find_lost_type, parts)), "")


def run_query(
    connection: duckdb.DuckDBPyConnection, sql: str, *, limit: int | None = None
) -> Result:
    """Runs a person's statement and gives its rows; arguments and errors as `stream_query`.

    Args:
        connection: One of `open_reading_connection`.
        sql: The statement.
        limit: So many rows at most; None: all.
    """
    stream = stream_query(connection, sql)
    batches: list[pa.RecordBatch] = []
    for batch in stream:
        batches.append(batch)
        if limit is not None and sum(one.num_rows for one in batches) >= limit:
            break
    return to_result(pa.Table.from_batches(batches, stream.schema).slice(0, limit))


@contextlib.contextmanager
def _explaining(sql: str) -> Iterator[None]:
    """Says what the engine refuses in a person's words."""
    try:
        yield
    except duckdb.PermissionException as error:
        raise QueryError(
            f"{explain_error(str(error), sql)}\nA query reads the files of this lake and nothing "
            f"else."
        ) from error
    except duckdb.Error as error:
        raise _explain(error, sql) from error


def _explain(error: Exception, sql: str) -> AdlakeError:
    text = str(error)
    if damage := find_damage(text):
        return LakeError(f"a file of this lake is damaged: {damage}; adlake fsck names every one")
    return explain_failure(error) or QueryError(explain_error(text, sql))


def fetch_table(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object] | None = None
) -> pa.Table:
    """Runs a statement of ours.

    Values are not bound by the engine's own way: to look at them, it imports pandas, where that is
    installed, and that takes longer than most KPIs.

    Args:
        connection: One of `open_reading_connection`.
        sql: The statement.
        values: Of its parameters, of the kinds of `literals.write_literal`.

    Raises:
        QueryError: The engine refused it.
        UsageError: A text among the values is not Unicode.
        LakeError: A file that it reads is damaged.
        StorageError: The lake's store refused it, or failed to the end.
    """
    with _explaining(sql):
        if not values:
            return connection.execute(sql).to_arrow_table()
        connection.execute(f"prepare asked as {sql}")
        return connection.execute(f"execute asked{write_arguments(values)}").to_arrow_table()


def fetch_result(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object] | None = None
) -> Result:
    """Runs a statement of ours and gives its rows; arguments and errors as for `fetch_table`."""
    return to_result(fetch_table(connection, sql, values))


def is_plan(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether a statement that `run_query` takes gives a plan: whether it is an EXPLAIN."""
    [statement] = connection.extract_statements(sql)
    return statement.type == duckdb.StatementType.EXPLAIN


def _refuse_other_statements(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        sql.encode()  # the engine takes no text that is not Unicode, and has no error of its own
        statements = connection.extract_statements(sql)
    except (duckdb.Error, UnicodeEncodeError) as error:
        raise QueryError(explain_error(str(error), sql)) from error
    kinds = [statement.type for statement in statements]
    if len(kinds) == 1 and kinds[0] in _ALLOWED and _explains_select(connection, sql, kinds[0]):
        return
    got = " and ".join(kind.name for kind in kinds) or "none"
    message = (
        f"a query is exactly one statement of the type SELECT or EXPLAIN SELECT; got {len(kinds)}: "
        f"{got}"
    )
    if duckdb.StatementType.CREATE in kinds:
        message += (
            ". A PIVOT without an IN list counts as CREATE and SELECT: list its values with IN."
        )
    raise QueryError(message)


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


def to_result(table: pa.Table) -> Result:
    """The rows of an Arrow table as plain Python values."""
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
