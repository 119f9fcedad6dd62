"""How a person begins: a new project, the shell's completion, and what is installed."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import __version__
from pipeline.cli.versions import DELTA_PROTOCOL
from pipeline.errors import StorageError, UsageError
from pipeline.settings import Settings
from pipeline.steps.init import init
from tests.lakes import build_lake, make_row

ROOT = Path(__file__).parents[2]
FILES = [
    "adlake.env",
    "contracts/example.toml",
    "dags/lake_maintenance.py",
    "dags/marketing_pipeline_v1.py",
]


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `adlake` without any setting, or a shell's line where there is but one word."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("ADLAKE_")}
    line = ["/bin/sh", "-c", words[0]] if len(words) == 1 and " " in words[0] else None
    return subprocess.run(
        line or [sys.executable, "-m", "pipeline", *words],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_project_is_begun_and_its_settings_work(tmp_path: Path) -> None:
    done = run(tmp_path, "init", "my shop")
    folder = tmp_path / "my shop"
    assert (done.returncode, done.stderr) == (0, "")
    assert list_files(folder) == FILES
    assert [line for line in FILES if f"wrote my shop/{line}" not in done.stdout] == []
    assert "  cd 'my shop'\n  . ./adlake.env" in done.stdout

    (folder / "day.csv").write_text(
        "Day;Campaign;Network;Shown;Clicked;Paid\n2024-03-01;spring;Search;1000;20;12.50\n"
    )
    (folder / "below").mkdir()
    line = ". ../adlake.env && $PYTHON -m pipeline land ../day.csv && $PYTHON -m pipeline merge"
    done = run(folder / "below", line)
    assert (done.returncode, "1 row in, 0 out" in done.stdout) == (0, True), done.stderr
    assert (folder / "lake" / "lake.json").exists()


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "adlake.env").write_text("mine")
    first = init(tmp_path, lake_uri="./lake")
    again = init(tmp_path, lake_uri="s3://bucket/other")
    assert [file.written for file in first] == [False, True, True, True]
    assert not any(file.written for file in again)
    assert (tmp_path / "adlake.env").read_text() == "mine"
    assert list_files(tmp_path) == FILES
    assert "left as it was: adlake.env" in run(tmp_path, "init").stdout


@pytest.mark.parametrize(
    ("lake", "root"),
    [("./lake", "{here}/shop/lake"), ("data", "{here}/data"), ("s3://b/p", "s3://b/p")],
)
def test_the_settings_name_the_lake_from_wherever_a_command_starts(
    tmp_path: Path, lake: str, root: str
) -> None:
    done = run(tmp_path, "init", "shop", "--lake", lake)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "shop" / "adlake.env").read_text()
    settings = Settings.from_env(dict(re.findall(r"^export (\w+)=(.*)$", text, re.MULTILINE)))
    assert settings.lake_uri == root.format(here=tmp_path)
    assert settings.contracts_dir == tmp_path / "shop" / "contracts"


def test_the_settings_file_names_all_settings_of_the_environment(tmp_path: Path) -> None:
    init(tmp_path, lake_uri="./lake")
    named = set(re.findall(r"ADLAKE_[A-Z]+", (tmp_path / "adlake.env").read_text()))
    tree = ast.parse((ROOT / "pipeline" / "settings.py").read_text())
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    assert named == {text for text in texts if re.fullmatch("ADLAKE_[A-Z]+", str(text))}


def test_a_project_goes_neither_into_a_lake_nor_over_a_file(tmp_path: Path) -> None:
    build_lake(tmp_path / "lake", [make_row()])
    (tmp_path / "file").touch()
    for name, said in (("lake", "is a lake"), ("file", "is a file"), ("q#a", "holds '#'")):
        with pytest.raises(UsageError, match=said):
            init(tmp_path / name, lake_uri="./lake")
    assert not (tmp_path / "q#a").exists()


def test_a_project_that_cannot_be_written_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "contracts").touch()
    with pytest.raises(StorageError, match=r"contracts/example\.toml cannot be written: "):
        init(tmp_path, lake_uri="./lake")


def test_the_version_tells_what_a_lake_is_read_with(tmp_path: Path) -> None:
    lines = run(tmp_path, "--version").stdout.splitlines()
    assert lines[0] == f"adlake {__version__}"
    assert "Delta protocol 1 to read and 2 to write" in lines[1]
    for engine in ("deltalake", "duckdb", "polars", "pyarrow"):
        assert re.search(rf"\b{engine} \d+\.\d+", lines[2]), engine


def test_the_delta_protocol_is_the_one_in_the_logs(tmp_path: Path) -> None:
    build_lake(tmp_path, [make_row()])
    for table in ("master", "ledger"):
        log = (tmp_path / table / "_delta_log" / f"{0:020}.json").read_text().splitlines()
        [said] = [line["protocol"] for line in map(json.loads, log) if "protocol" in line]
        assert (said["minReaderVersion"], said["minWriterVersion"]) == DELTA_PROTOCOL


def test_a_shell_is_given_its_completion(tmp_path: Path) -> None:
    # The shell above the command is found, so the command must not take its place: `; true`.
    said = run(tmp_path, "exec bash -c '$PYTHON -m pipeline --show-completion; true'").stdout
    assert "complete -o default -F _adlake_completion adlake" in said


@pytest.mark.parametrize(
    ("begun", "said"),
    [
        ("adlake quar", ["quarantine"]),
        ("adlake quarantine s", ["show"]),
        ("adlake kpi platform_", ["platform_audience"]),
        ("adlake kpi platform --camp", ["--campaign"]),
    ],
)
def test_commands_options_and_kpis_are_completed(
    tmp_path: Path, begun: str, said: list[str]
) -> None:
    done = run(
        tmp_path,
        "complete",
        _ADLAKE_COMPLETE="complete_bash",
        COMP_WORDS=begun,
        COMP_CWORD=str(begun.count(" ")),
    )
    assert done.stdout.split() == said
