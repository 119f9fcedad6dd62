"""Commands on contracts, and what `land` says of files, as a person uses them: real processes."""

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.contracts import load_contracts
from pipeline.steps.check_file import Checked
from tests.cli.shell import Shell
from tests.exports import (
    API_EXPORTS,
    TOTALS,
    UI_EXPORTS,
    Export,
    make_google_export,
    make_meta_export,
)
from tests.exports.google import GOOGLE_STYLES
from tests.lots import make_line, write_lot
from tests.sources import write_contract

SHIPPED = {contract.name: contract.mode for contract in load_contracts(None).values()}
API_HEADER = "segments.date,campaign.id,metrics.cost_micros"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A lake that nobody has made yet."""
    return Shell(tmp_path)


def write_text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_list_has_all_shipped_contracts(shell: Shell) -> None:
    rows = shell.read("contract", "list")
    assert {row["contract"]: row["mode"] for row in rows} == SHIPPED
    assert list(rows[0]) == ["contract", "source", "mode", "formats", "time_zone", "description"]
    assert {row["contract"]: row["formats"] for row in rows}["google_ads_api"] == "csv, parquet"
    table = shell.run("contract", "list")
    assert (table.returncode, table.stderr) == (0, "")
    assert all(
        any(line.startswith(f"{name} ") for line in table.stdout.splitlines()) for name in SHIPPED
    )
    csv = shell.run("contract", "list", "--format", "csv").stdout.splitlines()
    assert len(csv) == len(SHIPPED) + 1
    assert not shell.lake.exists()


def test_the_list_has_contracts_of_ones_own(shell: Shell, tmp_path: Path) -> None:
    write_contract(tmp_path / "own", mode="append")
    done = shell.run("contract", "list", ADLAKE_CONTRACTS=str(tmp_path / "own"))
    assert done.returncode == 0
    assert "shop " in done.stdout
    assert "a source of the tests" in done.stdout
    assert "google_ads " in done.stdout


def test_a_contract_with_a_fault_is_wrong_use(shell: Shell, tmp_path: Path) -> None:
    write_contract(tmp_path / "own", mode="append", top='colour = "red"')
    done = shell.run("contract", "list", ADLAKE_CONTRACTS=str(tmp_path / "own"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "shop.toml" in done.stderr
    assert "colour" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_google_download_in_utf_16_is_shown_as_it_would_be_read(
    shell: Shell, tmp_path: Path
) -> None:
    (style,) = (one for one in GOOGLE_STYLES["en"] if one.encoding == "utf-16")
    path = make_google_export("en", style).write(tmp_path / "in")
    done = shell.run("contract", "check", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "contract google_ads, by its header on line 3",
        "encoding: utf-16",
        "delimiter: tab",
        "header on line: 3",
        "declares to speak for 2024-01-01 to 2024-01-31",
        "not read: Campaign status, Search impr. share",
        "constant Google ADS",
        "Campaña Áéí, otoño",
        "5 rows would be merged, 0 rejected",
    ):
        assert words in done.stdout
    assert not shell.lake.exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in"]
    assert list(path.parent.iterdir()) == [path]


def test_a_meta_download_is_shown_with_the_columns_that_it_names_twice(
    shell: Shell, tmp_path: Path
) -> None:
    path = make_meta_export("es", splits=["age", "gender"]).write(tmp_path / "in")
    checked = shell.read("contract", "check", str(path))
    assert checked["contract"] == "meta_ads"
    assert checked["breakdown"] == "age+gender"
    assert checked["dialect"]["encoding"] == "utf-8"
    came_from = {one["column"]: one["from"] for one in checked["mapping"]}
    assert came_from["campaign_name"] == "column 1 and 7"
    assert came_from["currency"] == "constant EUR"
    assert checked["accepted"] == 5 * 3 * 3
    assert (checked["rejected"], checked["totals"]) == ({}, "")
    assert "spend is split by age+gender" in shell.run("contract", "check", str(path)).stdout
    assert not shell.lake.exists()


@pytest.mark.parametrize("export", API_EXPORTS[2:8:2], ids=lambda export: export.name)
def test_what_programs_write_is_of_its_contract(
    shell: Shell, tmp_path: Path, export: Export
) -> None:
    checked = shell.read("contract", "check", str(export.write(tmp_path / "in")))
    assert (checked["contract"], checked["accepted"]) == (export.contract, 5)
    assert sum(row["cost"] for row in checked["rows"]) == TOTALS["cost"]
    assert not shell.lake.exists()


def test_the_json_is_one_object_with_the_fields_of_what_was_checked(
    shell: Shell, tmp_path: Path
) -> None:
    path = UI_EXPORTS[0].write(tmp_path / "in")
    checked = shell.read("contract", "check", str(path))
    assert isinstance(checked, dict)
    assert list(checked) == [field.name for field in dataclasses.fields(Checked)]
    assert checked["period"] == ["2024-01-01", "2024-01-31"]
    first = checked["rows"][0]
    assert (first["date"], first["cost"]) == ("2024-01-05", Decimal("1234.56"))
    assert {"column": "cost", "from": "column 9", "unit": "one"} in checked["mapping"]


def test_bad_rows_are_counted_by_rule_and_the_first_are_shown(shell: Shell, tmp_path: Path) -> None:
    lines = [make_line(campaign_id=n) for n in range(30)]
    lines[1] = make_line(campaign_id="x", clicks=-1)
    lines[4] = make_line(campaign_id="y", platform="Other ADS")
    lines[5] = make_line(campaign_id="z\x1b[31m")
    lines[9:25] = [make_line(campaign_id=n, clicks=-7) for n in range(9, 25)]
    path = write_lot(tmp_path / "lot.csv", lines)
    checked = shell.read("contract", "check", str(path))
    assert checked["accepted"] == 11
    assert checked["rejected"] == {"control_char": 1, "negative_clicks": 17, "unknown_platform": 1}
    assert [one["line"] for one in checked["rejects"]] == [3, 6, 7, *range(11, 18)]
    assert checked["rejects"][1] == {
        "line": 6,
        "rule": "unknown_platform",
        "column": "platform",
        "value": "Other ADS",
        "expected": "one of Facebook ADS, Google ADS",
        "raw": lines[4],
    }
    done = shell.run("contract", "check", str(path))
    assert done.returncode == 0
    assert "11 rows would be merged, 19 rejected" in done.stdout
    assert "unknown_platform" in done.stdout
    assert "Other ADS" in done.stdout
    assert r"z\x1b[31m" in done.stdout
    assert "\x1b" not in done.stdout
    assert not shell.lake.exists()


def test_totals_that_do_not_agree_are_said(shell: Shell, tmp_path: Path) -> None:
    export = make_google_export("en")
    path = tmp_path / export.file_name
    path.write_bytes(export.data.replace(b"1,234.56", b"1,134.56"))
    done = shell.run("contract", "check", str(path))
    assert done.returncode == 0
    assert "13,686.44" in done.stderr or "13686.44" in done.stderr
    assert shell.read("contract", "check", str(path))["totals"]


@pytest.mark.parametrize("form", [[], ["--format", "json"]])
def test_a_file_of_no_contract_is_wrong_use(shell: Shell, tmp_path: Path, form: list[str]) -> None:
    path = write_text(tmp_path / "other.csv", "a,b", "1,2")
    done = shell.run("contract", "check", str(path), *form)
    assert (done.returncode, done.stdout) == (2, "")
    assert "header_mismatch" in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["other.csv"]


def test_no_file_is_wrong_use(shell: Shell, tmp_path: Path) -> None:
    for name, words in {"none.csv": "no such file", ".": "is a folder"}.items():
        done = shell.run("contract", "check", name)
        assert (done.returncode, words in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_check_takes_what_a_person_says_of_the_file(shell: Shell, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "Campaign,Impr.,Clicks,Cost", "Brand,10,1,2.50")
    done = shell.run("contract", "check", str(path), "--period", "2024-01-02")
    assert (done.returncode, "--currency" in done.stderr) == (2, True)
    done = shell.run("contract", "check", str(path), "--currency", "EUR")
    assert (done.returncode, "--period" in done.stderr) == (2, True)
    said = ["--currency", "EUR", "--period", "2024-01-02", "--account", "7"]
    said += ["--time-zone", "Europe/Madrid"]
    checked = shell.read("contract", "check", str(path), *said)
    came_from = {one["column"]: one["from"] for one in checked["mapping"]}
    assert (came_from["account"], came_from["currency"]) == ("constant 7", "constant EUR")
    assert checked["period"] == ["2024-01-02", "2024-01-02"]
    assert checked["time_zone"] == "Europe/Madrid"
    assert not shell.lake.exists()


def test_landing_says_account_currency_period_and_zone_in_the_path(
    shell: Shell, tmp_path: Path
) -> None:
    path = write_text(tmp_path / "Año (1).csv", "Campaign,Impr.,Clicks,Cost", "Brand,10,1,2.50")
    said = ["--account", "7 8", "--currency", "EUR", "--period", "2024-01-02"]
    said += ["--time-zone", "Europe/Madrid"]
    done = shell.run("land", str(path), *said)
    assert (done.returncode, done.stderr) == (0, "")
    (landed,) = (shell.lake / "landing").rglob("*.csv")
    place = landed.relative_to(shell.lake).as_posix()
    assert place.startswith(
        "landing/google_ads/account=7 8/currency=EUR/period=2024-01-02/timezone=Europe.Madrid/"
        "delivered="
    )
    assert landed.name == path.name
    assert landed.read_bytes() == path.read_bytes()
    assert f"{path} -> {place} (contract google_ads, by " in done.stdout
    assert shell.run("merge").returncode == 0
    rows = shell.read("query", "select account, currency, date, cost from ad_day")
    cost = Decimal("2.5")
    assert rows == [{"account": "7 8", "currency": "EUR", "date": "2024-01-02", "cost": cost}]


def test_a_replacing_file_without_an_account_lands_with_a_warning(
    shell: Shell, tmp_path: Path
) -> None:
    lacking = write_text(tmp_path / "a.csv", API_HEADER, "2024-01-01,1,1000000")
    refused = shell.run("land", str(lacking))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no_currency" in refused.stderr
    assert "--currency" in refused.stderr
    assert not shell.lake.exists()
    done = shell.run("land", str(lacking), "--currency", "EUR")
    assert done.returncode == 0
    assert "names no account" in done.stderr
    assert "--account" in done.stderr
    quiet = shell.run("land", str(lacking), "--currency", "EUR", "--account", "7")
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_files_whose_rows_never_replace_others_land_without_a_warning(
    shell: Shell, tmp_path: Path
) -> None:
    done = shell.run("land", str(write_lot(tmp_path / "a.csv", [make_line()])))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--account", "a/b"], "--account is 'a/b'"),
        (["--account", "a=b"], "--account is 'a=b'"),
        (["--account", "a\nb"], r"--account is 'a\nb'"),
        (["--account", "8"], "says its account itself; leave --account out"),
        (["--currency", "eur"], "--currency is 'eur'"),
        (["--currency", "EURO"], "--currency is 'EURO'"),
        (["--period", "May"], "--period: the period 'May'"),
        (["--period", "2024-02-30"], "--period: the period '2024-02-30'"),
        (["--period", "2024-02-01..2024-01-01"], "ends before it begins"),
        (["--time-zone", "Madrid"], "--time-zone is 'Madrid'; expected an IANA name such as"),
        (["--source", "generated"], "--source is 'generated'"),
        (["--delivered", "yesterday"], "--delivered is 'yesterday'"),
        (["--delivered", "2999-01-01"], "ahead of the clock"),
    ],
)
def test_wrong_labels_end_with_one_line_and_nothing_written(
    shell: Shell, tmp_path: Path, arguments: list[str], words: str
) -> None:
    names = "segments.date,customer.id,customer.currency_code,campaign.id,metrics.cost_micros"
    path = write_text(tmp_path / "a.csv", names, "2024-01-01,7,EUR,1,1000000")
    done = shell.run("land", str(path), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_of_two_contracts_that_fit_the_source_decides(shell: Shell, tmp_path: Path) -> None:
    for name in ("north", "south"):
        write_contract(tmp_path / "own", mode="append", name=name)
    own = str(tmp_path / "own")
    path = write_text(tmp_path / "a.csv", "date,campaign_name,cost", "2024-01-01,a,1")
    for command in (["land"], ["contract", "check"]):
        done = shell.run(*command, str(path), ADLAKE_CONTRACTS=own)
        assert (done.returncode, done.stdout) == (2, "")
        assert "north and south" in done.stderr
        assert "--source north or --source south" in done.stderr
        assert done.stderr.count("\n") == 1
    assert not shell.lake.exists()
    for command in (["contract", "check"], ["land"]):
        done = shell.run(*command, str(path), "--source", "south", ADLAKE_CONTRACTS=own)
        assert (done.returncode, "contract south" in done.stdout) == (0, True)
    assert [one.name for one in (shell.lake / "landing").iterdir()] == ["south"]
    assert shell.run("merge", ADLAKE_CONTRACTS=own).returncode == 0


def test_a_check_refuses_what_a_merge_would_refuse_for_its_split(
    shell: Shell, tmp_path: Path
) -> None:
    header = "Day,Campaign,Currency code,Search keyword,Impr.,Clicks,Cost"
    rows = ["2024-01-05,Brand,EUR,shoe,10,1,2.50", "2024-01-05,Brand,EUR,boot,20,2,3.50"]
    path = write_text(tmp_path / "split.csv", header, *rows)
    done = shell.run("contract", "check", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown_split" in done.stderr
    assert "'Search keyword'" in done.stderr
    whole = write_text(tmp_path / "whole.csv", header, rows[0])
    assert "1 row would be merged" in shell.run("contract", "check", str(whole)).stdout
    assert sorted(one.name for one in tmp_path.iterdir()) == ["split.csv", "whole.csv"]


def test_a_check_measures_dates_from_the_delivery(shell: Shell, tmp_path: Path) -> None:
    header = "Day,Campaign,Currency code,Impr.,Clicks,Cost"
    path = write_text(tmp_path / "a.csv", header, "2024-03-05,Brand,EUR,10,1,2.50")
    assert shell.read("contract", "check", str(path))["rejected"] == {}
    early = shell.read("contract", "check", str(path), "--delivered", "2024-02-01")
    assert early["rejected"] == {"date_out_of_range": 1}
    done = shell.run("contract", "check", str(path), "--delivered", "yesterday")
    assert (done.returncode, "--delivered is 'yesterday'" in done.stderr) == (2, True)


def test_a_check_says_that_a_declared_period_was_not_found(shell: Shell, tmp_path: Path) -> None:
    file = make_google_export("en").write(tmp_path)
    said = "period: no line before the header says one"
    assert said not in shell.run("contract", "check", str(file)).stdout
    data = file.read_bytes()
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
    text = data.decode(encoding).replace("January 1, 2024 - January 31, 2024", "last month")
    file.write_text(text, encoding, newline="")
    assert said in shell.run("contract", "check", str(file)).stdout


def test_a_check_has_no_csv_form(shell: Shell, tmp_path: Path) -> None:
    path = write_lot(tmp_path / "a.csv", [make_line()])
    done = shell.run("contract", "check", str(path), "--format", "csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected table or json" in done.stderr


def test_a_header_cannot_give_the_terminal_orders(shell: Shell, tmp_path: Path) -> None:
    header = "Day,Campaign,Currency code,No\u202ete\u009b,Impr.,Clicks,Cost"
    rows = ["2024-01-05,Brand,EUR,a,10,1,2.50", "2024-01-05,Brand,EUR,b,20,2,3.50"]
    path = write_text(tmp_path / "a.csv", header, rows[0])
    done = shell.run("contract", "check", str(path))
    assert r"not read: No\u202ete\x9b" in done.stdout
    write_text(path, header, *rows)
    assert shell.run("land", str(path)).returncode == 0
    merged = shell.run("merge")
    assert merged.returncode == 3
    assert r"No\u202ete\x9b" in merged.stderr


def test_of_many_files_with_the_same_fault_the_first_are_named(
    shell: Shell, tmp_path: Path
) -> None:
    for number in range(14):
        write_text(shell.lake / f"landing/lots/{number:02d}.csv", "date,spend", f"{number},1")
    done = shell.run("merge")
    assert done.returncode == 3
    named = [line for line in done.stderr.splitlines() if line.startswith("quarantined ")]
    assert [line.split(":")[0] for line in named] == [
        f"quarantined landing/lots/{number:02d}.csv" for number in range(10)
    ]
    assert "... and 4 more like these" in done.stderr
