"""Runs commands in turn as children and measures each with all processes that it starts.

CPU time is exact: this process adopts orphans (Linux's subreaper), waits for every descendant, and
adds up what the kernel says of each. Peak memory is the largest sum of resident memory over the
tree, sampled every 20 ms, or what the kernel says of a process that outlived its parent, if that is
more. In the sum, a page that two processes share counts twice.
"""

import contextlib
import ctypes
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLE_SECONDS: Final = 0.02
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
SHELL: Final = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
"""Starts a command in a process of its own: the kernel counts the memory of whoever spawns a
process, this one with its libraries, as the first of the new one's."""

BLOCK_BYTES: Final = 512  # in which the kernel counts what is written
PR_SET_CHILD_SUBREAPER: Final = 36


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run took.

    Attributes:
        wall_seconds: Until the command itself ended.
        cpu_seconds: User and system time of the whole tree.
        peak_bytes: Resident memory of the whole tree at its highest; 0 where it ended before
            anybody looked.
        written_bytes: What the tree wrote to files, whether or not it was kept.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    written_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way to do a job.

    Attributes:
        name: As shown in the results.
        rows: How many rows a run makes or moves.
        commands: Run one after the other; a run's usage is their sum, and their highest peak.
        prepare: Called before each run, unmeasured.
        check: Called after each run, unmeasured; raises where the result is wrong.
        inside: Whether a command itself measures what counts, and the start of Python does not: its
            last line is the seconds that it took, and those of CPU.
    """

    name: str
    rows: int
    commands: Sequence[Sequence[str]]
    prepare: Callable[[], None]
    check: Callable[[], None]
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be found out.

    Attributes:
        title: As shown in the results.
        cases: The first is what the others are compared with.
        once: Whether each case is run only once, as it takes so long, and without a warm-up.
    """

    title: str
    cases: Sequence[Case]
    once: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The runs of a question's cases.

    Attributes:
        question: As asked.
        runs: For each case, its runs in order; the same place in two cases is one round.
    """

    question: Question
    runs: Sequence[Sequence[Usage]]

    def find_median(self, case: int, measure: Callable[[Usage], float]) -> float:
        """The median of a measure over a case's runs."""
        return statistics.median(map(measure, self.runs[case]))

    def find_ratio(self, case: int, measure: Callable[[Usage], float]) -> float:
        """The median over the rounds of a case's measure over the first case's."""
        pairs = zip(self.runs[case], self.runs[0], strict=True)
        return statistics.median(measure(run) / measure(first) for run, first in pairs)


def answer(question: Question, *, runs: int) -> Answer:
    """Runs each case once to warm up, then all of them in turn, `runs` times; with 1, only so."""
    if runs > 1 and not question.once:
        for case in question.cases:
            run_case(case)
    count = 1 if question.once else runs
    rounds = [[run_case(case) for case in question.cases] for _ in range(count)]
    return Answer(question, list(zip(*rounds, strict=True)))


def run_case(case: Case) -> Usage:
    """Runs a case once."""
    case.prepare()
    parts = [run_command(command, inside=case.inside) for command in case.commands]
    case.check()
    usage = Usage(
        wall_seconds=sum(part.wall_seconds for part in parts),
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        peak_bytes=max(part.peak_bytes for part in parts),
        written_bytes=sum(part.written_bytes for part in parts),
    )
    print(
        f"  {case.name}: {usage.wall_seconds:.2f} s, {usage.cpu_seconds:.2f} s of CPU", flush=True
    )
    return usage


def run_command(command: Sequence[str], *, inside: bool = False) -> Usage:
    """Runs a command until it and all that it started have ended.

    Args:
        command: A program and its arguments.
        inside: As in `Case`.

    Raises:
        RuntimeError: It ended with another code than 0.
    """
    _adopt_orphans()
    with tempfile.TemporaryFile() as output, _sample_memory() as samples:
        begin = time.perf_counter()
        child = os.posix_spawn(
            SHELL[0],
            [*SHELL, *command],
            _make_environment(),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
            ],
        )
        wall, cpu, code, blocks = 0.0, 0.0, 0, 0
        with contextlib.suppress(ChildProcessError):  # raised when no child is left
            while True:
                pid, status, usage = os.wait4(-1, 0)
                cpu += usage.ru_utime + usage.ru_stime
                blocks += usage.ru_oublock
                if pid != child:
                    samples.append(usage.ru_maxrss * 1024)
                else:
                    wall = time.perf_counter() - begin
                    code = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
        if code:
            raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{text}")
    if inside:
        wall, cpu = map(float, text.split()[-2:])
    return Usage(
        wall_seconds=wall,
        cpu_seconds=cpu,
        peak_bytes=max(samples, default=0),
        written_bytes=blocks * BLOCK_BYTES,
    )


def _make_environment() -> Mapping[str, str]:
    """The environment without what would change the defaults.

    Settings of adlake's go, and Python's: one that forbids bytecode files makes every single run
    compile all that it imports.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ADLAKE_", "PYTHON"))
    }


def _adopt_orphans() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot become the parent of orphaned processes")


@contextlib.contextmanager
def _sample_memory() -> Iterator[list[int]]:
    """Collects the resident bytes of all descendants until the block ends."""
    samples: list[int] = []
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            samples.append(_sum_resident(os.getpid()))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def _sum_resident(pid: int) -> int:
    total = 0
    waiting = _list_children(pid)
    while waiting:
        child = waiting.pop()
        with contextlib.suppress(OSError):  # it may end at any moment
            total += int(Path(f"/proc/{child}/statm").read_text().split()[1]) * PAGE_BYTES
            waiting += _list_children(child)
    return total


def _list_children(pid: int) -> list[int]:
    # Children are listed with the thread that started them.
    children: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += map(int, path.read_text().split())
    return children
