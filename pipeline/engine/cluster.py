"""A Dask cluster as an engine: connects to one, or starts one, and sees that it is of use."""

import contextlib
import logging
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any, Final, TypeVar

from pipeline.errors import UsageError

try:
    from distributed import LocalCluster
except ModuleNotFoundError as error:
    raise UsageError(
        "a cluster needs Dask, which is not installed: pip install 'dask[distributed]'"
    ) from error

from pipeline.engine.dask_link import Link, open_link, silence  # they need Dask as well
from pipeline.engine.dask_map import DaskMap, pack

MOST_PROCESSES: Final = 256
_LOCAL: Final = "local:"
_SCHEMES: Final = ("tcp://", "tls://")
FOR_WORKERS: Final = {
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # It samples stacks a hundred times a second, and each time takes the lock from our thread.
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "false",
}
"""The environment that suits a worker of one thread."""

_new_local_cluster: Final[Callable[..., Any]] = LocalCluster  # it ships without annotations

_NONE: Final = object()

Part = TypeVar("Part")
Result = TypeVar("Result")


@contextlib.contextmanager
def open_cluster(name: str, *, workers: int) -> Iterator["DaskEngine"]:
    """Connects to a cluster, or starts one on this machine; see `open_engine`.

    Raises:
        UsageError: The name is none.
        ClusterError: It cannot be reached, or its workers are of another adlake.
    """
    silence()
    with contextlib.ExitStack() as stack:
        if name.startswith(_LOCAL):
            cluster = stack.enter_context(_start_local(_read_processes(name)))
            address = cluster.scheduler_address
        elif name.startswith(_SCHEMES):
            address = name
        else:
            raise UsageError(
                f"the cluster is {name!r}; expected tcp://host:port of a Dask scheduler, or "
                f"local:N for N processes on this machine"
            )
        link = open_link(address, is_inside=name.startswith(_LOCAL))
        stack.callback(link.close)
        yield DaskEngine(link, workers)


def _read_processes(name: str) -> int:
    text = name.removeprefix(_LOCAL)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_PROCESSES:
        raise UsageError(
            f"the cluster is {name!r}; expected local:N with N from 1 to {MOST_PROCESSES}"
        )
    return int(text)


def _start_local(processes: int) -> Any:
    # Ctrl-C is for the command, which ends its workers. The threads and processes that start here,
    # now and later, inherit the mask; one that comes meanwhile is delivered afterwards. Python's
    # tracker of resources would take the mask away, were it not there already.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return _new_local_cluster(
            n_workers=processes,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # where its health can be asked
            silence_logs=logging.CRITICAL,
            env=FOR_WORKERS,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(slots=True)
class DaskEngine:
    """The workers of a Dask cluster.

    Attributes:
        link: The connection to its scheduler.
        workers: How many threads of this machine may work at once, on what is done here.
    """

    link: Link
    workers: int
    is_remote: bool = True

    def map(
        self,
        function: Callable[[Part], Result],
        parts: Iterable[Part],
        *,
        label: Callable[[Part], str],
        lanes: int = 1,  # noqa: ARG002 - a part of a cluster waits for its store by itself
    ) -> Generator[Result, None, None]:
        """As `Engine` says."""
        run = DaskMap(self.link, pack(function))
        rest = iter(parts)
        try:
            while True:
                while len(run.out) < run.window and (part := next(rest, _NONE)) is not _NONE:
                    run.send(label(part), pack(part))  # type: ignore[arg-type]  # it is no _NONE
                if not run.out:
                    return
                yield from run.take()
        finally:
            run.cancel()
