"""What ad platforms export lands with the sums that they say, whatever it looks like."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from pipeline.contracts import load_contracts
from pipeline.errors import UsageError
from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.views import open_reading_connection
from pipeline.read.recognise import recognise
from pipeline.steps.label import Label
from pipeline.steps.land import land
from tests.exports import (
    API_EXPORTS,
    EXPORTS,
    FACTS,
    GOOGLE_STYLES,
    META_ATTRIBUTION,
    TOTALS,
    UI_EXPORTS,
    Export,
    Language,
    Style,
    make_canonical_export,
    make_google_api_export,
    make_google_export,
    make_meta_api_export,
    make_meta_export,
)
from tests.exports.downloads import make_linkedin_export, make_microsoft_export
from tests.steps.conftest import SETTINGS, Home

SPEND = TOTALS["cost"]


def put(home: Home, export: Export, *, hour: int = 0, folders: Sequence[str] = ()) -> Path:
    """Puts a file where a person or a program would."""
    delivered = f"delivered=2024-06-01T{hour:02d}:00:00Z"
    return export.write(home.root.joinpath("landing", export.source, *folders, delivered))


def read_sums(home: Home) -> dict[str, Decimal]:
    return {name: Decimal(str(home.sum_with_duckdb(f"sum({name})::varchar"))) for name in TOTALS}


def read_kpi_spend(home: Home) -> dict[str, Decimal]:
    with open_reading_connection(home.lake, home.lake.take_snapshot()) as connection:
        rows = run_kpi(connection, "platform").to_dicts()
    return {str(row["platform"]): Decimal(str(row["spend"])) for row in rows}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_every_dialect_and_language_lands_with_its_sums_to_the_cent(
    home: Home, export: Export
) -> None:
    put(home, export)
    home.merge()
    ledger = home.read_ledger().row(0, named=True)
    assert (ledger["outcome"], ledger["contract"]) == ("merged", export.contract), ledger
    assert (ledger["accepted"], ledger["quarantined"]) == (len(FACTS), 0)
    assert "totals_mismatch" not in (ledger["remarks"] or "")
    assert read_sums(home) == TOTALS


def test_all_exports_say_the_same(home: Home) -> None:
    for hour, export in enumerate([UI_EXPORTS[0], UI_EXPORTS[-1], API_EXPORTS[-1]]):
        put(home, export, hour=hour)
    home.merge()
    assert set(read_kpi_spend(home).values()) == {SPEND}
    assert len(read_kpi_spend(home)) == 3


@pytest.mark.parametrize("day_first", [True, False])
@pytest.mark.parametrize("language", GOOGLE_STYLES)
def test_totals_rows_are_no_data_whichever_column_has_their_label(
    home: Home, language: str, day_first: bool
) -> None:
    put(home, make_google_export(language, day_first=day_first))
    home.merge()
    ledger = home.read_ledger().row(0, named=True)
    assert (ledger["quarantined"], ledger["control"]) == (0, 4)  # two before the header, two totals
    assert read_sums(home) == TOTALS


def test_platforms_have_the_names_of_the_originals_lots(home: Home) -> None:
    put(home, make_google_export())
    put(home, make_meta_export(), hour=1)
    home.merge()
    assert read_kpi_spend(home) == {"Google ADS": SPEND, "Facebook ADS": SPEND}


@pytest.mark.parametrize("language", META_ATTRIBUTION)
def test_the_attribution_window_is_kept_and_shown(home: Home, language: Language) -> None:
    _, window = META_ATTRIBUTION[language]
    put(home, make_meta_export(language))
    home.merge()
    assert set(home.read_master()["attribution"]) == {window}
    with open_reading_connection(home.lake, home.lake.take_snapshot()) as connection:
        [quality] = run_kpi(connection, "quality").to_dicts()
    assert quality["attribution"] == window


def test_conversions_of_two_attribution_windows_are_said_to_be_of_two(home: Home) -> None:
    put(home, make_meta_export(), folders=["account=7"])
    put(home, replace(make_meta_api_export(), source="meta_rows"), hour=1)
    home.merge()
    with open_reading_connection(home.lake, home.lake.take_snapshot()) as connection:
        said = [row["attribution"] for row in run_kpi(connection, "quality").to_dicts()]
    assert said == ["7-day click or 1-day view", "7d_click_1d_view"]


def test_names_keep_their_accents_quotes_and_line_breaks(home: Home) -> None:
    put(home, make_meta_export("es", Style(encoding="windows-1252")))
    home.merge()
    assert set(home.read_master()["campaign_name"]) == {fact.campaign for fact in FACTS}


def test_figures_land_in_their_columns(home: Home) -> None:
    put(home, make_meta_export("pt"), folders=["account=A"])
    home.merge()
    row = home.read_master().sort("date", "campaign_id").row(0, named=True)
    fact = FACTS[0]
    assert row["date"] == fact.day
    assert (row["account"], row["currency"], row["breakdown"]) == ("A", "EUR", "")
    assert (row["campaign_id"], row["impressions"], row["clicks"]) == (
        fact.campaign_id,
        fact.impressions,
        fact.clicks,
    )
    assert row["reported_ctr"] == Decimal("0.010005")  # 1204 / 120345, a percent in the file
    assert row["reported_cpc"] == Decimal("1.025382")  # 1234.56 / 1204


@pytest.mark.parametrize("splits", [("device",), ("ad_group",), ("ad_group", "device")])
def test_rows_of_segments_add_up(home: Home, splits: tuple[str, ...]) -> None:
    put(home, make_google_export("pt", splits=splits))
    home.merge()
    assert read_sums(home) == TOTALS
    parts = 2 if "ad_group" in splits else 1
    assert len(home.read_master()) == parts * len(FACTS)


PARTS = (
    make_meta_export(),
    make_meta_export(splits=["age"]),
    make_meta_export(splits=["publisher_platform", "placement"]),
)


@pytest.mark.parametrize("order", list(permutations(range(len(PARTS)))))
def test_breakdowns_of_the_same_spend_are_never_added_up(
    home: Home, order: tuple[int, ...]
) -> None:
    for hour, place in enumerate(order):
        put(home, PARTS[place], hour=hour)
        home.merge()
        assert read_kpi_spend(home) == {"Facebook ADS": SPEND}


def test_breakdowns_that_come_at_once_are_kept_apart(home: Home) -> None:
    splits: list[list[str]] = [[], ["age"], ["gender"], ["age", "gender"], ["ad_set", "ad"]]
    for hour, names in enumerate(splits):
        put(home, make_meta_export(splits=names), hour=hour)
    home.merge()
    assert read_kpi_spend(home) == {"Facebook ADS": SPEND}
    sums = home.read_master().group_by("breakdown").agg(pl.col("cost").sum())
    expected = dict.fromkeys(["", "age", "gender", "age+gender", "ad_set+ad"], SPEND)
    assert dict(sums.iter_rows()) == expected


def test_a_download_replaces_what_a_program_took_before_and_the_other_way_round(
    home: Home,
) -> None:
    put(home, make_google_api_export(), folders=["account=1234567890"])
    put(home, make_google_export(), hour=1, folders=["account=1234567890"])
    put(home, make_meta_export(), hour=2, folders=["account=103891466123901"])
    put(home, make_meta_api_export(), hour=3)
    home.merge()
    assert read_kpi_spend(home) == {"Google ADS": SPEND, "Facebook ADS": SPEND}
    assert len(home.read_master()) == 2 * len(FACTS)


def test_a_row_of_several_days_is_refused(home: Home) -> None:
    export = make_meta_export()
    lines = export.data.decode().split("\n")
    lines[2] = lines[2].replace(
        "2024-01-05,2024-01-05,2024-01-05", "2024-01-05,2024-01-05,2024-01-09"
    )
    (home.root / "landing/meta_ads").mkdir(parents=True)
    (home.root / "landing/meta_ads/a.csv").write_text("\n".join(lines), encoding="utf-8")
    home.merge()
    assert home.read_rejects()["rule"].to_list() == ["not_one_day"]
    assert read_sums(home)["cost"] == SPEND - FACTS[0].cost


def test_a_day_beside_another_first_day_of_its_row_is_refused(home: Home) -> None:
    text = (
        make_meta_export().data.decode().replace("2024-01-05,2024-01-05,", "2024-01-05,2024-01-04,")
    )
    folder = home.root / "landing/meta_ads"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(text, encoding="utf-8")
    home.merge()
    assert set(home.read_rejects()["rule"]) == {"repeated_columns_differ"}


def test_a_file_that_does_not_say_its_currency_is_refused_until_its_place_does(
    home: Home,
) -> None:
    text = make_google_export().data.decode().replace("Currency code", "Something else")
    for number, folders in enumerate(["", "currency=EUR/"]):
        folder = home.root / f"landing/google_ads/{folders}delivered=2024-06-0{number + 1}"
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text(text, encoding="utf-8")
    home.merge()
    ledger = home.read_ledger().sort("delivered_at")
    assert ledger["outcome"].to_list() == ["quarantined", "merged"]
    assert ledger["reason"].to_list()[0] == "no_currency"
    assert set(home.read_master()["currency"]) == {"EUR"}


ANYONES = "Day,Campaign,Currency,Impressions,Clicks,Cost\n2024-03-01,Brand,EUR,100,9,5.00\n"


def test_a_table_that_could_be_anyones_is_googles_only_where_somebody_says_so(
    home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    for told in (
        ANYONES.replace("Impressions", "Impr."),
        "Campaign performance\n1 March 2024\n" + ANYONES,
    ):
        path.write_text(told)
        assert recognise(path, load_contracts().values()).contract.name == "google_ads"
    path.write_text(ANYONES)
    with pytest.raises(UsageError, match=r"could be anyone's.*: land it with --source google_ads"):
        land(home.lake, [path], settings=SETTINGS)
    assert land(home.lake, [path], settings=SETTINGS, label=Label(source="google_ads"))
    home.merge()
    assert home.sum_with_duckdb("sum(cost)::varchar") == "5.000000"


@pytest.mark.parametrize("word", ["Weekly", "Monthly", "Hourly", "Summary", "DayOfWeek"])
def test_a_report_that_says_it_is_not_by_day_is_refused(home: Home, word: str) -> None:
    daily = make_microsoft_export(Style())
    assert b"Report aggregation: Daily" in daily.data
    put(home, daily)
    put(home, replace(daily, data=daily.data.replace(b"Daily", word.encode())), hour=1)
    home.merge()
    taken, refused = home.read_ledger().sort("delivered_at").to_dicts()
    assert (taken["outcome"], refused["outcome"]) == ("merged", "quarantined")
    assert refused["reason"] == "not_by_day"
    assert refused["detail"] == (
        f"the lines before the header say that its rows are {word!r}; expected 'Daily' "
        "(contract 'microsoft_ads')"
    )


def test_a_row_of_linkedin_that_ends_on_another_day_is_no_day(home: Home) -> None:
    daily = make_linkedin_export(Style())
    put(home, daily)
    head = "Start Date (in UTC),End Date (in UTC),Currency,Campaign ID,Total Spent\n"
    rows = head + "1/1/2024,1/1/2024,EUR,7,5.00\n1/1/2024,1/31/2024,EUR,7,310.00\n"
    put(home, replace(daily, data=rows.encode()), hour=1, folders=["account=b"])
    home.merge()
    assert home.read_rejects()["rule"].to_list() == ["not_one_day"]
    assert read_sums(home)["cost"] == SPEND + 5


def test_a_canonical_delivery_of_a_key_wins_over_an_older_one(home: Home) -> None:
    put(home, make_canonical_export("parquet"))
    put(home, make_canonical_export("csv"), hour=1)
    home.merge()
    assert read_sums(home) == TOTALS
    assert len(home.read_master()) == len(FACTS)


@pytest.mark.parametrize(
    ("preamble", "folder", "outcome", "reason"),
    [
        ("January 5, 2024", "", "merged", ""),
        ("January 5, 2024 - January 5, 2024", "", "merged", ""),
        ("All time", "period=2024-01-05/", "merged", ""),
        ("January 1, 2024 - January 31, 2024", "", "quarantined", "no_date"),
        ("All time", "", "quarantined", "no_date"),
        ("January 6, 2024", "period=2024-01-05/", "quarantined", "bad_period"),
    ],
)
def test_a_report_without_days_is_taken_only_where_it_is_of_one_day(
    home: Home, preamble: str, folder: str, outcome: str, reason: str
) -> None:
    text = f'Campaign report\n"{preamble}"\nCampaign,Currency code,Cost\nBrand,EUR,"1,234.56"\n'
    path = home.root / f"landing/google_ads/{folder}delivered=2024-06-01/a.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    home.merge()
    ledger = home.read_ledger().row(0, named=True)
    assert (ledger["outcome"], ledger["reason"] or "") == (outcome, reason)
    if outcome == "merged":
        assert home.read_master().select("date", "cost").row(0) == (
            FACTS[0].day,
            Decimal("1234.56"),
        )
