"""The report: KPIs of one version of the master, and what became of every row."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import duckdb

from pipeline.engine import Engine
from pipeline.kpi.catalogue import read_account, run_kpi
from pipeline.kpi.query import Result
from pipeline.kpi.rates import Rates, describe_rates
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.selection import EVERYTHING, Selection
from pipeline.kpi.unknown import warn_of_unknown
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake, Snapshot
from pipeline.report.figures import find_days
from pipeline.report.page import Page
from pipeline.report.summary import Report, build_report
from pipeline.report.words import find_language
from pipeline.settings import Settings
from pipeline.steps.page import read_page

_KINDS: Final = (DAILY,)
"""The rollups that its figures are made from."""


class Figures(NamedTuple):
    """What the report says to scripts: two KPIs, and the account of rows.

    `converted` is what money was converted by, as `rates.describe_rates` says it, or empty.
    """

    platforms: Result
    audiences: Result
    account: Result
    converted: Mapping[str, object]


def roll_up(
    lake: Lake, snapshot: Snapshot, *, settings: Settings, engine: Engine | None = None
) -> int:
    """Writes the rollups that the version lacks and returns how many."""
    return write_rollups(lake, snapshot, workers=settings.workers, engine=engine)


def read_figures(
    lake: Lake,
    snapshot: Snapshot,
    selection: Selection = EVERYTHING,
    *,
    settings: Settings,
    rates: Rates | None = None,
) -> Figures:
    """Computes what the report of a version says to scripts.

    Warns of filters that no row can match, where there is none.

    Args:
        lake: The lake.
        snapshot: The version.
        selection: What it is about; of the account of rows only the source counts.
        settings: How much is done at once.
        rates: By which all money is converted; None: it stays as it was delivered.

    Raises:
        UsageError: Money of a day has no rate.
    """
    with open_kpi_connection(
        lake,
        snapshot,
        workers=settings.workers,
        stored=_KINDS,
        kept=_KINDS,
        quarantine=False,
        rates=rates,
    ) as connection:
        return _read_figures(connection, selection, rates)


def report(
    lake: Lake,
    snapshot: Snapshot,
    selection: Selection = EVERYTHING,
    *,
    settings: Settings,
    lang: str = "en",
    rates: Rates | None = None,
) -> Report:
    """Makes the report of a version in a language; arguments as for `read_figures`.

    Raises:
        UsageError: There is no such language, or money of a day has no rate.
    """
    find_language(lang)  # wrong use is said before anything is opened
    with open_kpi_connection(
        lake, snapshot, workers=settings.workers, kept=_KINDS, rates=rates
    ) as connection:
        page = read_page(connection, snapshot, selection, lang=lang, rates=rates)
        return report_on(connection, page, selection)


def report_on(
    connection: duckdb.DuckDBPyConnection, page: Page, selection: Selection = EVERYTHING
) -> Report:
    """The same, of a page of `read_page` and from the connection that it was read from."""
    totals = run_kpi(connection, "total", selection).to_dicts()
    return build_report(
        page,
        platforms=run_kpi(connection, "platform", selection).to_dicts(),
        audiences=run_kpi(connection, "audience", selection).to_dicts(),
        days=find_days([{"date": row[key]} for row in totals for key in ("first_day", "last_day")]),
        start=selection.start,
        end=selection.end,
    )


def _read_figures(
    connection: duckdb.DuckDBPyConnection, selection: Selection, rates: Rates | None
) -> Figures:
    platforms = run_kpi(connection, "platform", selection)
    if not platforms.rows:
        warn_of_unknown(connection, selection)
    return Figures(
        platforms=platforms,
        audiences=run_kpi(connection, "audience", selection),
        account=read_account(connection, source=selection.source),
        converted=describe_rates(connection, rates.currency) if rates else {},
    )
