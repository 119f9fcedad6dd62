"""The exit code tells the truth: a hundred good runs end with 0, thirty bad ones as documented."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.cli.shell import Shell
from tests.lots import make_line, write_lot

GOOD = [
    ["status"],
    ["inspect"],
    ["doctor"],
    ["history"],
    ["fsck"],
    ["compact"],
    ["vacuum"],
    ["upgrade"],
    ["merge"],
    ["kpi", "platform"],
]
WRONG_USE = [
    ["vacuum", "--retention", "0"],
    ["vacuum", "--retention", "-1"],
    ["vacuum", "--retention", "x"],
    ["history", "--limit", "0"],
    ["history", "--format", "xml"],
    ["fsck", "--format", "xml"],
    ["compact", "extra"],
    ["rebuild", "--no-such-option"],
    ["merge", "--accept", "no/such/file"],
    ["withdraw", "no/such/file"],
    ["land", "no/such/file"],
    ["query", "delete from ad_day"],
    ["query", "select no_such_column from ad_day"],
    ["kpi", "no-such-kpi"],
    ["generate", "--start", "2024-13-01"],
    ["generate", "--rows", "-1"],
    ["generate", "--messy", "--only", "2024-01-01"],
    ["generate", "--messy", "--cluster", "local:2"],
    ["verify"],
    ["verify", "--limit", "0"],
    ["no-such-command"],
]
NO_LAKE = [
    "status",
    "inspect",
    "history",
    "fsck",
    "compact",
    "vacuum",
    "rebuild",
    "upgrade",
    "report",
    "verify",
]
READING = ["status", "merge", "history", "compact"]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("codes"))
    options = ["--rows", "300", "--start", "2024-01-30", "--end", "2024-02-01", "--no-csv"]
    assert shell.run("run", *options).returncode == 0
    return shell


def check_code(shell: Shell, arguments: Sequence[str], code: int) -> str:
    done = shell.run(*arguments, ADLAKE_QUIET="0")
    assert done.returncode == code, (arguments, done.stderr)
    assert "Traceback" not in done.stderr
    if code:
        assert done.stderr.startswith("adlake: "), done.stderr
    return done.stderr


@pytest.mark.soak
def test_a_hundred_good_runs_end_with_0(shell: Shell) -> None:
    for _ in range(10):
        for arguments in GOOD:
            check_code(shell, arguments, 0)


@pytest.mark.soak
def test_thirty_bad_runs_end_as_documented(shell: Shell, tmp_path: Path) -> None:
    for arguments in WRONG_USE:
        check_code(shell, arguments, 2)
    empty = Shell(tmp_path)
    for command in NO_LAKE:
        check_code(empty, [command], 1)
    empty.lake.mkdir()
    (empty.lake / "lake.json").write_text(json.dumps({"format": 99}))
    for command in READING:
        assert "install a newer one" in check_code(empty, [command], 1)


def test_a_damaged_lake_ends_with_1_and_names_the_file_in_each_form(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    write_lot(shell.lake / "landing/lots/a.csv", [make_line()])
    check_code(shell, ["merge"], 0)
    data = next((shell.lake / "master").glob("year=*/*/*.parquet"))
    data.write_bytes(data.read_bytes()[:-1])
    name = str(data.relative_to(shell.lake))
    assert f"is damaged: 1 finding, first {name}" in check_code(shell, ["fsck"], 1)
    done = shell.run("fsck", "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["version"], report["checked"]["master"]) == (1, 1, 1)
    assert [finding["path"] for finding in report["findings"]] == [name]
    assert shell.run("fsck", "--format", "csv").stdout.splitlines()[1].startswith(f"{name},")


@pytest.mark.slow
def test_a_rebuild_is_told_like_a_merge_and_history_tells_of_both(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    write_lot(shell.lake / "landing/lots/a.csv", [make_line()])
    check_code(shell, ["merge"], 0)
    DeltaTable(str(shell.lake / "master")).delete("campaign_id = 'c1'")
    assert "run adlake rebuild" in check_code(shell, ["merge"], 1)
    check_code(shell, ["rebuild"], 0)
    rows = shell.read("history")
    assert [(row["operation"], row["rows"]) for row in rows] == [
        ("rebuild", 1),
        ("DELETE", None),
        ("merge", 1),
        ("create", None),
    ]
    assert [row["version"] for row in shell.read("history", "--limit", "2")] == [3, 2]


def test_history_lists_the_versions_of_a_lake_whose_ledger_is_damaged(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    write_lot(shell.lake / "landing/lots/a.csv", [make_line()])
    check_code(shell, ["merge"], 0)
    for file in (shell.lake / "ledger").glob("*.parquet"):
        file.write_bytes(b"x" * 50)
    done = shell.run("history", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert [row["operation"] for row in json.loads(done.stdout)] == ["merge", "create"]
    assert "traceback" not in done.stderr.lower()
    assert "fsck" in check_code(shell, ["merge"], 1)


def test_a_reader_that_has_gone_is_no_interruption(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    write_lot(shell.lake / "landing/lots/a.csv", [make_line()])
    check_code(shell, ["merge"], 0)
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "report", "--lake", str(shell.lake)],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "interrupted" not in done.stderr


@pytest.mark.slow
def test_verify_ends_with_2_without_truth_0_where_all_is_as_delivered_and_else_1(
    tmp_path: Path,
) -> None:
    shell = Shell(tmp_path)
    days = ["--start", "2024-01-01", "--end", "2024-01-03", "--rows", "100"]
    check_code(shell, ["generate", "--messy", *days, "--only", "2024-01-01"], 2)
    check_code(shell, ["generate", *days], 0)
    check_code(shell, ["merge"], 0)
    assert "generate --messy" in check_code(shell, ["verify"], 2)
    done = shell.run("generate", "--messy", *days)
    assert (done.returncode, done.stdout[:10]) == (0, "delivered ")
    assert "not what was delivered" in check_code(shell, ["verify"], 1)
    assert shell.run("merge", ADLAKE_QUIET="0").returncode in {0, 3}
    for form in ("table", "csv", "json"):
        check_code(shell, ["verify", "--format", form], 0)
    assert json.loads(shell.run("verify", "--format", "json").stdout) == []
    before = shell.run("verify", "--version", "0", "--format", "json", "--limit", "3")
    assert (before.returncode, len(json.loads(before.stdout))) == (1, 3)
