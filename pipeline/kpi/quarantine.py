"""What is in quarantine: each question is one statement in sql/quarantine/."""

import duckdb

from pipeline.kpi.query import Result, fetch_result
from pipeline.kpi.statements import read_statement


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
    """
    values = {"path": path, "rule": rule, "limit": limit}
    return fetch_result(connection, read_statement("quarantine/rows"), values)
