"""Many processes on one lake: each delivery comes in once, and readers see whole versions."""

import contextlib
import itertools
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors import CommitConflictError
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import Lake
from pipeline.settings import Settings
from pipeline.steps.compact import compact
from pipeline.steps.fsck import fsck
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import merge
from pipeline.storage import open_storage
from tests.lakes import build_lake, commit_rows, make_row
from tests.lots import HEADER, make_line
from tests.steps.conftest import SETTINGS

pytestmark = pytest.mark.faults

ONE_WORKER = Settings(workers=1)
PATIENCE_SECONDS = 500
STARTS = 4


def run_together(function: Callable[..., None], *arguments: Any, count: int) -> None:
    """Runs a function in processes of their own, which get their number first."""
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=function, args=(number, *arguments)) for number in range(count)
    ]
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join(PATIENCE_SECONDS)
        assert [process.exitcode for process in processes] == [0] * count
    finally:
        for process in processes:
            process.kill()


def generate_day(lake: Lake, *, seed: int, day: date = date(2024, 3, 1), rows: int = 20) -> None:
    request = GenerateRequest(start=day, end=day, seed=seed, rows=rows)
    generate_days(lake, request, today=date(2024, 12, 31), workers=1)


@pytest.fixture
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty lake that many processes can reach."""
    where: str = request.param
    found: str = request.getfixturevalue("s3_uri") if where == "bucket" else str(tmp_path / "lake")
    return found


def deliver(writer: int, uri: str, deliveries: int) -> None:
    """Delivers and merges, again and again; whoever loses each time says so and tries anew."""
    lake = Lake(open_storage(uri))
    for number in range(deliveries):
        generate_day(lake, seed=writer * deliveries + number)
        while True:
            try:
                merge(lake, settings=ONE_WORKER)
            except CommitConflictError:
                continue
            break


@pytest.mark.parametrize(
    ("uri", "writers", "deliveries"),
    [
        ("folder", 8, 5),
        ("bucket", 4, 2),
        pytest.param("bucket", 8, 5, marks=pytest.mark.soak),
    ],
    indirect=["uri"],
)
def test_many_writers_bring_each_of_their_deliveries_in_once(
    uri: str, writers: int, deliveries: int
) -> None:
    run_together(deliver, uri, deliveries, count=writers)
    lake = Lake(open_storage(uri))
    snapshot = lake.take_snapshot()
    ledger = read_ledger(lake, snapshot.ledger)
    assert ledger.height == writers * deliveries
    assert set(ledger["outcome"]) == {"merged"}
    assert snapshot.rows == ledger["rows_in"].sum() == 20 * writers * deliveries
    assert lake.open_ledger().transaction == lake.open_master().transaction
    assert merge(lake, settings=SETTINGS).transaction is None
    assert fsck(lake, settings=SETTINGS).findings == []


def start_together(starter: int, uri: str, rounds: int, barrier: Barrier) -> None:
    """In each round one brings a delivery, and all merge at the same moment."""
    lake = Lake(open_storage(uri))
    for number in range(rounds):
        if starter == 0:
            generate_day(lake, seed=number)
        barrier.wait()
        merge(lake, settings=ONE_WORKER)
        barrier.wait()


@pytest.mark.parametrize(
    ("uri", "rounds"),
    [
        ("folder", 10),
        ("bucket", 3),
        pytest.param("folder", 50, marks=pytest.mark.soak),
        pytest.param("bucket", 50, marks=pytest.mark.soak),
    ],
    indirect=["uri"],
)
def test_four_starts_at_one_moment_make_one_commit(uri: str, rounds: int) -> None:
    barrier = multiprocessing.get_context("spawn").Barrier(STARTS)
    run_together(start_together, uri, rounds, barrier, count=STARTS)
    lake = Lake(open_storage(uri))
    assert lake.open_master().version == lake.open_master().transaction == rounds
    assert lake.take_snapshot().rows == 20 * rounds
    assert fsck(lake, settings=SETTINGS).findings == []


class Work:
    """What the threads around a reader have in common.

    Attributes:
        done: Set when they are to end.
        go: Unset where the writers are to rest.
        joined: How many files each compaction joined.
    """

    def __init__(self) -> None:
        self.done = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.joined: list[int] = []

    def goes_on(self) -> bool:
        self.go.wait()
        return not self.done.is_set()

    def end(self) -> None:
        self.done.set()
        self.go.set()


def append(lake: Lake, writer: int, work: Work) -> None:
    for number in itertools.count():
        if not work.goes_on():
            return
        rows = [make_row(campaign_id=f"w{writer}-{number}-{place}", cost=1) for place in range(3)]
        with contextlib.suppress(CommitConflictError):  # then this batch is not there, or whole
            commit_rows(lake, rows)


def join_files(lake: Lake, work: Work) -> None:
    """Compacts again and again; where the writers were faster each time, while they rest."""
    while not work.done.is_set():
        try:
            outcome = compact(lake, settings=ONE_WORKER)
        except CommitConflictError:
            work.go.clear()
            continue
        if outcome.transaction:
            work.joined.append(outcome.files_removed)
        work.go.set()
        time.sleep(0.2)


def deliver_lots(lake: Lake, writer: int, work: Work) -> None:
    """Two deliver and merge; what they write is joined already, so one leaves small files."""
    if writer == 0:
        append(lake, writer, work)
        return
    for number in itertools.count():
        if not work.goes_on():
            return
        name = f"w{writer}-{number}"
        lines = [make_line(campaign_id=f"{name}-{place}") for place in range(3)]
        data = "\n".join([HEADER, *lines, ""]).encode()
        lake.storage.create(f"landing/lots/{name}.csv", data)
        with contextlib.suppress(CommitConflictError):  # then another one merges it
            merge(lake, settings=ONE_WORKER)


@pytest.mark.parametrize("seconds", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_a_reader_beside_writers_and_a_compactor_sees_whole_versions(
    tmp_path: Path, seconds: float
) -> None:
    lake = build_lake(tmp_path / "lake", [make_row(campaign_id=f"x-{place}") for place in range(3)])
    read_beside(lake, append, seconds)


@pytest.mark.parametrize("seconds", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_so_does_a_reader_beside_merges_in_a_bucket(s3_uri: str, seconds: float) -> None:
    lake = Lake(open_storage(s3_uri))
    lake.initialise()
    read_beside(lake, deliver_lots, seconds)


def read_beside(lake: Lake, write: Callable[[Lake, int, Work], None], seconds: float) -> None:
    """Reads again and again while three write and one compacts; each batch has three rows."""
    work = Work()
    threads = [
        *(threading.Thread(target=write, args=(lake, n, work)) for n in range(3)),
        threading.Thread(target=join_files, args=(lake, work)),
    ]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    try:
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds or (
            len(set(seen)) < 4 or not work.joined
        ):
            assert passed < PATIENCE_SECONDS, (seen, work.joined)
            snapshot = lake.take_snapshot()
            if not snapshot.files:
                continue
            files = lake.fetch(snapshot.file_uris)
            rows = pl.read_parquet(files, glob=False, hive_partitioning=False)
            batches = rows["campaign_id"].str.replace(r"-\d+$", "").value_counts()
            assert set(batches["count"]) == {3}
            assert rows.height == snapshot.rows == snapshot.commit.metadata["rows"]
            seen.append(rows.height)
    finally:
        work.end()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    assert seen == sorted(seen)
    versions = lake.open_master().version
    sys.stdout.write(
        f"{versions} versions, {len(work.joined)} of them compactions of {sum(work.joined)} files; "
        f"read {len(seen)} times, {len(set(seen))} of them\n"
    )
    assert fsck(lake, settings=SETTINGS).findings == []
