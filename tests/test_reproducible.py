"""The same input gives the same bytes in any time zone, at any hour, with any hash seed."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FAKETIME = "/usr/bin/faketime"
ZONES = (
    "UTC",
    "America/Argentina/Buenos_Aires",
    "America/St_Johns",
    "America/New_York",
    "Europe/Madrid",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
)
MOMENTS = (
    "2024-03-01 00:00:01",  # right after a leap day
    "2024-12-31 23:59:58",
    "2024-03-10 02:30:00",  # clocks go forward in New York
    "2024-10-27 02:30:00",  # and back in Madrid
)
ARGUMENTS = ("run", "--start", "2024-02-28", "--end", "2024-02-29", "--rows", "400")


CODE = """
import os, sys
from pipeline.cli import main
for workers in sys.argv.pop(1).split(","):
    os.environ |= {"ADLAKE_WORKERS": workers, "ADLAKE_URI": f"lake-{workers}"}
    try:
        main()
    except SystemExit as end:
        assert not end.code, end
    print(end="\\f", flush=True)
    os.rename("exports", f"exports-{workers}")
"""


def run_pipeline(
    folder: Path, *, moment: str, workers: Sequence[int] = (2,), **environment: str
) -> set[str]:
    """Runs the main job with the clock set; for each number of workers a hash of its results."""
    folder.mkdir(parents=True)
    counts = ",".join(map(str, workers))
    done = subprocess.run(
        [FAKETIME, "-f", f"@{moment}", sys.executable, "-c", CODE, counts, *ARGUMENTS],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    (report,) = set(done.stdout.split("\f")[:-1])
    return {hash_results(folder, count, report) for count in workers}


def hash_results(folder: Path, workers: int, report: str) -> str:
    digest = hashlib.sha256(report.encode())
    csv = folder / f"exports-{workers}/marketing_master_dataset.csv"
    digest.update(csv.read_bytes())
    digest.update((folder / f"lake-{workers}/reports/latest.html").read_bytes())
    for path in sorted((folder / f"lake-{workers}/raw").rglob("*.*")):
        digest.update(path.name.encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_zone_and_hour_change_no_byte(tmp_path: Path, zone: str) -> None:
    found = [
        run_pipeline(tmp_path / f"{number}", moment=moment, TZ=zone)
        for number, moment in enumerate(MOMENTS)
    ]
    assert set().union(*found) == reference(tmp_path)


@pytest.mark.slow
def test_hash_seed_and_threads_change_no_byte(tmp_path: Path) -> None:
    found = [
        run_pipeline(
            tmp_path / f"{seed}",
            moment=MOMENTS[0],
            workers=range(1, 5),
            PYTHONHASHSEED=str(seed),
        )
        for seed in range(10)
    ]
    assert set().union(*found) == reference(tmp_path)


def reference(tmp_path: Path) -> set[str]:
    return run_pipeline(tmp_path / "reference", moment=MOMENTS[1], workers=(1,), TZ="UTC")
