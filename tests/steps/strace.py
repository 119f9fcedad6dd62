"""Runs commands under strace: counts their system calls, kills or fails them at the N-th one."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

PATIENCE_SECONDS = 300
_LINE = re.compile(r"(\d+) +(\w+)\(")


@cache
def find_reason_against() -> str:
    """Why strace cannot be used here; '' where it can."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    probe = [strace, "-f", "-o", os.devnull, sys.executable, "-c", ""]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return f"strace may not trace here: {done.stderr.strip()}" if done.returncode else ""


needs_strace = pytest.mark.skipif(bool(find_reason_against()), reason=find_reason_against())


def run_adlake(
    root: Path, *arguments: str, strace: Sequence[str] = (), limits: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs a command on a lake with one worker, so that its calls come in the same order.

    Args:
        root: Of the lake.
        arguments: The command and its arguments.
        strace: Options of strace; none: it is run without.
        limits: Options of prlimit, likewise.
    """
    prefix = ["strace", "-f", "-qq", *strace] if strace else []
    prefix += ["prlimit", *limits] if limits else []
    return subprocess.run(
        [*prefix, sys.executable, "-m", "pipeline", *arguments, "--lake", str(root)],
        env={**os.environ, "ADLAKE_WORKERS": "1", "ADLAKE_QUIET": "0"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def count_calls(root: Path, trace: Path, names: Sequence[str], *arguments: str) -> Counter[str]:
    """How often the busiest thread of a command makes each system call."""
    done = run_adlake(root, *arguments, strace=["-o", str(trace), "-e", f"trace={','.join(names)}"])
    assert done.returncode == 0, done.stderr
    by_thread: dict[str, Counter[str]] = defaultdict(Counter)
    for line in trace.read_text(errors="replace").splitlines():
        if found := _LINE.match(line):
            by_thread[found[1]][found[2]] += 1
    return Counter({name: max(one[name] for one in by_thread.values()) for name in names})
