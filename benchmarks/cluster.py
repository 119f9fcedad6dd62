"""What a Dask cluster gains over one worker, and what it costs: `python -m benchmarks.cluster`.

Two clusters on loopback, of one worker and of two, each worker a process of one thread, run all the
while; only one of them works at a time. Each round runs every case once, one after the other, so
that ratios are of neighbours in time. The harness of `make bench` does not fit: it waits for every
process that a run leaves behind. CPU and memory are those of the command alone, not of the workers.
`make bench ARGS=--scale` writes down the same.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import harness
from benchmarks.commands import adlake, empty, link
from benchmarks.harness import BLOCK_BYTES, Answer, Question, Usage
from pipeline.engine.cluster import FOR_WORKERS

PORTS: Final = {1: 18_786, 2: 18_787}
"""Of the schedulers, by their number of workers."""

YEAR: Final = ("--start", "2024-01-01", "--end", "2024-12-31")


@dataclass(frozen=True, slots=True)
class Case:
    """One way to do a job.

    Attributes:
        job: What is done.
        name: How.
        arguments: Of `adlake`.
        prepare: Called before each run, unmeasured.
        environ: Settings.
        rows: That it makes or moves.
        taken: By the command, in each run so far.
    """

    job: str
    name: str
    arguments: tuple[str | Path, ...]
    prepare: Callable[[], None]
    environ: Mapping[str, str]
    rows: int
    taken: list[Usage] = field(default_factory=list)

    def run(self) -> None:
        """Runs it once."""
        self.prepare()
        os.sync()  # so that what the run before left to the disk is not this one's
        begin = time.perf_counter()
        command = adlake(*self.arguments)
        process = os.posix_spawn(command[0], command, {**_clean_environ(), **self.environ})
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - begin
        if status:
            raise RuntimeError(
                f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}"
            )
        cpu = usage.ru_utime + usage.ru_stime
        written = usage.ru_oublock * BLOCK_BYTES
        self.taken.append(Usage(seconds, cpu, usage.ru_maxrss * 1024, written))


@contextlib.contextmanager
def start_cluster(workers: int, folder: Path) -> Iterator[str]:
    """A scheduler and its workers; gives its address."""
    address = f"tcp://127.0.0.1:{PORTS[workers]}"
    place = ("--host", "127.0.0.1", "--no-dashboard")
    environ = _clean_environ() | FOR_WORKERS
    scheduler = ["scheduler", *place, "--port", str(PORTS[workers])]
    worker = ["worker", address, *place, "--nthreads", "1", "--no-nanny"]
    with (folder / f"cluster-{workers}.log").open("wb") as log, contextlib.ExitStack() as stack:
        for command in (scheduler, *[worker] * workers):
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                env=environ,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield address


def list_cases(home: Path, addresses: Mapping[int, str], *, quick: bool) -> list[Case]:
    """All that is run in a round; the first case of a job is what its others are compared with."""
    many, some, few = ("20000000", "2000000", "500000")
    if quick:
        many, some, few = ("200000", "100000", "20000")
    here = {f"this process, {count} threads": {"ADLAKE_WORKERS": str(count)} for count in (1, 2)}
    there = {
        f"cluster of {count} workers": {"ADLAKE_CLUSTER": address}
        for count, address in addresses.items()
    }
    lake, made, exports = home / "lake", home / "made", home / "exports"
    subprocess.run(
        adlake("generate", *YEAR, "--rows", some, "--lake", made), env=_clean_environ(), check=True
    )
    generate = ("generate", *YEAR, "--rows", many, "--lake", lake)
    run = ("run", *YEAR, "--rows", few, "--lake", lake, "--local-dir", exports)
    cases: list[Case] = []
    for name, environ in {**there, **here}.items():
        job = f"generate {int(many):,} rows"
        cases.append(Case(job, name, generate, empty(lake), environ, int(many)))
        job, merge = f"merge {int(some):,} rows", ("merge", "--lake", lake)
        cases.append(Case(job, name, merge, link(made, lake), environ, int(some)))
    for name, environ in {**here, **there}.items():
        job = f"the main job, {int(few):,} rows"
        cases.append(Case(job, name, run, empty(lake), environ, int(few)))
    return cases


def _clean_environ() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("ADLAKE_")}


def answer_all(*, quick: bool, runs: int, job: str = "") -> list[Answer]:
    """Runs all cases in turn, once to warm up and then `runs` times."""
    with (
        tempfile.TemporaryDirectory(prefix="adlake-bench-") as folder,
        start_cluster(1, Path(folder)) as one,
        start_cluster(2, Path(folder)) as two,
    ):
        cases = list_cases(Path(folder), {1: one, 2: two}, quick=quick)
        cases = [case for case in cases if case.job.startswith(job)]
        for number in range(1 if quick else runs + 1):
            for case in cases:
                case.run()
                if number == 0 and not quick:  # the first round only warms up
                    case.taken.clear()
    return [
        _answer(name, [case for case in cases if case.job == name])
        for name in dict.fromkeys(case.job for case in cases)
    ]


def _answer(job: str, cases: Sequence[Case]) -> Answer:
    asked = [
        harness.Case(
            name=case.name, rows=case.rows, commands=(), prepare=case.prepare, check=lambda: None
        )
        for case in cases
    ]
    title = f"On a cluster: {job}; CPU and peak are the command's, not the workers'"
    return Answer(Question(title, asked), [case.taken for case in cases])


def print_table(answers: Sequence[Answer]) -> None:
    """Prints medians, and the median over the rounds of the first case's time over a case's."""
    print("| job | how | seconds, median | times as fast as the first |\n|---|---|---|---|")
    for answer in answers:
        for number, case in enumerate(answer.question.cases):
            seconds = answer.find_median(number, lambda one: one.wall_seconds)
            pairs = zip(answer.runs[0], answer.runs[number], strict=True)
            ratio = statistics.median(a.wall_seconds / b.wall_seconds for a, b in pairs)
            print(f"| {answer.question.title} | {case.name} | {seconds:.2f} | {ratio:.2f} |")


def main() -> None:
    """Runs all cases in turn and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, one run: does it work?")
    parser.add_argument("--job", default="", help="only the cases whose job begins like this")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each case")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the clusters end with it
    print_table(answer_all(quick=options.quick, runs=options.runs, job=options.job))


if __name__ == "__main__":
    main()
