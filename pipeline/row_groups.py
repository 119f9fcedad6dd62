"""Cuts tables anew, so that a file's row groups do not depend on how its rows came."""

from collections.abc import Iterable, Iterator

import pyarrow as pa


def regroup(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yields the same rows in tables of a fixed size.

    Args:
        tables: Of one schema; may be empty.
        rows: Of each table that is yielded, but the last.

    Returns:
        Tables with one chunk a column: where chunks end, a writer may also end a page.
    """
    pending: list[pa.Table] = []
    count = 0
    for table in tables:
        rest = table
        while count + rest.num_rows >= rows:
            room = rows - count
            pending.append(rest.slice(0, room))
            rest, count = rest.slice(room), 0
            yield _drain(pending)
        if rest.num_rows:
            pending.append(rest)
            count += rest.num_rows
    if pending:
        yield _drain(pending)


def _drain(tables: list[pa.Table]) -> pa.Table:
    """Joins all tables of a list and empties it: whoever gets the rows holds them alone."""
    joined = pa.concat_tables(tables).combine_chunks()
    tables.clear()
    return joined
