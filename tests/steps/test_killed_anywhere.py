"""A merge that is killed at any system call that writes is finished by the next one."""

import random
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import Lake
from pipeline.schema import SORT_ORDER
from pipeline.steps.fsck import fsck
from pipeline.steps.report import roll_up
from pipeline.storage import LocalStorage
from tests.steps.conftest import SETTINGS, Home
from tests.steps.strace import count_calls, needs_strace, run_adlake
from tests.steps.test_killed_merge import start_merge

pytestmark = [pytest.mark.faults, needs_strace]

SAMPLED = 20
CALLS = ("write", "link", "linkat", "unlink", "unlinkat", "rename", "mkdir", "rmdir", "fsync")
LINK = "link,linkat"
"""Which of them Python calls depends on its version."""

COMMIT_CALLS = (LINK, "openat", "fsync")
"""What is done to a log entry under its name: it is put in place, and forced to the disk."""

Point = tuple[str, int, str]
"""System call, the how manieth of a thread, and the file that it is about; '' for any."""


@dataclass(frozen=True)
class Waiting:
    """A lake with a merge before it, and what comes of the merge.

    Attributes:
        root: Of the lake.
        rows: Of the master after the merge.
        points: Where the merge can be killed.
    """

    root: Path
    rows: pl.DataFrame
    points: list[Point]


def open_home(root: Path) -> Home:
    return Home(root, Lake(LocalStorage(root)))


def read_rows(home: Home) -> pl.DataFrame:
    return home.read_master().sort(SORT_ORDER)


def copy_lake(root: Path, target: Path) -> Home:
    shutil.copytree(root, target)
    return open_home(target)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Waiting:
    folder = tmp_path_factory.mktemp("waiting")
    home = open_home(folder / "lake")
    # Generated days are read in the process itself: a child that is killed is another matter.
    for rows in (400, 300):
        request = GenerateRequest(start=date(2024, 1, 30), end=date(2024, 2, 2), seed=42, rows=rows)
        generate_days(home.lake, request, today=date(2024, 12, 31), workers=1)
        if rows == 400:
            home.merge()
            roll_up(home.lake, home.lake.take_snapshot(), settings=SETTINGS)
    whole = copy_lake(home.root, folder / "whole")
    counts = count_calls(whole.root, folder / "trace", CALLS, "merge")
    points = [(name, n, "") for name in CALLS for n in range(1, counts[name] + 1)]
    points += [
        (name, 1, f"{table}/_delta_log/00000000000000000002.json")
        for table in ("master", "ledger")
        for name in COMMIT_CALLS
    ]
    return Waiting(home.root, read_rows(whole), points)


def kill_and_finish(waiting: Waiting, folder: Path, point: Point) -> int:
    """Kills the merge at a point, lets the next one finish it, and checks what came of it."""
    name, n, path = point
    home = copy_lake(waiting.root, folder)
    inject = ["-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={n}"]
    only = ["-P", str(home.root / path)] if path else []
    done = run_adlake(home.root, "merge", strace=[*inject, "-e", f"trace={name}", *only])
    home.merge()
    roll_up(home.lake, home.lake.take_snapshot(), settings=SETTINGS)
    assert read_rows(home).equals(waiting.rows), point
    assert home.lake.open_ledger().transaction == home.lake.open_master().transaction == 2, point
    assert home.read_ledger().height == 8, point
    assert fsck(home.lake, settings=SETTINGS).findings == [], point
    shutil.rmtree(folder)
    return done.returncode


def test_a_sample_of_all_points_and_those_of_the_two_commits(
    waiting: Waiting, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    sys.stdout.write(f"seed {seed}, of {len(waiting.points)} points\n")
    commits = [point for point in waiting.points if point[0] == LINK]
    assert len(commits) == 2
    others = [point for point in waiting.points if point not in commits]
    points = [*commits, *random.Random(seed).sample(others, SAMPLED - len(commits))]
    codes = [kill_and_finish(waiting, tmp_path / "lake", point) for point in points]
    assert codes[:2] == [137, 137] or codes[:2] == [-9, -9]


@pytest.mark.soak
def test_every_point(waiting: Waiting, tmp_path: Path) -> None:
    assert len(waiting.points) >= 200
    codes = [kill_and_finish(waiting, tmp_path / "lake", point) for point in waiting.points]
    killed = sum(code in {137, -9} for code in codes)
    sys.stdout.write(f"{killed} of {len(waiting.points)} points killed the merge\n")
    assert killed >= 200


@pytest.mark.parametrize("moments", [4, pytest.param(20, marks=pytest.mark.soak)])
def test_sigterm_ends_a_merge_soon_and_the_next_one_finishes_it(
    waiting: Waiting, tmp_path: Path, moments: int
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    sys.stdout.write(f"seed {seed}\n")
    draw = random.Random(seed)
    begin = time.monotonic()
    with start_merge(copy_lake(waiting.root, tmp_path / "whole")) as process:
        process.wait()
    seconds = time.monotonic() - begin
    for number in range(moments):
        home = copy_lake(waiting.root, tmp_path / f"lake{number}")
        with start_merge(home) as process:
            time.sleep(draw.uniform(0.3, 1) * seconds)
            process.terminate()
            assert process.wait(10) in {0, 143, -15}
        assert not list(home.root.glob(".scratch-*")) or process.returncode == -15
        home.merge()
        assert read_rows(home).equals(waiting.rows)
        assert fsck(home.lake, settings=SETTINGS).findings == []
