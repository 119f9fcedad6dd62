"""The KPIs by name: each is one statement in sql/kpi/."""

import duckdb

from pipeline.errors import UsageError
from pipeline.kpi.query import Result, fetch_result
from pipeline.kpi.statements import list_statements, read_statement


def list_kpis() -> tuple[str, ...]:
    """The names of all KPIs, sorted."""
    return list_statements("kpi")


def run_kpi(connection: duckdb.DuckDBPyConnection, name: str) -> Result:
    """Computes a KPI on the version that the connection was opened for.

    Raises:
        UsageError: There is no such KPI.
    """
    known = list_kpis()
    if name not in known:
        raise UsageError(f"there is no KPI {name!r}; there are {', '.join(known)}")
    return fetch_result(connection, read_statement(f"kpi/{name}"))


def read_account(connection: duckdb.DuckDBPyConnection) -> Result:
    """The account of rows: one row, the columns of sql/views/account.sql."""
    return fetch_result(connection, "select * from account")
