"""The HTML report: what one page needs of a version, and its file in the lake."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

import duckdb

from pipeline.kpi.catalogue import list_definitions, read_account, run_kpi
from pipeline.kpi.query import fetch_result
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.selection import Selection
from pipeline.kpi.statements import read_statement
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import REPORTS, Lake, Snapshot
from pipeline.report.cells import MAX_CELLS
from pipeline.report.figures import Figures
from pipeline.report.html import render_html
from pipeline.report.page import build_page
from pipeline.report.period import Period, choose_period
from pipeline.report.words import find_language
from pipeline.settings import Settings

LATEST: Final = f"{REPORTS}/latest.html"
"""The key of the report that the main job writes."""

CAMPAIGNS: Final = 100
"""Campaigns with the largest spend, of which the best and the weakest are shown."""

Rows = Sequence[dict[str, object]]


def html_report(lake: Lake, snapshot: Snapshot, *, settings: Settings, lang: str = "en") -> bytes:
    """Makes the HTML report of a version.

    Args:
        lake: The lake.
        snapshot: The version.
        settings: How much is done at once.
        lang: The language's code.

    Raises:
        UsageError: There is no such language.
    """
    find_language(lang)  # wrong use is said before anything is opened
    with open_kpi_connection(lake, snapshot, workers=settings.workers, kept=(DAILY,)) as connection:
        return html_report_on(connection, snapshot, lang=lang)


def html_report_on(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, *, lang: str = "en"
) -> bytes:
    """The same, from a connection of `open_kpi_connection`."""
    formulas = {definition.name: definition.meaning for definition in list_definitions()}
    language = find_language(lang).add_formulas(formulas)
    return render_html(build_page(_read_figures(connection, snapshot.version), language))


def write_latest(lake: Lake, snapshot: Snapshot, *, settings: Settings) -> None:
    """Writes the HTML report of a version as the lake's newest."""
    lake.storage.overwrite(LATEST, html_report(lake, snapshot, settings=settings))


def _read_figures(connection: duckdb.DuckDBPyConnection, version: int) -> Figures:
    cells = fetch_result(
        connection, read_statement("report/cells"), {"cells": MAX_CELLS}
    ).to_dicts()
    period = _find_period(cells)
    of_period = _make_reader(connection, period)
    return Figures(
        version=version,
        cells=cells,
        cut=any(cell["cut"] for cell in cells),
        period=period,
        totals=_read_totals(connection, period),
        totals_before=_read_totals(connection, period.before if period else None),
        platforms=of_period("platform"),
        audiences=of_period("audience"),
        days=of_period("day"),
        shares=of_period("share"),
        campaigns=of_period("campaign", top=CAMPAIGNS),
        account=read_account(connection).to_dicts()[0],
        sources=run_kpi(connection, "quality").to_dicts(),
        reasons=run_kpi(connection, "quarantine").to_dicts(),
    )


def _find_period(cells: Rows) -> Period | None:
    days = [day for cell in cells if isinstance(day := cell["date"], date)]
    return choose_period(min(days), max(days)) if days else None


def _make_reader(
    connection: duckdb.DuckDBPyConnection, period: Period | None
) -> Callable[..., Rows]:
    def read(name: str, *, top: int | None = None) -> Rows:
        if period is None:
            return []
        selection = Selection(start=period.start, end=period.end, top=top)
        return run_kpi(connection, name, selection).to_dicts()

    return read


def _read_totals(connection: duckdb.DuckDBPyConnection, period: Period | None) -> Rows:
    if period is None:
        return []
    values = {"start": period.start, "end": period.end}
    return fetch_result(connection, read_statement("report/total"), values).to_dicts()
