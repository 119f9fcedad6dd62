"""The wheel is the whole product: it runs in an empty directory without the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("pipeline", "sql", "dags", "pyproject.toml", "README.md", "LICENSE", ".gitignore")
START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import pipeline; "
    "print(pipeline.__file__); from pipeline.cli import main; main()"
)


def build(source: Path, folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("adlake-*.whl")
    return wheel


def run(site: Path, folder: Path, *arguments: str, **environment: str) -> str:
    """Runs `adlake` of an unpacked wheel."""
    done = subprocess.run(
        [sys.executable, "-c", START, str(site), *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site))
    return done.stdout


@pytest.mark.slow
def test_the_wheel_carries_sql_contracts_and_dags_and_does_the_main_job(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(ROOT, tmp_path)) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    for name in (
        "pipeline/sql/kpi/platform.sql",
        "pipeline/contracts/lots.toml",
        "pipeline/contracts/examples/example.toml",
        "pipeline/dags/lake_maintenance.py",
        "pipeline/dags/marketing_pipeline_v1.py",
        "pipeline/py.typed",
        "pipeline/report/assets/report.html.jinja",
        "pipeline/report/assets/vega.js",
        "pipeline/report/assets/vega.LICENSE",
    ):
        assert name in names
    assert not [name for name in names if name.startswith(("tests/", "sql/", "dags/"))]
    empty = tmp_path / "empty"
    empty.mkdir()
    said = run(
        tmp_path / "site",
        empty,
        *("run", "--rows", "500", "--start", "2024-01-01", "--end", "2024-01-05"),
    )
    assert "Facebook ADS" in said
    assert b"vegaEmbed" in (empty / "lake/reports/latest.html").read_bytes()


@pytest.mark.slow
def test_a_project_is_begun_from_the_wheel(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(ROOT, tmp_path)) as archive:
        archive.extractall(tmp_path / "site")
    empty = tmp_path / "empty"
    empty.mkdir()
    run(tmp_path / "site", empty, "init")
    for name in ("lake_maintenance.py", "marketing_pipeline_v1.py"):
        assert (empty / "dags" / name).read_bytes() == (ROOT / "dags" / name).read_bytes()
    listed = run(
        tmp_path / "site", empty, "contract", "list", ADLAKE_CONTRACTS=str(empty / "contracts")
    )
    assert "an example of a contract of your own" in listed


@pytest.mark.slow
def test_the_wheel_needs_the_locked_core_and_nothing_else(tmp_path: Path) -> None:
    """A new environment without any package of a developer's, an empty folder, an empty home."""
    wheel, venv = build(ROOT, tmp_path), tmp_path / "venv"
    install = ("pip", "install", "--quiet", "--python", str(venv))
    for arguments in (
        ("venv", "--quiet", "--no-project", "--python", sys.executable, str(venv)),
        (*install, "--require-hashes", "-r", str(ROOT / "requirements" / "core.txt")),
        (*install, "--no-deps", str(wheel)),
        ("pip", "check", "--quiet", "--python", str(venv)),
    ):
        subprocess.run([Path(sys.executable).with_name("uv"), *arguments], check=True)
    for name in ("home", "empty"):
        (tmp_path / name).mkdir()
    said = ""
    for line in (
        "--version",
        "init",
        "run --rows 500 --start 2024-01-01 --end 2024-01-05",
        "kpi platform",
    ):
        done = subprocess.run(
            [venv / "bin" / "adlake", *line.split()],
            cwd=tmp_path / "empty",
            env={"HOME": str(tmp_path / "home"), "PATH": os.defpath, "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr)
        said += done.stdout
    assert "500 rows" in said
    assert b"vegaEmbed" in (tmp_path / "empty/lake/reports/latest.html").read_bytes()


@pytest.mark.slow
def test_the_same_source_makes_the_same_wheel(tmp_path: Path) -> None:
    wheels = []
    for name, mask in (("one", 0o022), ("another", 0o077)):
        copy = tmp_path / name
        copy.mkdir()
        before = os.umask(mask)  # where, when and by whom a wheel is built leaves no trace
        try:
            for source in SOURCES:
                if (ROOT / source).is_dir():
                    ignored = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(
                        ROOT / source, copy / source, copy_function=shutil.copyfile, ignore=ignored
                    )
                elif (ROOT / source).exists():
                    shutil.copyfile(ROOT / source, copy / source)
            wheels.append(build(copy, copy / "dist").read_bytes())
        finally:
            os.umask(before)
    assert wheels[0] == wheels[1]
