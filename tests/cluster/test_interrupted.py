"""Ctrl-C ends a command, the cluster that it started, and nothing else."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.s3 import clean_environ

WAIT_SECONDS = 120


@pytest.mark.cluster
@pytest.mark.faults
def test_ctrl_c_ends_the_workers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    command = ("generate", "--rows", "50000000", "--cluster", "local:2", "--lake", str(lake))
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *command],
        env=clean_environ(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that the signal reaches all that it started, as at a terminal
    )
    end = time.monotonic() + WAIT_SECONDS
    while not list(lake.rglob("*.parquet")):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, said) == (130, "adlake: interrupted; what was committed stands\n")
    assert [path.name for path in lake.iterdir()] == ["raw"]
    while is_alive(process.pid):
        assert time.monotonic() < end
        time.sleep(0.1)


def is_alive(group: int) -> bool:
    """Whether a process of the group is still there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
