"""What would count twice, be lost in silence or be read as something else is told instead."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.views import open_reading_connection
from tests.steps.conftest import Home

GOOGLE = "Day,Campaign,Device,Currency code,Impr.,Clicks,Cost"
META = "Campaign name,Day,Impressions,Clicks (all),Amount spent (EUR)"


def put(home: Home, folders: str, name: str, *lines: str) -> Path:
    path = home.root / "landing" / folders / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def spend(home: Home) -> Decimal:
    return Decimal(str(home.sum_with_duckdb("sum(cost)::varchar")))


def last(home: Home) -> dict[str, object]:
    return home.read_ledger().row(-1, named=True)


def test_devices_of_overlapping_files_are_added_up_once(home: Home) -> None:
    place = "google_ads/account=a/delivered=2024-06-01T00:00:00Z"
    shared = ["2024-03-02,A,Mobile,EUR,10,1,5.00", "2024-03-02,A,Desktop,EUR,10,1,2.00"]
    put(home, place, "1.csv", GOOGLE, "2024-03-01,A,Mobile,EUR,10,1,5.00", *shared)
    put(home, place, "2.csv", GOOGLE, *shared, "2024-03-03,A,Mobile,EUR,10,1,5.00")
    home.merge()
    assert spend(home) == Decimal("17.00")
    assert home.sum_with_duckdb("count(*)") == 3
    ledger = home.read_ledger()
    assert ledger["rows_in"].sum() == 6
    assert (ledger["accepted"].sum(), ledger["duplicates"].sum()) == (4, 2)


def test_a_device_that_is_said_twice_in_one_file_is_one(home: Home) -> None:
    row = "2024-03-02,A,Mobile,EUR,10,1,5.00"
    put(home, "google_ads", "1.csv", GOOGLE, row, "2024-03-02,A,Desktop,EUR,10,1,2.00", row)
    home.merge()
    assert spend(home) == Decimal("7.00")
    assert (last(home)["accepted"], last(home)["duplicates"]) == (2, 1)


def test_hours_of_a_day_that_come_again_are_added_up_once(home: Home) -> None:
    header = "CAMPAIGN_ID,ADVERTISER_ID,STAT_TIME_HOUR,CURRENCY,IMPRESSIONS,CLICKS,SPEND"
    hours = [f"1,9,2024-03-02 {hour}:00:00,EUR,10,1,5.00" for hour in range(3)]
    place = "tiktok_ads/delivered=2024-06-01T00:00:00Z"
    put(home, place, "1.csv", header, *hours[:2])
    put(home, place, "2.csv", header, *hours[1:])
    home.merge()
    assert spend(home) == Decimal("15.00")


def test_the_same_bytes_of_two_accounts_are_two_files(home: Home) -> None:
    rows = [META, "Spring,2024-03-01,1000,20,10.00"]
    delivered = "delivered=2024-06-01T00:00:00Z"
    for account in ("a", "b", "c"):
        put(home, f"meta_ads/account={account}/{delivered}", "1.csv", *rows)
        home.merge()
    assert spend(home) == Decimal("30.00")
    put(home, f"meta_ads/account=a/{delivered}", "2.csv", *rows)
    home.merge()
    assert (last(home)["outcome"], spend(home)) == ("duplicate", Decimal("30.00"))


@pytest.mark.parametrize("totals", [[], [",,2000,40,30.00"]])
def test_two_campaigns_of_one_name_are_not_made_one(home: Home, totals: list[str]) -> None:
    rows = ["Spring,2024-03-01,1000,20,10.00", "Spring,2024-03-01,1000,20,20.00"]
    put(home, "meta_ads", "1.csv", META, *totals, *rows)
    home.merge()
    assert (last(home)["outcome"], last(home)["reason"]) == ("quarantined", "unknown_split")
    assert "two campaigns may have one name: export their ids too" in str(last(home)["detail"])


TIKTOK = "Campaign name,Campaign ID,By Day,Currency,Cost,Impressions,Clicks (destination)"


@pytest.mark.parametrize(
    "total", ["", "Total of 2 results,-,-,EUR,30,3000,60", "-,,-,EUR,30,3000,60"]
)
@pytest.mark.parametrize("undated", ["B,2,,EUR,20,2000,40", "Total of shop,2,-,EUR,20,2000,40"])
def test_a_last_row_that_lacks_its_date_is_not_taken_for_totals(
    home: Home, total: str, undated: str
) -> None:
    rows = ["A,1,2024-03-01,EUR,10,1000,20", undated]
    put(home, "tiktok_ads", "1.csv", TIKTOK, *rows, *filter(None, [total]))
    home.merge()
    ledger = last(home)
    assert (ledger["accepted"], ledger["quarantined"]) == (1, 1)
    assert ledger["control"] == (1 if total else 0)
    assert home.read_rejects()["rule"].to_list() == ["missing_date"]


def test_a_row_of_google_that_lacks_its_date_is_not_taken_for_totals(home: Home) -> None:
    header = "Day,Campaign,Campaign ID,Currency code,Impr.,Clicks,Cost"
    rows = ["2024-03-01,A,1,EUR,10,1,5.00", "--,Total: all we have,2,EUR,10,1,5.00"]
    put(home, "google_ads", "1.csv", header, *rows, "Total: Account,--,--,--,20,2,10.00")
    home.merge()
    assert home.read_rejects()["rule"].to_list() == ["missing_date"]
    assert (last(home)["control"], spend(home)) == (1, Decimal("5.00"))


def test_keywords_of_equal_figures_are_not_taken_for_one_row_written_twice(home: Home) -> None:
    header = "Day,Campaign,Keyword,Currency code,Impr.,Clicks,Cost"
    rows = [f"2024-03-02,A,{word},EUR,10,1,5.00" for word in ("shoes", "boots")]
    put(home, "google_ads", "1.csv", header, *rows)
    home.merge()
    assert last(home)["reason"] == "unknown_split"
    assert "'Keyword'" in str(last(home)["detail"])

    put(home, "google_ads", "2.csv", header, rows[0], rows[0])
    home.merge()
    assert (last(home)["accepted"], last(home)["duplicates"]) == (1, 1)


def test_names_with_bars_in_them_stay_two_segments(home: Home) -> None:
    header = "Campaign name,Day,Ad set name,Ad name,Impressions,Clicks (all),Amount spent (EUR)"
    put(
        home,
        "meta_ads",
        "1.csv",
        header,
        "S,2024-03-01,A | B,C,1000,20,10.00",
        "S,2024-03-01,A,B | C,1000,20,20.00",
    )
    home.merge()
    assert spend(home) == Decimal("30.00")
    assert set(home.read_master()["segment"]) == {r"A | B \| C", r"A \| B | C"}


def test_googles_customer_id_is_one_with_hyphens_and_without(home: Home) -> None:
    rows = "Day,Campaign,Customer ID,Currency code,Impr.,Clicks,Cost"
    put(home, "google_ads", "ui.csv", rows, "2024-03-02,A,222-333-4444,EUR,10,1,5.00")
    home.merge()
    api = "segments.date,campaign.id,campaign.name,customer.id,customer.currency_code,"
    api += "metrics.impressions,metrics.clicks,metrics.cost_micros"
    put(home, "google_ads", "api.csv", api, "2024-03-02,7,A,2223334444,EUR,10,1,5000000")
    home.merge()
    assert spend(home) == Decimal("5.00")
    assert home.sum_with_duckdb("min(account)") == "2223334444"
    named = put(home, "google_ads/account=222-333-4444", "b.csv", *[META.replace("x", "y")])
    named.write_text("Day,Campaign,Currency code,Impr.,Clicks,Cost\n2024-03-02,A,EUR,10,1,6.00\n")
    home.merge()
    assert spend(home) == Decimal("6.00")


def test_a_row_that_says_nothing_of_the_split_is_no_segment_of_it(home: Home) -> None:
    header = "Campaign name,Day,Age,Impressions,Clicks (all),Amount spent (EUR)"
    put(
        home,
        "meta_ads",
        "1.csv",
        header,
        "S,2024-03-01,,1000,20,10.00",
        "S,2024-03-01,18-24,500,10,4.00",
        "S,2024-03-01,25-34,500,10,6.00",
    )
    home.merge()
    [reject] = home.read_rejects().to_dicts()
    assert (reject["rule"], reject["line"]) == ("missing_segment", 2)
    with open_reading_connection(home.lake, home.lake.take_snapshot()) as connection:
        [row] = run_kpi(connection, "platform").to_dicts()
    assert row["spend"] == Decimal("10.00")


def test_a_delivery_of_which_no_row_is_good_empties_nothing(home: Home) -> None:
    header = "Campaign name,Day,Reporting ends,Impressions,Clicks (all),Amount spent (EUR)"
    put(home, "meta_ads", "1.csv", header, "S,2024-03-01,2024-03-01,1000,20,10.00")
    assert home.merge().to_look_at == []
    put(home, "meta_ads", "2.csv", header, "S,2024-03-01,2024-03-31,9000,80,70.00")
    outcome = home.merge()
    assert [account.outcome for account in outcome.to_look_at] == ["held"]
    assert spend(home) == Decimal("10.00")


def test_a_first_delivery_of_which_no_row_is_good_asks_for_a_look(home: Home) -> None:
    put(home, "meta_ads", "1.csv", META, "S,3/1/2024,1000,20,10.00")
    assert [one.quarantined for one in home.merge().to_look_at] == [1]


def test_two_thousand_of_another_country_is_not_two(home: Home) -> None:
    header = "Nombre de la campaña,Día,Impresiones,Clics (todos),Importe gastado (EUR)"
    put(home, "meta_ads", "1.csv", header, "S,2024-03-01,2.000,20,10.00")
    home.merge()
    assert (last(home)["outcome"], last(home)["reason"]) == ("quarantined", "other_notation")


def test_totals_of_a_report_of_one_day_without_a_column_for_it_are_no_row(home: Home) -> None:
    rows = ["TotalEnergies,EUR,1,10,5.00", "B,EUR,1,10,5.00"]
    lines = ["Campaign report", '"March 1, 2024 - March 1, 2024"']
    lines.append("Campaign,Currency code,Clicks,Impr.,Cost")
    put(home, "google_ads", "1.csv", *lines, *rows, "Total: Account,EUR,2,20,10.00")
    home.merge()
    assert (last(home)["accepted"], last(home)["quarantined"], last(home)["remarks"]) == (
        2,
        0,
        None,
    )
    assert spend(home) == Decimal("10.00")

    put(home, "google_ads", "2.csv", *lines, *rows, "Total: Account,EUR,2,20,999.00")
    home.merge()
    assert "totals_mismatch" in str(last(home)["remarks"])


def test_a_header_and_a_column_name_one_currency(home: Home) -> None:
    header = META.replace("Amount", "Currency,Amount")
    put(home, "meta_ads", "1.csv", header, "S,2024-03-01,1000,20,USD,10.00")
    home.merge()
    assert last(home)["reason"] == "currency_mismatch"


@pytest.mark.parametrize("folder", ["account=111", "currency=USD"])
def test_a_folder_that_contradicts_the_cells_is_no_place_for_them(home: Home, folder: str) -> None:
    header = "Day,Campaign,Customer ID,Currency code,Impr.,Clicks,Cost"
    put(home, f"google_ads/{folder}", "1.csv", header, "2024-03-02,A,222-1,EUR,10,1,5.00")
    home.merge()
    assert last(home)["reason"] == "partition_mismatch"
    put(home, "google_ads/account=2221/currency=EUR", "2.csv", header.replace(",Clicks", ""))
    path = put(home, "google_ads/account=2221/currency=EUR", "3.csv", header)
    path.write_text(f"{header}\n2024-03-02,A,222-1,EUR,10,1,5.00\n")
    home.merge()
    assert home.read_ledger().filter(pl.col("outcome") == "merged").height == 1


def test_a_file_with_a_number_of_another_country_is_not_read_in_part(home: Home) -> None:
    lines = [line.replace(",", ";") for line in (META, "S,2024-03-01,1000,20,10.50")]
    put(home, "meta_ads", "1.csv", *lines, "T;2024-03-01;1000;20;1.204")
    home.merge()
    assert (last(home)["outcome"], last(home)["reason"]) == ("quarantined", "other_notation")
    assert "'10.50' in cost on line 2 is a number" in str(last(home)["detail"])


LINKEDIN = "Start Date (in UTC),Campaign ID,Currency,Impressions,Clicks,Total Spent"
MARCH_1 = "3/1/2024,1,EUR,1000,20,30.00"
MARCH = [f"{day}/3/2024" for day in range(1, 32)]
DELIVERED = "linkedin_ads/delivered=2024-04-01T00:00:00Z"


def put_days(home: Home, place: str, name: str, days: list[str], cost: str = "10.00") -> None:
    put(home, place, name, LINKEDIN, *(f"{day},1,EUR,1000,20,{cost}" for day in days))
    home.merge()


def test_a_file_with_the_day_before_the_month_replaces_no_other_months(home: Home) -> None:
    days = pl.date_range(pl.date(2023, 4, 1), pl.date(2024, 2, 29), eager=True)
    before = DELIVERED.replace("-04-", "-03-")
    put_days(home, before, "year.csv", days.cast(pl.String()).to_list())
    assert spend(home) == Decimal("3350.00")
    put_days(home, DELIVERED, "march.csv", MARCH)
    assert (last(home)["outcome"], last(home)["reason"]) == ("quarantined", "other_notation")
    said = str(last(home)["detail"])
    assert "'13/3/2024' in date on line 14 can only be meant as D/M/YYYY; expected M/D/" in said
    assert "export it with dates as YYYY-MM-DD, or say their order in date_formats" in said
    assert spend(home) == Decimal("3350.00")


def test_a_cell_that_is_a_day_in_no_order_costs_its_own_row(home: Home) -> None:
    put_days(home, DELIVERED, "march.csv", ["3/1/2024", "13/13/2024", "3/31/2024"])
    assert (last(home)["accepted"], last(home)["quarantined"]) == (2, 1)
    assert home.read_rejects()["rule"].to_list() == ["bad_date"]


def test_a_file_of_a_few_days_is_known_by_its_period(home: Home) -> None:
    put_days(home, f"{DELIVERED}/period=2024-03-01..2024-03-02", "march.csv", MARCH[:2])
    assert last(home)["reason"] == "other_notation"
    assert "'1/3/2024' in date on line 2" in str(last(home)["detail"])
    put_days(home, f"{DELIVERED}/period=2024-03-01..2024-03-02", "us.csv", ["3/1/2024", "3/2/2024"])
    assert (last(home)["accepted"], spend(home)) == (2, Decimal("20.00"))


def test_a_spanish_file_with_the_month_before_the_day_is_refused(home: Home) -> None:
    header = "Día,Campaña,Código de moneda,Impr.,Clics,Coste"
    rows = [f'{day},A,EUR,10,1,"5,00"' for day in ("3/1/2024", "3/31/2024")]
    put(home, "google_ads", "1.csv", header, *rows)
    home.merge()
    assert last(home)["reason"] == "other_notation"
    assert "'3/31/2024' in date on line 3 can only be meant as M/D/YYYY" in str(
        last(home)["detail"]
    )


def test_today_of_an_account_in_the_east_may_be_tomorrow_in_utc(home: Home) -> None:
    place = "meta_ads/delivered=2024-06-01T22:00:00Z"
    put(home, place, "1.csv", META, "S,2024-06-02,1000,20,10.00", "S,2024-06-03,1000,20,10.00")
    home.merge()
    assert (last(home)["accepted"], last(home)["quarantined"]) == (1, 1)


@pytest.mark.parametrize("first", [True, False])
def test_creatives_with_two_names_count_once_whichever_a_file_has(
    home: Home, *, first: bool
) -> None:
    both = ["Creative Name", "Ad Name"] if first else ["Ad Name", "Creative Name"]
    cells = {"Creative Name": ("a", "a", "b"), "Ad Name": ("x", "y", "x")}
    rows = [
        f"3/1/2024,1,EUR,1000,20,10.00,{cells[both[0]][n]},{cells[both[1]][n]}" for n in (0, 1, 2)
    ]
    put(home, DELIVERED, "1.csv", f"{LINKEDIN},{','.join(both)}", *rows, rows[0])
    home.merge()
    assert (last(home)["accepted"], last(home)["duplicates"]) == (3, 1)
    found = home.read_master().sort("segment").select("segment", "cost", "breakdown").rows()
    costs = [(segment, cost) for segment, cost, _ in found]
    assert costs == [("a", Decimal("20.00")), ("b", Decimal("10.00"))]
    assert {breakdown for *_, breakdown in found} == {"creative"}

    put(home, DELIVERED.replace("-04-", "-05-"), "2.csv", f"{LINKEDIN},Ad Name", f"{MARCH_1},x")
    home.merge()
    assert (spend(home), home.read_master()["segment"].to_list()) == (Decimal("30.00"), ["x"])
