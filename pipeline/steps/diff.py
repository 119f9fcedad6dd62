"""Compares the KPIs of two versions."""

import logging
from typing import NamedTuple

import duckdb
import polars as pl

from pipeline.kpi.catalogue import describe_kpi, run_kpi
from pipeline.kpi.diff import COLUMNS, COMPARED, compare_rows, pick_campaigns
from pipeline.kpi.query import Result, fetch_table
from pipeline.kpi.rates import Rates, read_rates
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.selection import Selection
from pipeline.kpi.statements import read_statement
from pipeline.kpi.unknown import find_unknown
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake
from pipeline.settings import Settings
from pipeline.steps.pin import pin_snapshot

_log = logging.getLogger(__name__)

_CAMPAIGN = "campaign"
_Rows = list[dict[str, object]]


class Moves(NamedTuple):
    """How KPIs moved between two versions.

    Attributes:
        result: The columns of `kpi.diff.COLUMNS`: one row a KPI, row of it, currency and measure
            that is not the same in both.
        campaigns_left_out: How many campaigns moved beside those that are listed.
    """

    result: Result
    campaigns_left_out: int


class _Kpis(NamedTuple):
    rows: dict[str, _Rows]
    campaigns: pl.DataFrame
    unknown: list[str]


def diff(
    lake: Lake,
    before: int,
    after: int,
    selection: Selection,
    *,
    settings: Settings,
    currency: str | None = None,
) -> Moves:
    """Says which KPIs moved between two versions and by how much.

    Warns of filters that no row of either can match.

    Args:
        lake: The lake.
        before: Version of the master.
        after: Another one; it may be the older of the two.
        selection: What both are about.
        settings: How many threads there are.
        currency: Into which all money is converted, by the rates of now; None: it stays as it was
            delivered.

    Raises:
        EmptyLakeError: There is no such version.
        LakeError: Files of a version were deleted.
        UsageError: Money of a day has no rate.
    """
    rates = read_rates(lake, currency, selection) if currency is not None else None
    old, new = (
        _read_kpis(lake, version, selection, settings=settings, rates=rates)
        for version in (before, after)
    )
    for line in new.unknown if old.unknown else []:
        _log.warning("%s", line)
    *campaigns, left_out = pick_campaigns(old.campaigns, new.campaigns)
    old.rows[_CAMPAIGN], new.rows[_CAMPAIGN] = campaigns
    rows = [row for name in COMPARED for row in compare_rows(name, old.rows[name], new.rows[name])]
    return Moves(Result(COLUMNS, tuple(rows)), left_out)


def _read_kpis(
    lake: Lake, version: int, selection: Selection, *, settings: Settings, rates: Rates | None
) -> _Kpis:
    snapshot = pin_snapshot(lake, version=version)
    with open_kpi_connection(
        lake, snapshot, workers=settings.workers, kept=(DAILY,), quarantine=False, rates=rates
    ) as connection:
        names = [name for name in COMPARED if name != _CAMPAIGN]
        rows = {name: run_kpi(connection, name, selection).to_dicts() for name in names}
        unknown = [] if rows["total"] else find_unknown(connection, selection)
        return _Kpis(rows, _read_campaigns(connection, selection), unknown)


def _read_campaigns(connection: duckdb.DuckDBPyConnection, selection: Selection) -> pl.DataFrame:
    """As a frame: there may be a million of them."""
    values = selection.bind(describe_kpi(_CAMPAIGN).params, kpi=_CAMPAIGN)
    statement = read_statement(f"kpi/{_CAMPAIGN}")
    return pl.DataFrame(fetch_table(connection, statement, values))
