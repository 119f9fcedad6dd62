"""What the page of a version says: its figures are read here, for the HTML and the terminal."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Final

import duckdb

from pipeline.kpi.catalogue import list_definitions, read_account, run_kpi
from pipeline.kpi.query import fetch_result
from pipeline.kpi.rates import Rates, describe_rates
from pipeline.kpi.selection import EVERYTHING, Selection
from pipeline.kpi.statements import read_statement
from pipeline.kpi.unknown import warn_of_unknown
from pipeline.lake import Snapshot
from pipeline.report.cells import MAX_CELLS
from pipeline.report.figures import Figures, find_days
from pipeline.report.page import Page, build_page
from pipeline.report.period import Period, choose_period
from pipeline.report.tables import CAMPAIGNS_SHOWN
from pipeline.report.words import find_language

CAMPAIGNS: Final = 100
"""Campaigns with the largest spend, of which the best and the weakest are shown."""

_NAMES: Final = frozenset({"platform", "audience", "campaign", "source"})
"""The filters that leave out rows of all days."""

Rows = Sequence[dict[str, object]]


def read_page(
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    selection: Selection = EVERYTHING,
    *,
    lang: str = "en",
    rates: Rates | None = None,
) -> Page:
    """Reads the figures of a version and makes the page.

    Warns of filters that no row can match, where there is none to open with.

    Args:
        connection: One of `open_kpi_connection`, with the same rates.
        snapshot: The version.
        selection: What it is about. It has no days after the last one, and opens with the days
            from the first one on; those before are there to be chosen and compared with.
        lang: The language's code.
        rates: By which all money is converted; the page has no day before their first one.

    Returns:
        The page; its period is None where no row is within the days.

    Raises:
        UsageError: There is no such language.
    """
    formulas = {definition.name: definition.meaning for definition in list_definitions()}
    language = find_language(lang).add_formulas(formulas)
    first = rates.start if rates is not None else None
    figures = _read_figures(connection, snapshot.version, selection, first)
    if figures.period is None:
        warn_of_unknown(connection, selection)
    if rates is not None:
        used = describe_rates(connection, rates.currency)
        figures = figures._replace(filters={**figures.filters, **used})
    return build_page(figures, language)


def _read_figures(
    connection: duckdb.DuckDBPyConnection, version: int, selection: Selection, first: date | None
) -> Figures:
    names = {name: value for name, value in asdict(selection).items() if name in _NAMES}
    values = {**names, "start": first, "end": selection.end, "cells": MAX_CELLS}
    cells = fetch_result(connection, read_statement("report/cells"), values).to_dicts()
    days = find_days(cells)
    period = _find_period(days, selection)
    before = period.before if period and days and period.before.start >= days.start else None
    of_source = Selection(source=selection.source)

    def read(name: str, days: Period | None = period, *, top: int | None = None) -> Rows:
        if days is None:
            return []
        chosen = replace(selection, start=days.start, end=days.end, top=top)
        return run_kpi(connection, name, chosen).to_dicts()

    return Figures(
        version=version,
        filters=names,
        cells=cells,
        cut=any(cell["cut"] for cell in cells),
        period=period,
        totals=read("total"),
        totals_before=read("total", before),
        platforms=read("platform"),
        audiences=read("audience"),
        days=read("day"),
        shares=read("share"),
        campaigns=read("campaign", top=CAMPAIGNS),
        unconverted=read("unconverted", top=CAMPAIGNS_SHOWN),
        account=read_account(connection, source=selection.source).to_dicts()[0],
        sources=run_kpi(connection, "quality", of_source).to_dicts(),
        reasons=run_kpi(connection, "quarantine", of_source).to_dicts(),
    )


def _find_period(days: Period | None, selection: Selection) -> Period | None:
    """The days that the page opens with; None where no row is within those asked for."""
    start = selection.start
    if days is None or (start is not None and start > days.end):
        return None
    return choose_period(*days) if start is None else Period(max(start, days.start), days.end)
