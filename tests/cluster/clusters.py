"""Dask clusters of real processes on loopback, for as long as a test needs them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.s3 import find_ports

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 300


@dataclass
class Cluster:
    """A scheduler and its workers, each a process that starts no other.

    Attributes:
        folder: For their files.
        environ: Theirs; also the credentials of workers.
        port: Of the scheduler.
        scheduler: Its process.
        workers: Theirs, of one thread each.
    """

    folder: Path
    environ: Mapping[str, str]
    port: int
    scheduler: "subprocess.Popen[bytes] | None" = None
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        arguments = ("--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        self.scheduler = self._start("scheduler", *arguments)
        self._await_line("scheduler", "Scheduler at")

    def start_worker(self) -> "subprocess.Popen[bytes]":
        name = f"worker-{len(self.workers)}"
        arguments = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        folder = self.folder / name
        folder.mkdir()
        worker = self._start(
            "worker", self.address, *arguments, "--local-directory", str(folder), log=name
        )
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        for process in filter(None, [*self.workers, self.scheduler]):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()

    def _start(self, kind: str, *arguments: str, log: str = "") -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", kind, *arguments]
        with (self.folder / f"{log or kind}.log").open("ab") as sink:
            return subprocess.Popen(
                command, env=self.environ, stdout=sink, stderr=sink, cwd=self.folder
            )

    def _await_line(self, log: str, text: str) -> None:
        path = self.folder / f"{log}.log"
        end = time.monotonic() + WAIT_SECONDS
        while text not in path.read_text():
            assert time.monotonic() < end, path.read_text()
            time.sleep(0.1)


@contextlib.contextmanager
def start_cluster(
    folder: Path, environ: Mapping[str, str], *, workers: int, source: Path = ROOT
) -> Iterator[Cluster]:
    """Starts a scheduler and so many workers; they are killed at the end.

    Args:
        folder: For their files; made here.
        environ: Theirs.
        workers: How many.
        source: Where their adlake is.
    """
    folder.mkdir()
    cluster = Cluster(
        folder,
        {**environ, "PYTHONPATH": os.pathsep.join([str(source), environ.get("PYTHONPATH", "")])},
        find_ports(1)[0],
    )
    try:
        cluster.start_scheduler()
        for _ in range(workers):
            cluster.start_worker()
        yield cluster
    finally:
        cluster.stop()
