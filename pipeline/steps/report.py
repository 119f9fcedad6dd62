"""The report: KPIs of one version of the master, and what became of every row."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final, NamedTuple

import duckdb

from pipeline.engine import Engine
from pipeline.kpi.catalogue import read_account, run_kpi
from pipeline.kpi.query import Result
from pipeline.kpi.rates import Rates, describe_rates
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.selection import EVERYTHING, Selection
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake, Snapshot
from pipeline.report.content import Report, build_report
from pipeline.report.language import Language
from pipeline.report.words import find_language
from pipeline.settings import Settings

_KINDS: Final = (DAILY,)
"""The rollups that its figures are made from."""


class Figures(NamedTuple):
    """The rows of the KPIs `platform` and `audience`, and the account of rows.

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
    """Computes what the report of a version is made of.

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
    language = find_language(lang)
    figures = read_figures(lake, snapshot, selection, settings=settings, rates=rates)
    return _build(figures, snapshot, selection, language)


def report_on(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, *, lang: str = "en"
) -> Report:
    """The same, from a connection of `open_kpi_connection`."""
    figures = _read_figures(connection, EVERYTHING, None)
    return _build(figures, snapshot, EVERYTHING, find_language(lang))


def _read_figures(
    connection: duckdb.DuckDBPyConnection, selection: Selection, rates: Rates | None
) -> Figures:
    return Figures(
        platforms=run_kpi(connection, "platform", selection),
        audiences=run_kpi(connection, "audience", selection),
        account=read_account(connection, source=selection.source),
        converted=describe_rates(connection, rates.currency) if rates else {},
    )


def _build(
    figures: Figures, snapshot: Snapshot, selection: Selection, language: Language
) -> Report:
    return build_report(
        platforms=figures.platforms.to_dicts(),
        audiences=figures.audiences.to_dicts(),
        account=figures.account.to_dicts()[0],
        version=snapshot.version,
        filters={**asdict(selection), **figures.converted},
        language=language,
    )
