"""The report: KPIs of one version of the master, and what became of every row."""

from typing import Final, NamedTuple

import duckdb

from pipeline.kpi.catalogue import read_account, run_kpi
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake, Snapshot
from pipeline.report.content import Report, build_report
from pipeline.report.language import Language
from pipeline.report.words import find_language
from pipeline.settings import Settings

_KINDS: Final = (DAILY,)
"""The rollups that its figures are made from."""


class Figures(NamedTuple):
    """The rows of the KPIs `platform` and `audience`, and the account of rows."""

    platforms: list[dict[str, object]]
    audiences: list[dict[str, object]]
    account: dict[str, object]


def roll_up(lake: Lake, snapshot: Snapshot, *, settings: Settings) -> int:
    """Writes the rollups that the version lacks and returns how many."""
    return write_rollups(lake, snapshot, workers=settings.workers)


def read_figures(lake: Lake, snapshot: Snapshot, *, settings: Settings) -> Figures:
    """Computes what the report of a version is made of."""
    with open_kpi_connection(
        lake, snapshot, workers=settings.workers, stored=_KINDS, kept=_KINDS, quarantine=False
    ) as connection:
        return _read_figures(connection)


def report(lake: Lake, snapshot: Snapshot, *, settings: Settings, lang: str = "en") -> Report:
    """Makes the report of a version in a language.

    Raises:
        UsageError: There is no such language.
    """
    language = find_language(lang)
    figures = read_figures(lake, snapshot, settings=settings)
    return _build(figures, snapshot, language)


def report_on(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, *, lang: str = "en"
) -> Report:
    """The same, from a connection of `open_kpi_connection`."""
    return _build(_read_figures(connection), snapshot, find_language(lang))


def _read_figures(connection: duckdb.DuckDBPyConnection) -> Figures:
    return Figures(
        platforms=run_kpi(connection, "platform").to_dicts(),
        audiences=run_kpi(connection, "audience").to_dicts(),
        account=read_account(connection).to_dicts()[0],
    )


def _build(figures: Figures, snapshot: Snapshot, language: Language) -> Report:
    return build_report(
        platforms=figures.platforms,
        audiences=figures.audiences,
        account=figures.account,
        version=snapshot.version,
        language=language,
    )
