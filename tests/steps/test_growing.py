"""Files that are still being written are left to a later merge."""

import os
import random
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.merge.place import format_delivered
from pipeline.settings import DEFAULT_QUIET, Settings
from pipeline.steps.merge import merge
from tests.lots import HEADER, make_line, write_lot
from tests.steps.conftest import SETTINGS, Home

QUIET = replace(SETTINGS, quiet_seconds=0.5)
ROWS = 20


def write_slowly(path: Path, seconds: float, *, seed: int) -> None:
    """A writer that comes back again and again, and leaves lines whole each time."""
    draw = random.Random(seed)
    pauses = [draw.random() for _ in range(ROWS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for number, pause in enumerate(pauses):
            file.write(make_line(campaign_id=f"c{number}") + "\n")
            file.flush()
            time.sleep(pause * seconds / sum(pauses))


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.faults) for seed in range(1, 20))]
)
def test_a_file_is_not_taken_before_it_is_whole(home: Home, seed: int) -> None:
    path = home.root / "landing/lots/a.csv"
    writer = threading.Thread(target=write_slowly, args=(path, 2.0), kwargs={"seed": seed})
    writer.start()
    try:
        time.sleep(random.Random(seed).uniform(0.05, 1.5))
        outcome = merge(home.lake, settings=QUIET)
        writing = writer.is_alive()
    finally:
        writer.join()
    if writing:
        assert (outcome.transaction, outcome.unfinished) == (None, ["landing/lots/a.csv"])
    assert merge(home.lake, settings=QUIET).rows == ROWS
    assert home.read_ledger().height == 1


def test_old_files_and_those_that_were_landed_whole_are_not_waited_for(home: Home) -> None:
    old = write_lot(home.root / "landing/lots/old.csv", [make_line(campaign_id="old")])
    os.utime(old, (1.72e9, 1.72e9))  # July 2024
    landed = home.root / f"landing/lots/{format_delivered(datetime.now(UTC))}/a.csv"
    write_lot(landed, [make_line()])
    begin = time.monotonic()
    assert merge(home.lake, settings=replace(SETTINGS, quiet_seconds=3_600)).rows == 2
    assert time.monotonic() - begin < 3_600


def test_a_file_from_the_future_is_not_waited_for_longer(home: Home) -> None:
    path = write_lot(home.root / "landing/lots/a.csv", [make_line()])
    os.utime(path, (time.time() + 3600, time.time() + 3600))
    assert merge(home.lake, settings=QUIET).rows == 1


def test_the_environment_says_how_long() -> None:
    assert Settings.from_env({}).quiet_seconds == DEFAULT_QUIET
    assert Settings.from_env({"ADLAKE_QUIET": "0"}).quiet_seconds == 0
    for wrong in ("-1", "1.5", "x", "3601", "9" * 5000):
        with pytest.raises(UsageError, match="ADLAKE_QUIET"):
            Settings.from_env({"ADLAKE_QUIET": wrong})
