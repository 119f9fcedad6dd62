"""The HTML report: what one page needs of a version, and its file in the lake."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final

import duckdb

from pipeline.errors import UsageError
from pipeline.kpi.catalogue import list_definitions, read_account, run_kpi
from pipeline.kpi.query import fetch_result
from pipeline.kpi.rates import Rates, describe_rates
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.selection import EVERYTHING, Selection
from pipeline.kpi.statements import read_statement
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import REPORTS, Lake, Snapshot
from pipeline.report.cells import MAX_CELLS
from pipeline.report.figures import Figures, find_days
from pipeline.report.html import render_html
from pipeline.report.page import build_page
from pipeline.report.period import Period, choose_period
from pipeline.report.tables import CAMPAIGNS_SHOWN
from pipeline.report.words import find_language
from pipeline.settings import Settings

LATEST: Final = f"{REPORTS}/latest.html"
"""The key of the report that the main job writes."""

CAMPAIGNS: Final = 100
"""Campaigns with the largest spend, of which the best and the weakest are shown."""

_NAMES: Final = frozenset({"platform", "audience", "campaign", "source"})
"""The filters that leave out rows of all days."""

Rows = Sequence[dict[str, object]]


def html_report(
    lake: Lake,
    snapshot: Snapshot,
    selection: Selection = EVERYTHING,
    *,
    settings: Settings,
    lang: str = "en",
    rates: Rates | None = None,
) -> bytes:
    """Makes the HTML report of a version.

    Args:
        lake: The lake.
        snapshot: The version.
        selection: What it is about. It has no days after the last one, and opens with the days
            from the first one on; those before are there to be chosen and compared with.
        settings: How much is done at once.
        lang: The language's code.
        rates: By which all money is converted; None: it stays as it was delivered.

    Raises:
        UsageError: There is no such language, no row within the days, or no rate for a day.
    """
    find_language(lang)  # wrong use is said before anything is opened
    if rates is not None:  # the page has the days before the first one as well
        rates = rates._replace(start=None)
    with open_kpi_connection(
        lake, snapshot, workers=settings.workers, kept=(DAILY,), rates=rates
    ) as connection:
        return html_report_on(connection, snapshot, selection, lang=lang, rates=rates)


def html_report_on(
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    selection: Selection = EVERYTHING,
    *,
    lang: str = "en",
    rates: Rates | None = None,
) -> bytes:
    """The same, from a connection of `open_kpi_connection`."""
    formulas = {definition.name: definition.meaning for definition in list_definitions()}
    language = find_language(lang).add_formulas(formulas)
    figures = _read_figures(connection, snapshot.version, selection)
    if rates is not None:
        used = describe_rates(connection, rates.currency)
        figures = figures._replace(filters={**figures.filters, **used})
    return render_html(build_page(figures, language))


def write_latest(lake: Lake, snapshot: Snapshot, *, settings: Settings) -> None:
    """Writes the HTML report of a version as the lake's newest."""
    lake.storage.overwrite(LATEST, html_report(lake, snapshot, settings=settings))


def _read_figures(
    connection: duckdb.DuckDBPyConnection, version: int, selection: Selection
) -> Figures:
    names = {name: value for name, value in asdict(selection).items() if name in _NAMES}
    values = {**names, "end": selection.end, "cells": MAX_CELLS}
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
    """The days that the page opens with; None where there is no row at all.

    Raises:
        UsageError: There are rows, but none within the days that are asked for.
    """
    start, end = selection.start, selection.end
    if days is not None and (start is None or start <= days.end):
        return choose_period(*days) if start is None else Period(max(start, days.start), days.end)
    if start is None and end is None:
        return None
    there = f"the days of its rows end with {days.end}" if days else "no row matches"
    raise UsageError(
        f"there is nothing to report from {start or 'the first day'} to {end or 'the last day'}: "
        f"{there}"
    )
