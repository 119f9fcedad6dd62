"""CSV for spreadsheets: texts that could be taken for formulas stay texts, whoever prints them."""

import csv
import io
from pathlib import Path

import pytest

from pipeline.cli.output import make_safe
from pipeline.kpi.query import Result
from tests.cli.shell import Shell
from tests.export.test_export_formulas import HARMLESS, PAYLOADS, neutralise
from tests.lakes import build_lake, make_row
from tests.lots import make_line, write_lot

SAFE = ["--format", "csv", "--safe-for-spreadsheets"]
FORMULA = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A lake with a row whose texts are formulas, and a row in quarantine."""
    shell = Shell(tmp_path_factory.mktemp("safe"))
    names = dict.fromkeys(("campaign_id", "platform", "target_audience"), FORMULA)
    build_lake(shell.lake, [make_row(**names, cost=1, impressions=7)])
    write_lot(shell.lake / "marketing_data_1.csv", [make_line(clicks="=2+3")])
    assert shell.run("merge").returncode == 3
    return shell


def read_cells(text: str) -> set[str]:
    return {cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row}


@pytest.mark.parametrize(
    "command",
    [
        ["kpi", "platform"],
        ["kpi", "campaign"],
        ["report"],
        ["diff", "0", "1"],
        ["query", "select distinct campaign_id, -5 as number, '-5' as text from ad_day"],
        ["quarantine", "show"],
    ],
)
def test_each_command_that_prints_delivered_texts_can_print_them_safely(
    shell: Shell, command: list[str]
) -> None:
    plain, safe = (shell.run(*command, *options).stdout for options in (SAFE[:2], SAFE))
    formulas = {cell for cell in read_cells(plain) if cell.startswith("=")}
    assert formulas
    assert not formulas & read_cells(safe)
    assert {f"'{cell}" for cell in formulas} <= read_cells(safe)
    if command[0] == "query":
        assert safe.splitlines()[1:] == ["'=HYPERLINK(1),-5,'-5"]


@pytest.mark.parametrize("command", [["kpi", "platform"], ["query", "select 1"], ["report"]])
def test_what_is_no_csv_is_not_made_safe(shell: Shell, command: list[str]) -> None:
    for form in ([], ["--format", "json"]):
        done = shell.run(*command, *form, SAFE[-1])
        assert (done.returncode, done.stdout) == (2, "")
        assert "--safe-for-spreadsheets is about CSV: add --format csv" in done.stderr


def test_lots_are_exported_safely_too(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("export", str(tmp_path), "--lots", "1", SAFE[-1])
    assert done.returncode == 0
    [row] = csv.DictReader(io.StringIO((tmp_path / "marketing_data_1.csv").read_text()))
    assert [row[name] for name in ("campaign_id", "platform", "target_audience")] == [
        f"'{FORMULA}"
    ] * 3
    assert row["impressions"] == "7"


def test_only_texts_are_changed_and_by_the_rule_of_the_export() -> None:
    texts = [*PAYLOADS, *HARMLESS]
    result = Result(("=name", "number", "nothing"), tuple((text, -5, None) for text in texts))
    safe = make_safe(result)
    assert safe.columns == ("'=name", "number", "nothing")
    assert [row[0] for row in safe.rows] == neutralise(texts)
    assert {row[1:] for row in safe.rows} == {(-5, None)}
    assert make_safe(Result(("a",), ())) == Result(("a",), ())
