"""The main job on two worker processes and a bucket, with workers and schedulers that die."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.lake import RAW, STAGING, Lake
from pipeline.settings import Settings
from pipeline.steps.fsck import fsck
from pipeline.storage import open_storage
from tests.cluster.clusters import ROOT, Cluster, start_cluster
from tests.s3 import BUCKET, Policy, clean_environ, start_server

pytestmark = [pytest.mark.cluster, pytest.mark.faults]

DAYS = 91
ROWS = 3000
RANGE = ("--end", "2024-03-31", "--rows", str(ROWS))
WAIT_SECONDS = 300
EVERYTHING: Policy = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}],
}


@pytest.fixture
def cluster(tmp_path: Path, s3_environ: dict[str, str]) -> Iterator[Cluster]:
    with start_cluster(tmp_path / "cluster", s3_environ, workers=2) as started:
        yield started


@pytest.fixture
def lake(s3_uri: str) -> Lake:
    return Lake(open_storage(s3_uri))


def start(
    lake: Lake, environ: Mapping[str, str], *arguments: str, cluster: Cluster, cwd: Path
) -> "subprocess.Popen[str]":
    """Starts a command that says what it does."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments, "-v", "--debug", "--lake", lake.uri],
        env={
            **environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), environ.get("PYTHONPATH", "")]),
            "ADLAKE_CLUSTER": cluster.address,
        },
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(process: "subprocess.Popen[str]", *, expected: int = 0) -> str:
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == expected, said
    return said


def await_that(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(finish(process))
        time.sleep(0.05)


def check(lake: Lake) -> None:
    """All rows are there once, nothing is damaged, and workers left nothing behind."""
    snapshot = lake.take_snapshot()
    assert snapshot.rows == ROWS
    assert sum(1 for entry in lake.storage.list(RAW) if entry.path.endswith(".json")) == DAYS
    assert fsck(lake, settings=Settings(workers=2)).findings == []
    assert list(lake.storage.list(STAGING)) == []


def test_the_main_job_survives_a_worker_that_is_killed_mid_merge(
    lake: Lake, cluster: Cluster, s3_environ: dict[str, str], tmp_path: Path
) -> None:
    process = start(lake, s3_environ, "run", *RANGE, cluster=cluster, cwd=tmp_path)
    # What was read lies in the bucket: some of it was read, and none of it is merged.
    await_that(lambda: len(lake.storage.list(STAGING)) > 1 and has_read(lake), process)
    cluster.workers[0].send_signal(signal.SIGKILL)
    finish(process)
    check(lake)
    assert lake.take_snapshot().version == 1
    lines = (tmp_path / "exports/marketing_master_dataset.csv").read_text().splitlines()
    assert len(lines) == ROWS + 1


def has_read(lake: Lake) -> bool:
    return any(".arrow-" in entry.path for entry in lake.storage.list(STAGING))


def test_a_run_without_workers_left_says_so_and_the_next_one_ends_right(
    lake: Lake,
    cluster: Cluster,
    s3_environ: dict[str, str],
    tmp_path: Path,
) -> None:
    process = start(lake, s3_environ, "run", *RANGE, cluster=cluster, cwd=tmp_path)
    await_that(lambda: has_read(lake), process)
    assert cluster.scheduler is not None
    cluster.scheduler.send_signal(signal.SIGKILL)
    said = finish(process, expected=1)
    assert "scheduler" in said or "no worker" in said
    cluster.stop()
    cluster.start_scheduler()
    cluster.start_worker()
    finish(start(lake, s3_environ, "run", *RANGE, cluster=cluster, cwd=tmp_path))
    check(lake)


def test_workers_without_credentials_of_their_own_refuse_and_the_callers_do_not_travel(
    lake: Lake, s3_environ: dict[str, str], tmp_path: Path
) -> None:
    without = {
        name: value for name, value in s3_environ.items() if not name.startswith("AWS_ACCESS_KEY")
    }
    without["AWS_SECRET_ACCESS_KEY"] = ""
    with start_cluster(tmp_path / "cluster", without, workers=1) as cluster:
        process = start(lake, s3_environ, "generate", *RANGE, cluster=cluster, cwd=tmp_path)
        said = finish(process, expected=4)
    assert "no AWS credentials were found" in said
    assert s3_environ["AWS_SECRET_ACCESS_KEY"] not in said


def test_workers_do_the_work_with_credentials_that_the_caller_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_server(tmp_path, roles={"worker": EVERYTHING}) as server:
        mine = clean_environ() | server.describe()
        theirs = clean_environ() | server.take_role("worker").describe()
        assert mine["AWS_SECRET_ACCESS_KEY"] != theirs["AWS_SECRET_ACCESS_KEY"]
        for name, value in server.describe().items():
            monkeypatch.setenv(name, value)
        lake = Lake(open_storage(f"s3://{BUCKET}/theirs"))
        with start_cluster(tmp_path / "cluster", theirs, workers=1) as cluster:
            finish(start(lake, mine, "run", *RANGE, cluster=cluster, cwd=tmp_path))
        check(lake)
