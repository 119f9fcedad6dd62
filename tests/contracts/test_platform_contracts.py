"""The shipped contracts of platforms tell their files apart and read them to the cent."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.contracts import load_contracts
from pipeline.errors import BadFileError
from pipeline.read.layout import Layout
from pipeline.read.recognise import recognise
from tests.contracts.sums import read_sums
from tests.exports import (
    EXPORTS,
    GOOGLE_STYLES,
    META_STYLES,
    PERIOD,
    TOTALS,
    UI_EXPORTS,
    Export,
    Language,
    make_google_export,
    make_meta_export,
)

CONTRACTS = tuple(load_contracts().values())
CSV_EXPORTS = [export for export in EXPORTS if not export.file_name.endswith("parquet")]


def lay_out(export: Export, folder: Path) -> tuple[Path, Layout]:
    path = export.write(folder)
    return path, recognise(path, CONTRACTS)


@pytest.mark.parametrize("export", CSV_EXPORTS, ids=lambda export: export.name)
def test_an_export_is_of_its_contract_and_adds_up(export: Export, tmp_path: Path) -> None:
    path, layout = lay_out(export, tmp_path)
    assert layout.contract.name == export.contract
    sums, faults = read_sums(path, layout)
    assert (sums, dict(faults)) == (TOTALS, {})


@pytest.mark.parametrize("name", ["google_ads", "meta_ads"])
def test_the_samples_use_every_dialect_that_is_declared(name: str, tmp_path: Path) -> None:
    contract = load_contracts()[name]
    used = {
        (layout.dialect, layout.encoding)
        for number, export in enumerate(UI_EXPORTS)
        for _, layout in [lay_out(export, tmp_path / str(number))]
        if layout.contract.name == name
    }
    declared = {
        (dialect, encoding) for dialect in contract.dialects for encoding in dialect.encodings
    }
    assert declared == used


@pytest.mark.parametrize("language", GOOGLE_STYLES)
def test_a_download_of_google_says_its_period(language: Language, tmp_path: Path) -> None:
    _, layout = lay_out(make_google_export(language), tmp_path)
    assert layout.period == PERIOD


@pytest.mark.parametrize(
    ("line", "period"),
    [
        ("All time", None),
        ("January 5, 2024 - January 6, 2024", (date(2024, 1, 5), date(2024, 1, 6))),
        ("Jan 5, 2024 \N{EN DASH} Jan 6, 2024", (date(2024, 1, 5), date(2024, 1, 6))),
        ("5 January 2024 - 6 January 2024", (date(2024, 1, 5), date(2024, 1, 6))),
        ("January 5, 2024", (date(2024, 1, 5), date(2024, 1, 5))),
        ("2024-01-05 - 2024-01-06", (date(2024, 1, 5), date(2024, 1, 6))),
    ],
)
def test_periods_are_read_in_the_forms_that_google_writes(
    line: str, period: tuple[date, date] | None, tmp_path: Path
) -> None:
    text = make_google_export().data.decode("utf-8-sig")
    text = text.replace('"January 1, 2024 - January 31, 2024"', f'"{line}"')
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert recognise(tmp_path / "a.csv", CONTRACTS).period == period


@pytest.mark.parametrize("language", META_STYLES)
def test_a_table_of_meta_says_its_currency_in_its_header(
    language: Language, tmp_path: Path
) -> None:
    _, layout = lay_out(make_meta_export(language), tmp_path)
    assert layout.currency == "EUR"


@pytest.mark.parametrize(
    "splits",
    [
        ["age"],
        ["gender"],
        ["age", "gender"],
        ["publisher_platform", "placement"],
        ["ad_set"],
        ["ad_set", "ad"],
    ],
)
@pytest.mark.parametrize("language", META_STYLES)
def test_a_breakdown_is_recognised_in_each_language(
    language: Language, splits: list[str], tmp_path: Path
) -> None:
    _, layout = lay_out(make_meta_export(language, splits=splits), tmp_path)
    assert layout.breakdown == "+".join(splits)


@pytest.mark.parametrize("language", GOOGLE_STYLES)
def test_ad_groups_are_a_breakdown_and_devices_are_added_up(
    language: Language, tmp_path: Path
) -> None:
    _, by_group = lay_out(make_google_export(language, splits=["ad_group"]), tmp_path / "1")
    _, by_device = lay_out(make_google_export(language, splits=["device"]), tmp_path / "2")
    assert (by_group.breakdown, by_group.folds) == ("ad_group", False)
    assert (by_device.breakdown, by_device.folds) == ("", True)


def test_all_clicks_are_read_and_link_clicks_and_results_are_not(tmp_path: Path) -> None:
    _, layout = lay_out(make_meta_export(), tmp_path)
    assert layout.ignored == ("Objective", "Reach", "Link clicks", "Results")


def test_a_number_of_another_country_is_refused_and_never_read_as_another(tmp_path: Path) -> None:
    # The header is Spanish, the decimals are points: what it means nobody can tell from a header.
    text = make_meta_export("es").data.decode().replace("1234.56", '"1,204"')
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    sums, faults = read_sums(tmp_path / "a.csv", recognise(tmp_path / "a.csv", CONTRACTS))
    assert faults == {"not_number": 1}
    assert sums["cost"] == Decimal(str(TOTALS["cost"])) - Decimal("1234.56")


def test_a_table_in_two_currencies_is_refused(tmp_path: Path) -> None:
    text = make_meta_export().data.decode().replace("CPC (all) (EUR)", "CPC (all) (USD)")
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        recognise(tmp_path / "a.csv", CONTRACTS)
    assert caught.value.rule == "currency_mismatch"


def test_a_report_without_its_cost_is_told_which_column_is_missing(tmp_path: Path) -> None:
    text = make_google_export().data.decode("utf-8-sig").replace(",Cost,", ",Price,")
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError, match=r"google_ads.*missing Cost") as caught:
        recognise(tmp_path / "a.csv", CONTRACTS, source="google_ads")
    assert caught.value.rule == "header_mismatch"
