"""The merge under kill -9 and under races: every row is in the master once, whatever happens."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipeline.lake import Lake
from pipeline.storage import LocalStorage
from tests.lots import make_lots_frame, write_lots
from tests.steps.conftest import Home

pytestmark = pytest.mark.faults

LOTS = 20
LOT_ROWS = 2_000
KILLS = 6
PATIENCE_SECONDS = 120
PROVENANCE = ("delivered_at", "delivery_id")


@dataclass(frozen=True)
class Undisturbed:
    """A lake whose one merge nobody disturbed.

    Attributes:
        lots: The folder of the lots that it was made from.
        master: Its rows, without what says from where they came.
        seconds: How long the merge took, from start to end of the process.
    """

    lots: Path
    master: pl.DataFrame
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    root = tmp_path_factory.mktemp("undisturbed")
    write_lots(make_lots_frame(LOTS * LOT_ROWS), root / "lots", lot_rows=LOT_ROWS)
    home = make_home(root / "lake", root / "lots")
    begin = time.monotonic()
    merge_in_peace(home)
    seconds = time.monotonic() - begin
    return Undisturbed(root / "lots", read_rows(home), seconds)


def make_home(root: Path, lots: Path) -> Home:
    """A lake to which the lots have been delivered and not yet merged."""
    shutil.copytree(lots, root / "landing/lots")
    return Home(root, Lake(LocalStorage(root)))


@contextmanager
def start_merge(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """Starts the real command in a process group of its own; nothing of it outlives the block."""
    command = [sys.executable, "-m", "pipeline", "merge", "--lake", str(home.root)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "ADLAKE_QUIET": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left of a command and of the processes that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def merge_in_peace(home: Home) -> None:
    with start_merge(home) as process:
        assert process.wait(PATIENCE_SECONDS) == 0


def read_rows(home: Home) -> pl.DataFrame:
    return home.read_master().drop(PROVENANCE).sort("campaign_id", "date", "target_audience")


def check_lake(home: Home, undisturbed: Undisturbed) -> None:
    """Nothing is lost, nothing is double, and the account of rows adds up."""
    rows = read_rows(home)
    assert rows.height == LOTS * LOT_ROWS
    assert rows.equals(undisturbed.master)
    ledger = home.read_ledger()
    assert ledger["path"].n_unique() == ledger.height == LOTS
    fates = ledger.select("accepted", "quarantined", "duplicates", "superseded").sum_horizontal()
    assert fates.equals(ledger["rows_in"], check_names=False)
    assert ledger["accepted"].sum() == rows.height
    assert home.lake.open_ledger().transaction == home.lake.open_master().transaction


@pytest.mark.parametrize("number", range(KILLS))
def test_a_merge_killed_at_any_moment_is_finished_by_the_next(
    undisturbed: Undisturbed, tmp_path: Path, number: int
) -> None:
    """The moments are spread over the whole merge, each at random within its share of it."""
    share = random.Random(number).random()
    home = make_home(tmp_path / "lake", undisturbed.lots)
    with start_merge(home) as process:
        time.sleep(undisturbed.seconds * (number + share) / KILLS)
        process.kill()
    merge_in_peace(home)
    check_lake(home, undisturbed)


def has_data_files(root: Path) -> bool:
    return any(root.glob("master/*/*/*.parquet"))


def has_ledger_file(root: Path) -> bool:
    return any(root.glob("ledger/*.parquet"))


def has_commit(root: Path) -> bool:
    return (root / "master/_delta_log/00000000000000000001.json").exists()


@pytest.mark.parametrize("has_come_so_far", [has_data_files, has_ledger_file, has_commit])
def test_a_merge_killed_around_its_commit_is_finished_by_the_next(
    undisturbed: Undisturbed, tmp_path: Path, has_come_so_far: Callable[[Path], bool]
) -> None:
    home = make_home(tmp_path / "lake", undisturbed.lots)
    with start_merge(home) as process:
        while process.poll() is None and not has_come_so_far(home.root):
            time.sleep(0.001)
        process.kill()
    assert has_come_so_far(home.root)
    merge_in_peace(home)
    check_lake(home, undisturbed)


def test_a_lake_whose_merges_are_killed_again_and_again_still_ends_right(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    moments = random.Random(7)
    home = make_home(tmp_path / "lake", undisturbed.lots)
    for _ in range(KILLS):
        with start_merge(home) as process:
            time.sleep(undisturbed.seconds * moments.uniform(0.5, 1))
            process.kill()
    merge_in_peace(home)
    check_lake(home, undisturbed)


def test_merges_that_race_each_other_end_well_and_bring_every_row_once(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    home = make_home(tmp_path / "lake", undisturbed.lots)
    with start_merge(home) as first, start_merge(home) as second, start_merge(home) as third:
        codes = [process.wait(PATIENCE_SECONDS) for process in (first, second, third)]
    assert codes == [0, 0, 0]
    assert home.lake.open_master().transaction == 1
    check_lake(home, undisturbed)
