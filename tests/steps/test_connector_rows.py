"""Rows and downloads of further platforms land with the sums that they hold."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipeline.contracts import load_contracts
from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.views import open_reading_connection
from pipeline.read.recognise import recognise
from tests.exports import CONNECTOR_EXPORTS, DOWNLOADS, FACTS, TOTALS, Export
from tests.steps.conftest import Home

ALL = (*CONNECTOR_EXPORTS, *DOWNLOADS)


def put(home: Home, export: Export, *, hour: int = 0, folders: Sequence[str] = ()) -> Path:
    """Lands a file, with its currency where it does not say it itself."""
    currency = [] if export.states_currency else ["currency=EUR"]
    delivered = f"delivered=2024-06-01T{hour:02d}:00:00Z"
    return export.write(
        home.root.joinpath("landing", export.source, *folders, *currency, delivered)
    )


@pytest.mark.parametrize("export", ALL, ids=lambda export: export.name)
def test_rows_land_with_their_sums_to_the_cent(home: Home, export: Export) -> None:
    put(home, export)
    home.merge()
    ledger = home.read_ledger().row(0, named=True)
    assert (ledger["outcome"], ledger["contract"]) == ("merged", export.contract), ledger
    assert ledger["quarantined"] == 0
    sums = {name: home.sum_with_duckdb(f"sum({name})::varchar") for name in TOTALS}
    assert {name: said and Decimal(str(said)) for name, said in sums.items()} == {
        name: None if name in export.absent else total for name, total in TOTALS.items()
    }
    assert "totals_mismatch" not in (ledger["remarks"] or "")
    # Segments and hours of a day are one row, so that a day is counted once.
    assert home.sum_with_duckdb("count(*)") == len(FACTS)
    assert home.sum_with_duckdb("min(currency) || max(currency)") == "EUREUR"


@pytest.mark.parametrize("export", ALL, ids=lambda export: export.name)
def test_the_header_alone_tells_the_platform(export: Export, tmp_path: Path) -> None:
    layout = recognise(export.write(tmp_path), load_contracts().values())
    assert layout.contract.name == export.contract


def test_a_platform_that_knows_no_revenue_has_no_return(home: Home) -> None:
    export = next(one for one in CONNECTOR_EXPORTS if one.source == "reddit_ads")
    put(home, export)
    home.merge()
    with open_reading_connection(home.lake, home.lake.take_snapshot()) as connection:
        [row] = run_kpi(connection, "platform").to_dicts()
    assert (row["roas"], row["roi"], row["cvr"], row["cpa"]) == (None, None, None, None)
    assert Decimal(str(row["spend"])) == TOTALS["cost"]


def test_rows_without_a_currency_are_refused_and_not_taken_for_dollars(home: Home) -> None:
    export = next(one for one in CONNECTOR_EXPORTS if one.source == "pinterest_ads")
    export.write(home.root / "landing" / export.source)
    home.merge()
    ledger = home.read_ledger()
    assert ledger.filter(pl.col("outcome") == "quarantined").height == 1
    assert "currency" in ledger["reason"][0]


@pytest.mark.parametrize("source", ["tiktok_ads", "linkedin_ads", "microsoft_ads"])
@pytest.mark.parametrize("rows_first", [True, False])
def test_one_account_by_download_and_by_rows_does_not_count_twice(
    home: Home, source: str, rows_first: bool
) -> None:
    download = next(one for one in DOWNLOADS if one.source == source)
    rows = next(one for one in CONNECTOR_EXPORTS if one.source == source)
    first, second = (rows, download) if rows_first else (download, rows)
    put(home, first)
    home.merge()
    place = put(home, second, hour=1)
    home.merge()
    ledger = home.read_ledger().row(1, named=True)
    assert (ledger["outcome"], ledger["reason"]) == ("held", "same_campaigns")
    assert "both would count" in ledger["detail"]
    assert Decimal(str(home.sum_with_duckdb("sum(cost)::varchar"))) == TOTALS["cost"]

    # Landed with the account that the rows name, it replaces them.
    if rows_first:
        place.unlink()
        account = str(home.sum_with_duckdb("min(account)"))
        put(home, download, hour=2, folders=[f"account={account}"])
        home.merge()
        assert Decimal(str(home.sum_with_duckdb("sum(cost)::varchar"))) == TOTALS["cost"]
        assert home.sum_with_duckdb("min(account)") == account


def test_campaigns_of_two_named_accounts_may_have_the_same_names(home: Home) -> None:
    download = next(one for one in DOWNLOADS if one.source == "tiktok_ads")
    for hour, account in enumerate(("one", "two")):
        put(home, download, hour=hour, folders=[f"account={account}"])
    home.merge()
    assert home.read_ledger()["outcome"].to_list() == ["merged", "merged"]
    assert Decimal(str(home.sum_with_duckdb("sum(cost)::varchar"))) == 2 * TOTALS["cost"]
