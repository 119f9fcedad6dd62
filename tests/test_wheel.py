"""The wheel is the whole product: it runs in an empty directory without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_carries_sql_contracts_and_dags_and_does_the_main_job(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("adlake-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    for name in (
        "pipeline/sql/kpi/platform.sql",
        "pipeline/contracts/lots.toml",
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
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import pipeline; "
        "print(pipeline.__file__); from pipeline.cli import main; main()"
    )
    arguments = ["run", "--rows", "500", "--start", "2024-01-01", "--end", "2024-01-05"]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "site"), *arguments],
        cwd=empty,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert "Facebook ADS" in done.stdout
    assert b"vegaEmbed" in (empty / "lake/reports/latest.html").read_bytes()
