"""A run that is killed takes its children with it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys, time
from pipeline.engine import map_isolated
from tests.engine.test_orphans import announce
map_isolated(announce, [sys.argv[1]], workers=1)
"""


def announce(path: str) -> None:
    """Says that the child is at work, and which process it is, and then never ends."""
    Path(path).write_text(str(os.getpid()))
    signal.pause()


@pytest.mark.faults
def test_children_end_when_the_process_they_work_for_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "child"
    os.mkfifo(told)
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(told)], cwd=Path(__file__).parents[2]
    )
    child = os.pidfd_open(int(told.read_text()))  # reading waits until the child has said it
    try:
        parent.kill()
        parent.wait()
        ended, _, _ = select.select([child], [], [], 60)
    finally:
        os.close(child)
    assert ended
