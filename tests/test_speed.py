"""Guards against getting slow or large: ratios to a peer in the same run, and bytes.

Both sides do the same work twice, once with few rows, and the difference counts: so the start of
Python and the imports are left out. What is measured exactly is in benchmarks/.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from benchmarks.commands import adlake, original, python
from benchmarks.merge_csv import DUCKDB
from pipeline.generate.model import cut_day, open_market, stream_part
from pipeline.generate.parquet import encode_part
from pipeline.generate.vocabulary import make_vocabulary

pytestmark = pytest.mark.slow

FEW, MANY = 20_000, 400_000
ROOT = Path(__file__).parents[1]
MEASURE = """
import sys
from benchmarks.harness import run_command
print(run_command(sys.argv[1:]).cpu_seconds)
"""


def run_command(command: Sequence[str]) -> float:
    """CPU seconds of a command and all that it starts.

    The harness waits for all children of its process, so it gets one of its own.
    """
    measured = [sys.executable, "-c", MEASURE, *command]
    done = subprocess.run(measured, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def measure_row(run: Callable[[int], float], *, few: int = FEW, many: int = MANY) -> float:
    """CPU seconds that one row more takes; `run` gives those of so many rows."""
    return (run(many) - run(few)) / (many - few)


def test_a_lot_becomes_a_master_in_a_few_times_the_cpu_of_a_plain_copy(tmp_path: Path) -> None:
    def make_lots(rows: int) -> Path:
        source, lots = tmp_path / f"source-{rows}", tmp_path / f"lots-{rows}"
        run_command(adlake("run", "--rows", str(rows), "--lake", source, "--no-csv"))
        run_command(adlake("export", lots, "--lots", "50000", "--lake", source))
        return lots

    lots = {rows: make_lots(rows) for rows in (FEW, MANY)}

    def merge(rows: int) -> float:
        lake = tmp_path / f"lake-{rows}"
        run_command(adlake("land", *sorted(lots[rows].iterdir()), "--lake", lake))
        return run_command(adlake("merge", "--lake", lake))

    def copy(rows: int) -> float:
        target = tmp_path / f"copy-{rows}"
        return run_command(python(DUCKDB, lots[rows], target))

    ratio = measure_row(merge) / measure_row(copy)
    assert ratio < 8, f"a row takes {ratio:.1f} times the CPU of DuckDB's; expected about 3"


def test_the_generator_is_far_ahead_of_the_original(tmp_path: Path) -> None:
    def generate(rows: int) -> float:
        lake = tmp_path / f"lake-{rows}"
        return run_command(adlake("generate", "--rows", str(rows), "--lake", lake))

    def generate_as_before(rows: int) -> float:
        folder = tmp_path / f"lots-{rows}"
        command = original("generate", folder, "--rows", str(rows), "--lot-rows", "1000")
        return run_command(command)

    before = measure_row(generate_as_before, few=1_000, many=30_000)
    ratio = before / measure_row(generate, few=100_000, many=2_000_000)
    assert ratio > 15, f"a row of the original takes {ratio:.0f} times the CPU; expected about 45"


def test_most_of_the_generators_time_is_spent_on_encoding() -> None:
    market = open_market(seed=1, vocabulary=make_vocabulary(seed=1, locale="es_AR"))
    parts = list(cut_day(date(2024, 3, 1), rows=500_000))

    def compare() -> float:
        made = [list(stream_part(market, part, batch_rows=65_536)) for part in parts]
        begin = time.process_time()
        for batches in made:
            encode_part(iter(batches))
        encoded = time.process_time()
        for part in parts:
            encode_part(stream_part(market, part, batch_rows=65_536))
        return (encoded - begin) / (time.process_time() - encoded)

    share = statistics.median(compare() for _ in range(5))
    assert share > 0.4, f"encoding is {share:.2f} of the time; expected about 0.66"


def test_a_row_of_five_thousand_campaigns_takes_few_bytes_of_the_master(tmp_path: Path) -> None:
    rows = 950_000
    run_command(adlake("generate", "--rows", str(rows), "--lake", tmp_path))
    run_command(adlake("merge", "--lake", tmp_path))
    files = (tmp_path / "master").rglob("year=*/month=*/*.parquet")
    taken = sum(file.stat().st_size for file in files) / rows
    assert taken < 25, f"a row takes {taken:.1f} bytes; expected about 22"
