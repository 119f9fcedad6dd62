"""`make coverage` and `make mutants` end with 1 where the tests see too little of the rules."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"
PACKAGES = ("validate", "merge", "kpi")


def run_script(name: str, *arguments: str, text: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / name), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def tell_changes(killed: dict[str, int]) -> str:
    """What mutmut says of twenty changes to each package, of which so many were seen."""
    lines = []
    for package, seen in killed.items():
        statuses = ["killed"] * seen + ["survived"] * (20 - seen)
        lines += [f"    pipeline.{package}.x.x_f__mutmut_{n}: {s}" for n, s in enumerate(statuses)]
    return "\n".join(lines)


def test_each_package_has_to_see_its_changes() -> None:
    enough = dict.fromkeys(PACKAGES, 17)
    code, said = run_script("hold_mutants.py", text=tell_changes(enough))
    assert (code, "kpi: 17 of 20 changes were seen" in said) == (0, True)
    code, said = run_script("hold_mutants.py", text=tell_changes(enough | {"merge": 16}))
    assert (code, said.splitlines()[-1]) == (1, "below 85%: merge")
    assert "survived: pipeline.merge.x.x_f__mutmut_16" in said


@pytest.mark.parametrize("text", ["", "    pipeline.kpi.x.x_f__mutmut_1: not checked\n"])
def test_what_was_not_run_was_not_seen(text: str) -> None:
    code, said = run_script("hold_mutants.py", text=text)
    assert (code, said.splitlines()[-1]) == (1, "below 85%: validate, merge, kpi")


def list_pure() -> list[str]:
    contracts = tomllib.loads((SCRIPTS.parent / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]["contracts"]
    [modules] = [one["source_modules"] for one in contracts if one["id"] == "pure"]
    return [name.removeprefix("pipeline.").replace(".", "/") for name in modules]


def write_coverage(path: Path, covered: dict[str, tuple[int, int]]) -> None:
    """A record of coverage in which each pure module has some lines and branches of a hundred."""
    files = {}
    for module, (lines, branches) in covered.items():
        summary = {
            "num_statements": 100,
            "covered_lines": lines,
            "num_branches": 100,
            "covered_branches": branches,
        }
        files[f"pipeline/{module}/all.py"] = {
            "summary": summary,
            "missing_lines": [7] * (lines < 100),
            "missing_branches": [[7, 9]] * (branches < 100),
        }
    path.write_text(json.dumps({"files": files}))


@pytest.mark.parametrize(
    ("branches", "last"),
    [(95, "lines and branches of pure modules: "), (94, "below 95%: branches")],
)
def test_branches_that_do_not_run_hide_behind_no_lines(
    tmp_path: Path, branches: int, last: str
) -> None:
    covered = dict.fromkeys((*list_pure(), *PACKAGES), (100, 100)) | {"kpi": (100, branches)}
    write_coverage(tmp_path / "coverage.json", covered)
    code, said = run_script("hold_coverage.py", str(tmp_path / "coverage.json"))
    assert code == (branches < 95)
    assert said.splitlines()[-1].startswith(last)
    assert "pipeline/kpi/all.py leaves out 7->9" in said
