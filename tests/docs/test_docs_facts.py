"""The references say what the code says: names of fields, columns, commands, codes, rules."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer.main

from pipeline.cli.app import app
from pipeline.cli.options import EXIT_LOOK
from pipeline.cli.signals import EXIT_INTERRUPTED, EXIT_TERMINATED
from pipeline.contracts import model
from pipeline.errors import AdlakeError
from pipeline.export.parts import MAX_PART_ROWS
from pipeline.generate.model import PART_ROWS
from pipeline.generate.write import _LEAST_TASK_ROWS, _MOST_TASK_ROWS
from pipeline.kpi.catalogue import list_definitions, list_kpis, run_kpi
from pipeline.kpi.roll_up import _TASK_ROWS
from pipeline.kpi.rollup import CAMPAIGN, DAILY
from pipeline.kpi.views import open_kpi_connection
from pipeline.merge.plan import FILE_ROWS
from pipeline.schema import AD_DAY, LEDGER, REJECTS, SEED_CSV_COLUMNS
from pipeline.steps.part_rows import SLICE_ROWS
from pipeline.steps.read_days import BATCH_DAYS, BATCH_ROWS
from pipeline.steps.read_files import GROUP_BYTES, GROUP_FILES
from tests.docs import licences, made_tables
from tests.docs.documents import ROOT, list_codes, read_document, read_table
from tests.kpi.grains import list_keys
from tests.lakes import build_lake

SHARED_OPTIONS = {"--lake", "--verbose", "--debug"}


def first_codes(rows: list[list[str]]) -> list[str]:
    return [code for row in rows for code in list_codes(row[0])]


def show_default(value: object) -> str:
    if value is dataclasses.MISSING:
        return "required"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def list_errors(kind: type[AdlakeError] = AdlakeError) -> Iterator[type[AdlakeError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from list_errors(child)


def find_commands() -> dict[str, set[str]]:
    """The long options of each command."""
    return {
        name: {
            option
            for parameter in command.params
            if parameter.param_type_name == "option"
            for option in parameter.opts
            if option.startswith("--")
        }
        for name, command in list_commands(typer.main.get_command(app))
    }


def list_commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from list_commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


def name_command(code: str) -> str:
    """`adlake contract check FILE` is the command `contract check`."""
    return " ".join(word for word in code.split()[1:] if word.islower())


def test_the_readme_lists_all_commands_and_their_options() -> None:
    rows = read_table("README.md", "## Commands", number=1)
    documented = {name_command(list_codes(row[0])[0]): set(list_codes(row[2])) for row in rows}
    commands = find_commands()
    assert {"run", "merge"} <= commands.keys()
    assert documented == {name: options - SHARED_OPTIONS for name, options in commands.items()}
    assert all(options >= SHARED_OPTIONS for options in commands.values())


def test_the_readme_lists_all_exit_codes() -> None:
    rows = read_table("README.md", "## Commands", number=2)
    codes = {
        0,
        EXIT_INTERRUPTED,
        EXIT_TERMINATED,
        EXIT_LOOK,
        *(kind.exit_code for kind in list_errors()),
    }
    assert [int(row[0]) for row in rows] == sorted(codes)


def test_the_readme_lists_all_settings() -> None:
    documented = first_codes(read_table("README.md", "## Settings"))
    text = (ROOT / "pipeline" / "settings.py").read_text(encoding="utf-8")
    assert sorted(documented) == sorted(set(re.findall(r"ADLAKE_[A-Z]+", text)))


def test_the_readme_shows_the_csv_header() -> None:
    assert f"    {','.join(SEED_CSV_COLUMNS)}\n" in read_document("README.md")


@pytest.mark.parametrize(
    ("heading", "kind", "given_elsewhere"),
    [
        ("### Top level", model.Contract, {"sha256"}),
        ("### `[dialect]`", model.Dialect, set()),
        ("### `[preamble]`", model.Preamble, set()),
        ("### `[totals]`", model.Totals, set()),
        ("### `[dates]`", model.Dates, set()),
        ("### `[holds]`", model.Holds, set()),
        ("### `[columns.<name>]`", model.Column, set()),
    ],
)
def test_the_contract_reference_has_exactly_the_fields_of_the_code(
    heading: str, kind: type, given_elsewhere: set[str]
) -> None:
    documented = first_codes(read_table("docs/contracts.md", heading))
    fields = [field.name for field in dataclasses.fields(kind)]
    assert documented == [name for name in fields if name not in given_elsewhere]


def test_the_contract_reference_states_the_defaults_of_the_code() -> None:
    for heading, kind in (
        ("### `[dialect]`", model.Dialect),
        ("### `[preamble]`", model.Preamble),
        ("### `[totals]`", model.Totals),
        ("### `[dates]`", model.Dates),
        ("### `[holds]`", model.Holds),
    ):
        defaults = {field.name: field.default for field in dataclasses.fields(kind)}
        for field, _, default, _ in read_table("docs/contracts.md", heading):
            value = defaults[list_codes(field)[0]]
            shown = default.strip("`")
            assert shown in {show_default(value), "empty"}, field


def test_the_contract_reference_states_the_limits_of_the_code() -> None:
    text = " ".join(read_document("docs/contracts.md").split())
    assert f"A whole number is one from 0 to {model.LARGEST_NUMBER:,}, a percentage" in text
    percentages = {
        list_codes(field)[0]
        for field, kind, _, _ in read_table("docs/contracts.md", "### `[holds]`")
        if kind == "percentage"
    }
    assert percentages == {
        field.name for field in dataclasses.fields(model.Holds) if "percent" in field.name
    }


@pytest.mark.parametrize(
    ("heading", "schema"),
    [
        ("## master", AD_DAY),
        ("## ledger", LEDGER),
        ("## quarantine", REJECTS),
        ("### daily", DAILY.schema),
        ("### campaign", CAMPAIGN.schema),
    ],
)
def test_the_lake_reference_has_exactly_the_columns_of_the_code(
    heading: str, schema: pa.Schema
) -> None:
    assert first_codes(read_table("docs/lake.md", heading)) == schema.names


def test_the_kpi_reference_is_made_from_the_statements() -> None:
    text = read_document("docs/kpis.md")
    assert text == made_tables.renew("docs/kpis.md", text), "run `make docs`"


def test_every_column_of_every_kpi_is_defined_or_a_key(tmp_path: Path) -> None:
    lake = build_lake(tmp_path)
    defined = {one.name for one in list_definitions()}
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        for name in list_kpis():
            assert {*run_kpi(connection, name).columns} - {*list_keys(name)} <= defined, name


def read_documented_rules() -> list[str]:
    return [
        *first_codes(read_table("docs/contracts.md", "## Why a file is refused")),
        *first_codes(read_table("docs/contracts.md", "## Why a row is rejected")),
        "same_file",
        "own_export",
        "withdrawn",
    ]


def test_each_documented_rule_is_in_the_code() -> None:
    texts = {
        node.value
        for tree in parse_rule_modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for rule in read_documented_rules():
        if "<" not in rule:
            assert rule in texts, rule
        else:
            assert rule.partition("<")[0] in texts, rule


def test_each_rule_in_the_code_is_documented() -> None:
    documented = set(read_documented_rules())
    found = {rule for tree in parse_rule_modules() for rule in find_rules(tree)}
    assert len(found) > 20
    undocumented = {rule for rule in found if rule.isidentifier() or ":" in rule} - documented
    assert {rule for rule in undocumented if not rule.startswith("schema_type:")} == set()


def parse_rule_modules() -> Iterator[ast.Module]:
    for folder in ("read", "validate", "merge", "steps"):
        for path in sorted((ROOT / "pipeline" / folder).glob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def find_rules(tree: ast.Module) -> Iterator[str]:
    """The rules that are written out where they are raised or chosen."""
    places = {"BadFileError": 0, "Fault": 0, "Refused": 0, "refuse": 0, "_refuse": 1}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "rule":
            yield from find_texts(node.value)
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            place = places.get(name or "")
            if place is not None and len(node.args) > place:
                yield from find_texts(node.args[place])
            yield from (
                text
                for keyword in node.keywords
                if keyword.arg == "reason"
                for text in find_texts(keyword.value)
            )


def find_texts(node: ast.expr) -> Iterator[str]:
    """The texts of an expression; one that is put together ends in what the reference writes."""
    if isinstance(node, ast.IfExp):
        yield from find_texts(node.body)
        yield from find_texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        yield f"{node.values[0].value!s}<column>"


def test_the_list_of_licences_is_of_what_is_locked() -> None:
    text = read_document("docs/licences.md")
    assert text == made_tables.renew("docs/licences.md", text), "run `make docs`"
    for heading in (licences.NEEDED, licences.DEVELOPED):
        rows = licences.read_licences(heading)
        assert rows
        assert [package for package, _, licence in rows if not licence] == []
        if heading == licences.NEEDED:
            assert [row for row in rows if re.search(r"GPL|GNU", row[2])] == []


def test_the_sizes_of_parts_are_those_of_the_code() -> None:
    sizes = {
        row[0]: f"{row[1]}; {row[2]}" for row in read_table("docs/scale.md", "## What a part is")
    }
    said = {
        "generate": (PART_ROWS, _LEAST_TASK_ROWS, _MOST_TASK_ROWS),
        "read, delivered files": (GROUP_FILES, f"{GROUP_BYTES // 10**6} MB"),
        "read, generated days": (f"{BATCH_DAYS} days", BATCH_ROWS),
        "resolve and write": (f"{FILE_ROWS // 10**6} million rows", SLICE_ROWS),
        "roll up": (f"{_TASK_ROWS // 10**6} million rows",),
        "export": (MAX_PART_ROWS,),
    }
    assert sizes.keys() == said.keys()
    for step, facts in said.items():
        for fact in facts:
            assert (f"{fact:,}" if isinstance(fact, int) else fact) in sizes[step], step
