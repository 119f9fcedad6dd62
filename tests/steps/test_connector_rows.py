"""Rows and downloads of further platforms land with the sums that they hold."""

import csv
import io
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipeline.contracts import load_contracts
from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.views import open_reading_connection
from pipeline.merge.delivery import pick_judged
from pipeline.read.recognise import recognise
from pipeline.steps.label import Label
from pipeline.steps.land import land
from pipeline.steps.merge import merge
from pipeline.steps.withdraw import withdraw
from tests.exports import (
    CONNECTOR_EXPORTS,
    DOWNLOADS,
    FACTS,
    TOTALS,
    Export,
    Style,
    make_google_api_export,
    make_google_export,
)
from tests.exports.downloads import make_microsoft_export
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


def read_held(home: Home) -> pl.DataFrame:
    """The files that wait now."""
    return pick_judged(home.read_ledger()).filter(outcome="held")


def read_options(words: Sequence[str]) -> Label:
    """Options of `adlake land`, as its step takes them."""
    names = [name.removeprefix("--").replace("-", "_") for name in words[::2]]
    return Label(**dict(zip(names, words[1::2], strict=True)))


def follow_withdrawal(home: Home, said: str) -> tuple[str, Label]:
    """Withdraws as a message says; gives the name that is to be landed, and with which options."""
    commands = re.search(r"adlake withdraw (.*), then adlake land ([^;]*)", said)
    assert commands is not None, said
    [gone], [name, *options] = (shlex.split(command) for command in commands.groups())
    withdraw(home.lake, gone, settings=home.settings)
    return name, read_options(options)


NAMELESS = {one.source: one for one in DOWNLOADS if one.source in {"tiktok_ads", "microsoft_ads"}}
"""Downloads that name no account."""


@pytest.mark.parametrize(
    ("source", "newer", "merges_between"),
    [
        ("tiktok_ads", "rows", False),
        ("tiktok_ads", "download", True),
        ("microsoft_ads", "rows", True),
        ("microsoft_ads", "download", False),
    ],
)
def test_what_stands_without_an_account_comes_back_with_one_as_the_message_says(
    home: Home, tmp_path: Path, source: str, newer: str, merges_between: bool
) -> None:
    download = NAMELESS[source]
    download.write(tmp_path)
    put(home, download, hour=1)
    home.merge()
    put(home, ROWS[source], hour=2 if newer == "rows" else 0)
    home.merge()
    [waiting] = read_held(home).to_dicts()

    name, label = follow_withdrawal(home, waiting["detail"])
    if merges_between:
        home.merge()
    land(home.lake, [tmp_path / name], settings=home.settings, label=label)
    assert home.merge().rows == len(FACTS)
    assert home.merge().transaction is None

    assert read_held(home).is_empty()
    master = home.read_master()
    assert master["cost"].sum() == TOTALS["cost"]
    assert master["account"].unique().to_list() == [label.account]
    hours = {"rows": 2, "download": 1}
    assert master["delivered_at"].dt.hour().unique().to_list() == [hours[newer]]


@pytest.mark.parametrize("download", NAMELESS.values(), ids=lambda one: one.source)
def test_a_download_without_an_account_comes_with_that_of_the_rows_as_the_message_says(
    home: Home, download: Export
) -> None:
    put(home, ROWS[download.source])
    home.merge()
    place = put(home, download, hour=1)
    home.merge()
    [said] = read_held(home)["detail"]
    option = re.search(r"land it with (--account \S+);", said)
    assert option is not None, said
    label = read_options(shlex.split(option[1]))
    land(home.lake, [place], settings=home.settings, label=label)
    assert home.merge().rows == len(FACTS)
    master = home.read_master()
    assert master["cost"].sum() == TOTALS["cost"]
    assert master["account"].unique().to_list() == [label.account]


def test_of_several_files_without_an_account_each_comes_back_in_its_turn(
    home: Home, tmp_path: Path
) -> None:
    download = drop_columns(NAMELESS["tiktok_ads"], "Currency")
    download = replace(download, states_currency=False)
    download.write(tmp_path)
    folders = ["period=2024-01-01..2024-01-31", "timezone=Europe.Madrid"]
    for hour in (0, 1):
        put(home, download, hour=hour, folders=folders)
    home.merge()
    put(home, ROWS["tiktok_ads"], hour=2)
    home.merge()
    for number in ("2 files, of the oldest: adlake", "1 file: adlake"):
        waiting = read_held(home)
        assert all(number in said for said in waiting["detail"])
        name, label = follow_withdrawal(home, waiting["detail"][-1])
        assert (label.currency, label.period) == ("EUR", "2024-01-01..2024-01-31")
        assert label.time_zone == "Europe/Madrid"
        land(home.lake, [tmp_path / name], settings=home.settings, label=label)
        home.merge()
    assert read_held(home).is_empty()
    master = home.read_master()
    assert (len(master), master["cost"].sum()) == (len(FACTS), TOTALS["cost"])
    assert master["delivered_at"].dt.hour().unique().to_list() == [2]


def test_campaigns_of_two_named_accounts_may_have_the_same_names(home: Home) -> None:
    download = next(one for one in DOWNLOADS if one.source == "tiktok_ads")
    for hour, account in enumerate(("one", "two")):
        put(home, download, hour=hour, folders=[f"account={account}"])
    home.merge()
    assert home.read_ledger()["outcome"].to_list() == ["merged", "merged"]
    assert Decimal(str(home.sum_with_duckdb("sum(cost)::varchar"))) == 2 * TOTALS["cost"]


def drop_columns(export: Export, *names: str) -> Export:
    """An export of one table in plain CSV without some of its columns."""
    rows = list(csv.reader(io.StringIO(export.data.decode())))
    start = next(place for place, row in enumerate(rows) if set(names) <= set(row))
    kept = [place for place, name in enumerate(rows[start]) if name not in names]
    table = [[row[place] for place in kept] for row in rows[start:] if len(row) == len(rows[start])]
    data = Style().write_rows(table)
    return replace(export, name=f"{export.name} without {' and '.join(names)}", data=data)


def name_account(export: Export, header: str, account: str) -> Export:
    """An export in plain CSV with one more column that says its account."""
    [names, *rows] = csv.reader(io.StringIO(export.data.decode()))
    table = [[*names, header], *([*row, account] for row in rows)]
    return replace(export, name=f"{export.name} with {header}", data=Style().write_rows(table))


TIKTOK = DOWNLOADS[0]
MICROSOFT = make_microsoft_export(Style())
ROWS = {one.source: one for one in CONNECTOR_EXPORTS}
GOOGLE = drop_columns(make_google_export(), "Campaign status")
GOOGLE_ROWS = make_google_api_export()

TWICE = (
    (drop_columns(TIKTOK, "Campaign ID"), ROWS["tiktok_ads"], "unclear_account"),
    (drop_columns(MICROSOFT, "Campaign ID"), ROWS["microsoft_ads"], "unclear_account"),
    (GOOGLE, drop_columns(GOOGLE_ROWS, "campaign.name"), "unclear_account"),
    (make_google_export(splits=["ad_group"]), GOOGLE_ROWS, "same_campaigns"),
    (name_account(GOOGLE, "Account name", "Example Ltd"), GOOGLE_ROWS, "same_campaigns"),
)
"""One account by download and by its API, under two names, and why the second waits."""


@pytest.mark.parametrize(
    ("download", "rows", "reason"), TWICE, ids=lambda one: getattr(one, "name", one)
)
@pytest.mark.parametrize("way", ["rows last", "download last", "one merge", "one delivery"])
def test_no_account_counts_twice_by_a_name_that_its_other_files_lack(
    home: Home, download: Export, rows: Export, reason: str, way: str
) -> None:
    order = (rows, download) if way == "download last" else (download, rows)
    for hour, export in enumerate(order):
        put(home, replace(export, file_name=f"{hour}.csv"), hour=hour * (way != "one delivery"))
        if not way.startswith("one"):
            home.merge()
    outcome = home.merge()
    ledger = home.read_ledger()
    waiting = 2 if way == "one delivery" else 1
    assert ledger["outcome"].to_list() == [*["merged"] * (2 - waiting), *["held"] * waiting]
    assert ledger["reason"].drop_nulls().unique().to_list() == [reason]
    said = ledger["detail"][-1]
    assert "count" in said
    if "withdraw those" in said:  # and how, also where both came at once
        assert f"1 file: {shlex.join(['adlake', 'withdraw', ledger['path'][0]])}, then" in said
    if waiting == 1:
        assert Decimal(str(home.sum_with_duckdb("sum(cost)::varchar"))) == TOTALS["cost"]

    # A person who knows better lets it pass: they are two accounts then.
    held = ledger.filter(outcome="held")["path"].to_list()
    outcome = merge(home.lake, settings=home.settings, accept=held[:1])
    assert {account.outcome for account in outcome.accounts} == {"merged"}
    assert Decimal(str(home.sum_with_duckdb("sum(cost)::varchar"))) == 2 * TOTALS["cost"]
