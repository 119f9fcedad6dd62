"""What is in quarantine: each question is one statement in sql/quarantine/."""

import duckdb

from pipeline.errors import UsageError
from pipeline.kpi.query import Result, fetch_result
from pipeline.kpi.statements import read_statement

_NAMED = 3


def count_refused(connection: duckdb.DuckDBPyConnection, *, by: str) -> Result:
    """How much is in quarantine.

    Args:
        connection: One of `open_reading_connection`.
        by: `reason`, `file` or `source`.

    Returns:
        What it is counted by, files, refused_rows (none where the file was refused whole),
        first_path, example; most rows first.
    """
    return fetch_result(connection, read_statement(f"quarantine/by_{by}"))


def show_refused(
    connection: duckdb.DuckDBPyConnection, *, path: str | None, rule: str | None, limit: int
) -> Result:
    """The refused rows as they were delivered, beside what was expected.

    Args:
        connection: One of `open_reading_connection`.
        path: Only of this file.
        rule: Only by this rule.
        limit: How many rows at most.

    Raises:
        UsageError: The file has nothing in quarantine.
    """
    if path is not None:
        known = [str(row["path"]) for row in count_refused(connection, by="file").to_dicts()]
        if path not in known:
            named = ", ".join(known[:_NAMED]) or "none has"
            more = f" and {len(known) - _NAMED:,} more" if len(known) > _NAMED else ""
            raise UsageError(f"{path} has nothing in quarantine; of the files: {named}{more}")
    values = {"path": path, "rule": rule, "limit": limit}
    return fetch_result(connection, read_statement("quarantine/rows"), values)
