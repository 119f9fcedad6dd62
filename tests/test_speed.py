"""Guards against getting slow or large: ratios to a peer in the same run, files and bytes.

Both sides do the same work twice, once with few rows, and the difference counts: so the start of
Python and the imports are left out. What is measured exactly is in benchmarks/.
"""

import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from benchmarks.commands import adlake, original, python
from benchmarks.export_csv import CSV, CSV_TO_PARQUET, PARQUET_TO_CSV
from benchmarks.merge_csv import DUCKDB
from pipeline.generate.model import cut_day, open_market, stream_part
from pipeline.generate.parquet import encode_part
from pipeline.generate.vocabulary import make_vocabulary
from tests.steps.strace import needs_strace, run_adlake

pytestmark = pytest.mark.slow

FEW, MANY = 20_000, 400_000
ROOT = Path(__file__).parents[1]
READ = re.compile(r"(?:pread64|read)\(\d+<([^>]*)>.* = (\d+)$", re.MULTILINE)
"""A line of strace: whose bytes were read, and how many."""

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


def test_an_export_takes_a_fraction_of_the_cpu_of_pandas(tmp_path: Path) -> None:
    def get_ready(rows: int) -> tuple[Path, Path]:
        lake, parquet = tmp_path / f"lake-{rows}", tmp_path / f"{rows}.parquet"
        exports = tmp_path / f"exports-{rows}"
        run_command(adlake("run", "--rows", str(rows), "--lake", lake, "--local-dir", exports))
        run_command(python(CSV_TO_PARQUET, exports / CSV, parquet))
        return lake, parquet

    ready = {rows: get_ready(rows) for rows in (FEW, MANY)}

    def export(rows: int) -> float:
        lake, _ = ready[rows]
        return run_command(adlake("export", tmp_path / f"ours-{rows}", "--lake", lake))

    def write_with_pandas(rows: int) -> float:
        _, parquet = ready[rows]
        return run_command(python(PARQUET_TO_CSV, parquet, tmp_path / f"pandas-{rows}.csv"))

    ratio = measure_row(write_with_pandas) / measure_row(export)
    assert ratio > 2.5, f"a row of pandas takes {ratio:.1f} times the CPU; expected about 5"


@needs_strace
def test_a_days_merge_opens_no_more_files_and_writes_no_more_in_a_lake_of_many_months(
    tmp_path: Path,
) -> None:
    def merge_one_more(days: int) -> tuple[int, int]:
        """How many of the lake's files are opened, and the bytes that come to the master."""
        lake, last = tmp_path / str(days), date(2024, 1, 31)
        first = last - timedelta(days=days - 1)
        for start, end in ((first, last), (last + timedelta(1), last + timedelta(1))):
            span = ("--start", str(start), "--end", str(end), "--rows-per-day", "500")
            run_command(adlake("generate", *span, "--lake", lake))
            if end == last:
                run_command(adlake("merge", "--lake", lake))
        before = {path: path.stat().st_size for path in list_data(lake)}
        trace = tmp_path / f"trace-{days}"
        done = run_adlake(lake, "merge", strace=["-o", str(trace), "-e", "trace=openat"])
        assert done.returncode == 0, done.stderr
        calls = trace.read_text(errors="replace").splitlines()
        opened = [line for line in calls if "O_DIRECTORY" not in line]  # folders are only listed
        after = {path: path.stat().st_size for path in list_data(lake)}
        written = sum(size for path, size in after.items() if path not in before)
        data = (f"{lake}/master/year=", f"{lake}/raw/ad_day/date=")
        return sum(any(name in line for name in data) for line in opened), written

    young, old = merge_one_more(10), merge_one_more(200)

    assert young[0] > 0
    assert old[0] <= 1.2 * young[0], f"opened files: {old[0]} in the old lake, {young[0]} else"
    assert old[1] <= 1.2 * young[1], f"bytes of data: {old[1]} in the old lake, {young[1]} else"


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
    taken = sum(file.stat().st_size for file in list_data(tmp_path)) / rows
    assert taken < 25, f"a row takes {taken:.1f} bytes; expected about 22"


def test_a_row_of_the_originals_lots_takes_few_bytes_though_each_is_a_campaign(
    tmp_path: Path,
) -> None:
    rows = 100_000
    lots, lake = tmp_path / "lots", tmp_path / "lake"
    run_command(original("generate", lots, "--rows", str(rows), "--lot-rows", "10000"))
    run_command(adlake("land", *sorted(lots.iterdir()), "--lake", lake))
    run_command(adlake("merge", "--lake", lake))
    taken = sum(file.stat().st_size for file in list_data(lake)) / rows
    assert 0 < taken < 45, f"a row takes {taken:.1f} bytes"


@needs_strace
def test_a_query_of_a_day_or_a_platform_reads_only_some_files_and_bytes(tmp_path: Path) -> None:
    """Two days of 600,000 rows, in a file each; a file has its platforms one after the other."""
    lake = tmp_path / "lake"
    for day in ("2024-01-31", "2024-02-01"):
        span = ("--start", day, "--end", day, "--rows-per-day", "600000")
        run_command(adlake("generate", *span, "--lake", lake))
    run_command(adlake("merge", "--lake", lake))
    assert len(list_data(lake)) == 2

    def read(condition: str) -> list[int]:
        """How many bytes of each data file a query reads."""
        trace = tmp_path / "trace"
        sql = f"select sum(cost), sum(revenue), min(campaign_id) from ad_day where {condition}"
        options = ["-o", str(trace), "-y", "-s", "0", "-e", "trace=pread64,read"]
        done = run_adlake(lake, "query", sql, strace=options)
        assert done.returncode == 0, done.stderr
        sizes: Counter[str] = Counter()
        for path, size in READ.findall(trace.read_text(errors="replace")):
            sizes[path] += int(size)
        return [sizes[str(path)] for path in list_data(lake)]

    everything = read("true")
    footer, of_day = read("date = '2024-02-01'")
    of_platform = read("platform = 'Google ADS'")
    _, of_both = read("platform = 'Google ADS' and date = '2024-02-01'")

    assert all(size > 1_000_000 for size in everything)
    assert 0 < footer < 0.01 * everything[0]
    assert of_day < 1.1 * everything[1]
    assert 0 < sum(of_platform) < 0.65 * sum(everything)
    assert 0 < of_both < 0.75 * of_day


def list_data(lake: Path) -> list[Path]:
    """The files of the master's rows."""
    return sorted((lake / "master").glob("year=*/month=*/*.parquet"))
