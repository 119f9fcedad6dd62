"""The KPIs by name: each is one statement in sql/kpi/, and what these say of themselves."""

import difflib
from collections.abc import Iterator
from typing import Final, NamedTuple

import duckdb

from pipeline.errors import UsageError
from pipeline.kpi.dictionary import Definition, parse_definitions, parse_header
from pipeline.kpi.macros import RELATIONS
from pipeline.kpi.query import Result, fetch_result
from pipeline.kpi.selection import EVERYTHING, Selection
from pipeline.kpi.statements import list_statements, read_statement

_MEASURES: Final = ("measures", "view_times", "changes", "campaigns")
"""The macros that define measures, in the order of the dictionary."""


class Kpi(NamedTuple):
    """A KPI as its statement describes it.

    Attributes:
        name: As `adlake kpi` takes it.
        purpose: What it answers.
        grain: What one row is.
        reads: The relations that it is made from.
        params: What it can be filtered by.
    """

    name: str
    purpose: str
    grain: str
    reads: str
    params: tuple[str, ...]

    @property
    def is_about_campaigns(self) -> bool:
        """Whether it reads the rollup of campaigns."""
        return "campaigns" in self.reads

    @property
    def is_about_money(self) -> bool:
        """Whether it has sums of money, which can be converted."""
        return any(macro in self.reads for macro in RELATIONS)

    @property
    def is_about_quarantine(self) -> bool:
        """Whether it reads the rows in quarantine."""
        return "quarantine" in self.reads


def list_kpis() -> tuple[str, ...]:
    """The names of all KPIs, sorted."""
    return list_statements("kpi")


def describe_kpis() -> tuple[Kpi, ...]:
    """All KPIs, sorted by name."""
    return tuple(map(describe_kpi, list_kpis()))


def describe_kpi(name: str) -> Kpi:
    """What a KPI says of itself.

    Raises:
        UsageError: There is no such KPI.
    """
    known = list_kpis()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"there is no KPI {name!r}; {hint}there are {', '.join(known)}")
    header = parse_header(read_statement(f"kpi/{name}"))
    return Kpi(name, *header)


def list_entries() -> Result:
    """The dictionary as a table: kpi, purpose, grain, filters."""
    rows = ((kpi.name, kpi.purpose, kpi.grain, ", ".join(kpi.params)) for kpi in describe_kpis())
    return Result(("kpi", "purpose", "grain", "filters"), tuple(rows))


def list_definitions() -> tuple[Definition, ...]:
    """What the columns of KPIs mean: the measures first, then those of a single KPI.

    A name that two KPIs define differently is there for each of them.
    """
    return tuple(dict.fromkeys(_list_all_definitions()))


def _list_all_definitions() -> Iterator[Definition]:
    for name in _MEASURES:
        yield from parse_definitions(read_statement(f"macros/{name}"))
    for name in list_kpis():
        yield from parse_definitions(read_statement(f"kpi/{name}"))


def run_kpi(
    connection: duckdb.DuckDBPyConnection, name: str, selection: Selection = EVERYTHING
) -> Result:
    """Computes a KPI on the version that the connection was opened for.

    Args:
        connection: One of `open_reading_connection`.
        name: Of the KPI.
        selection: What it is about.

    Raises:
        UsageError: There is no such KPI, or it cannot be filtered so.
    """
    kpi = describe_kpi(name)
    values = selection.bind(kpi.params, kpi=name)
    return fetch_result(connection, read_statement(f"kpi/{name}"), values)


def read_account(connection: duckdb.DuckDBPyConnection, *, source: str | None = None) -> Result:
    """The account of rows, of one source or of all: one row, as sql/macros/row_account.sql."""
    return fetch_result(connection, "select * from row_account($source)", {"source": source})
