"""`adlake contract new`: from an unknown file to a contract that reads it, as a person goes."""

import json
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import load_contracts
from pipeline.read.sample import Sample
from pipeline.steps.draft_contract import write_draft
from tests.cli.shell import Shell
from tests.lots import make_line, write_lot

SHOP = (
    "Report of the shop",
    "Day;Campaign;Network;Audience;Shown;Clicks;Spend;Sales",
    "15/03/2024;spring;Search;all;1000;20;1.012,50;3,00",
    '16/03/2024;"spring; ""second""";Search;all;900;n/a;11,40;',
)
SHIPPED = [one for one in load_contracts(None).values() if "raw" not in one.formats]
NAMES = sorted(
    {name for one in SHIPPED for column in one.columns for name in column.headers.list_names()}
)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A lake that nobody has made yet."""
    return Shell(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_a_draft_reads_the_file_that_it_was_made_from(
    shell: Shell, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "Shop, März.csv"
    file.write_text("\r\n".join((*SHOP, "17/03/2024;été;Search;all;1;0;1,00;", "")), encoding)
    draft = shell.run("contract", "new", str(file), "--name", "shop").stdout
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "shop.toml").write_text(draft, encoding="utf-8")
    done = shell.run(
        *("contract", "check", str(file), "--currency", "EUR", "--format", "json"),
        ADLAKE_CONTRACTS=str(contracts),
    )
    assert done.returncode == 0, done.stderr
    checked = json.loads(done.stdout, parse_float=Decimal)
    assert checked["contract"] == "shop"
    assert checked["rejected"] == {}
    assert [row["date"] for row in checked["rows"]] == ["2024-03-15", "2024-03-16", "2024-03-17"]
    assert [row["cost"] for row in checked["rows"]] == [
        Decimal("1012.5"),
        Decimal("11.4"),
        Decimal(1),
    ]
    assert [row["campaign_name"] for row in checked["rows"]] == [
        "spring",
        'spring; "second"',
        "été",
    ]
    assert checked["rows"][1]["clicks"] is None
    assert checked["ignored"] == ["Shown"]


def test_a_draft_says_what_a_person_has_to_find_out(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("Date,Clicks\n03/04/2024,5\n04/03/2024,7\n", encoding="utf-8")
    draft = shell.run("contract", "new", str(file)).stdout
    assert 'date_formats = ["dd/mm/yyyy"]    # check: mm/dd/yyyy' in draft
    read = tomllib.loads(draft)
    assert read["columns"]["cost"]["headers"] == [
        "check: the name of the column with what was paid"
    ]
    assert read["columns"]["campaign_name"]["headers"][0].startswith("check: ")
    assert read["constants"]["platform"].startswith("check: ")


GROUPED = "a decimal comma and thousands in groups of three by '.'"


@pytest.mark.parametrize(
    ("clicks", "spend", "decimal", "note"),
    [
        ("20", "1.234", ".", f"# check: numbers such as '1.234' may as well have {GROUPED}"),
        ("20", "-1.234 %", ".", f"# check: numbers such as '-1.234' may as well have {GROUPED}"),
        ("20", "1,234", ",", "# check: numbers such as '1,234' may as well have a decimal point"),
        ("1.234", "2.500", ",", None),
        ("1.234", "2.50", ".", "# check: no notation reads all numbers, such as '1.234'"),
        ("20", "1.2345", ".", None),
        ("20", "1.234.567", ",", None),
        ("20", "1 234", ",", None),
        ("1.0", "0.123", ".", None),
    ],
)
def test_a_draft_says_that_a_point_may_part_thousands(
    clicks: str, spend: str, decimal: str, note: str | None
) -> None:
    names = ("Date", "Campaign", "Clicks", "Spend")
    rows = (("2024-03-01", "spring", clicks, spend), ("2024-03-02", "spring", "7", "2"))
    draft = write_draft(Sample("utf-8", ";", 1, names, rows), SHIPPED, name="mine")
    assert tomllib.loads(draft)["dialect"].get("decimal", ".") == decimal
    said = [line for line in draft.splitlines() if line.startswith("# check: n")]
    assert len(said) == (note is not None)
    assert all(line.startswith(note or "") for line in said)


def test_a_last_row_of_totals_is_set_aside(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "agency.csv"
    file.write_text(
        "Fecha;Campaña;Canal;Segmento;Clics;Inversión;Ventas\n"
        "15/03/2024;Primavera;SMS;Todos;340;1.250,50;4.310,00\n"
        "16/03/2024;Primavera;SMS;Todos;12;96,00;-\n"
        "Total;;;;352;1.346,50;4.310,00\n"
    )
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    draft = shell.run("contract", "new", str(file)).stdout
    (contracts / "agency.toml").write_text(draft, encoding="utf-8")
    shown = shell.run(
        *("contract", "check", str(file), "--currency", "EUR", "--format", "json"),
        ADLAKE_CONTRACTS=str(contracts),
    )
    checked = json.loads(shown.stdout, parse_float=Decimal)
    assert (checked["accepted"], checked["rejected"], checked["totals"]) == (2, {}, "")
    assert [row["revenue"] for row in checked["rows"]] == [Decimal(4310), None]
    assert checked["rows"][1]["platform"] == "SMS"


def test_a_shell_may_write_the_draft_into_the_folder_of_contracts(
    shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "mailer.csv"
    file.write_text("Day;Campaign;Network;Spend\n2024-03-01;a;Search;2.50\n")
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "mailer.toml").touch()  # as a shell does before it starts what writes into it
    done = shell.run("contract", "new", str(file), ADLAKE_CONTRACTS=str(contracts))
    assert (done.returncode, done.stderr) == (0, "")
    assert 'name = "mailer"' in done.stdout
    done = shell.run("contract", "list", ADLAKE_CONTRACTS=str(contracts))
    assert (done.returncode, "mailer.toml: name is missing" in done.stderr) == (2, True)


@pytest.mark.parametrize("before", ["", "Report of the shop,,,,\n"])
def test_a_first_column_without_a_name_is_in_the_header(
    shell: Shell, tmp_path: Path, before: str
) -> None:
    file = tmp_path / "frame.csv"
    rows = ",Day,Campaign,Network,Spend\n0,2024-03-01,a,Search,2.50\n1,2024-03-02,a,Search,3.5\n"
    file.write_text(before + rows)
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    draft = shell.run("contract", "new", str(file)).stdout
    assert "check: nobody reads ''" in draft
    (contracts / "frame.toml").write_text(draft, encoding="utf-8")
    shown = shell.run(
        *("contract", "check", str(file), "--currency", "EUR", "--format", "json"),
        ADLAKE_CONTRACTS=str(contracts),
    )
    checked = json.loads(shown.stdout, parse_float=Decimal)
    assert (checked["accepted"], checked["rejected"]) == (2, {})
    assert [row["cost"] for row in checked["rows"]] == [Decimal("2.5"), Decimal("3.5")]


@pytest.mark.parametrize("name", ["../../x", "a/b", "", " a", ".hidden", "a\tb", "generated"])
def test_a_name_that_no_contract_may_have_is_refused(
    shell: Shell, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("\n".join(SHOP))
    refused = shell.run("contract", "new", str(file), "--name", name)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"no contract may be named {name!r}; expected --name with a plain name" in refused.stderr


def test_no_draft_is_made_of_a_file_that_a_contract_fits(shell: Shell, tmp_path: Path) -> None:
    lot = tmp_path / "lot.csv"
    write_lot(lot, [make_line()])
    refused = shell.run("contract", "new", str(lot))
    assert refused.returncode == 2
    assert "is of the contract lots" in refused.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty_file"),
        (b"only one word\nand one more\n", "no line looks like a header"),
        (b"PAR1\0\0\0\0PAR1", "is Parquet"),
        (b"PK\x03\x04rest", "archive"),
    ],
)
def test_what_is_no_text_with_a_header_is_said(
    shell: Shell, tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    refused = shell.run("contract", "new", str(file))
    assert refused.returncode == 2
    assert message in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("account", ["7", ""])
def test_a_column_of_accounts_is_one_that_each_row_needs(
    shell: Shell, tmp_path: Path, account: str
) -> None:
    file = tmp_path / "shop.csv"
    file.write_text(f"Day,Account,Campaign,Network,Spend\n2024-03-01,{account},a,Search,2.50\n")
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "shop.toml").write_text(shell.run("contract", "new", str(file)).stdout)
    shown = shell.run(
        *("contract", "check", str(file), "--currency", "EUR", "--format", "json"),
        ADLAKE_CONTRACTS=str(contracts),
    )
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["rejected"] == ({} if account else {"missing_account": 1})


@pytest.mark.slow
@given(
    names=st.lists(
        st.text(min_size=1, max_size=12) | st.sampled_from(NAMES), min_size=2, max_size=9
    ),
    cells=st.lists(st.text(max_size=12), min_size=9, max_size=9),
)
def test_any_file_gives_a_draft_that_is_a_contract(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], cells: list[str]
) -> None:
    header = ("Date", "Campaign", "Cost", *names)
    row = ("2024-03-01", "spring", "1.50", *cells)[: len(header)]
    row += ("",) * (len(header) - len(row))
    sample = Sample("utf-8", ",", 1, header, (row,))
    draft = write_draft(sample, SHIPPED, name="mine")
    folder = tmp_path_factory.mktemp("contracts")
    (folder / "mine.toml").write_text(draft, encoding="utf-8")
    contract = load_contracts(folder)["mine"]
    assert {"date", "campaign_name", "cost"} <= {column.name for column in contract.columns}
