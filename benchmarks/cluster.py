"""What a Dask cluster gains over one worker, and what it costs: `python -m benchmarks.cluster`.

Two clusters on loopback, of one worker and of two, each worker a process of one thread, run all the
while; only one of them works at a time. Each round runs every case once, one after the other, so
that ratios are of neighbours in time. The harness of `make bench` does not fit: it waits for every
process that a run leaves behind.
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.commands import adlake, empty, link
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
        seconds: Of each run so far, until the command ended.
    """

    job: str
    name: str
    arguments: tuple[str | Path, ...]
    prepare: Callable[[], None]
    environ: Mapping[str, str]
    seconds: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Runs it once."""
        self.prepare()
        os.sync()  # so that what the run before left to the disk is not this one's
        begin = time.perf_counter()
        subprocess.run(
            adlake(*self.arguments), env={**_clean_environ(), **self.environ}, check=True
        )
        self.seconds.append(time.perf_counter() - begin)


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
        cases.append(Case(f"generate {int(many):,} rows", name, generate, empty(lake), environ))
        merge = ("merge", "--lake", lake)
        cases.append(Case(f"merge {int(some):,} rows", name, merge, link(made, lake), environ))
    for name, environ in {**here, **there}.items():
        cases.append(Case(f"the main job, {int(few):,} rows", name, run, empty(lake), environ))
    return cases


def _clean_environ() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("ADLAKE_")}


def print_table(cases: list[Case]) -> None:
    """Prints medians, and the median over the rounds of the first case's time over a case's."""
    print("| job | how | seconds, median | times as fast as the first |\n|---|---|---|---|")
    for job in dict.fromkeys(case.job for case in cases):
        first, *_ = same = [case for case in cases if case.job == job]
        for case in same:
            pairs = zip(first.seconds, case.seconds, strict=True)
            ratio = statistics.median(before / after for before, after in pairs)
            print(f"| {job} | {case.name} | {statistics.median(case.seconds):.2f} | {ratio:.2f} |")


def main() -> None:
    """Runs all cases in turn and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, one run: does it work?")
    parser.add_argument("--job", default="", help="only the cases whose job begins like this")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each case")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the clusters end with it
    with (
        tempfile.TemporaryDirectory(prefix="adlake-bench-") as folder,
        start_cluster(1, Path(folder)) as one,
        start_cluster(2, Path(folder)) as two,
    ):
        cases = list_cases(Path(folder), {1: one, 2: two}, quick=options.quick)
        cases = [case for case in cases if case.job.startswith(options.job)]
        for number in range(1 if options.quick else options.runs + 1):
            for case in cases:
                case.run()
            if number == 0 and not options.quick:  # the first round only warms up
                for case in cases:
                    case.seconds.clear()
        print_table(cases)


if __name__ == "__main__":
    main()
