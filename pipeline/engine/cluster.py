"""A Dask cluster as an engine: connects to one, or starts one, and sees that it is of use."""

import contextlib
import logging
import pkgutil
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import resource_tracker
from operator import itemgetter
from typing import Any, Final, TypeVar

from pipeline import __version__
from pipeline.errors import ClusterError, UsageError

try:
    from distributed import Client, LocalCluster
except ModuleNotFoundError as error:
    raise UsageError(
        "a cluster needs Dask, which is not installed: pip install 'dask[distributed]'"
    ) from error

from pipeline.engine.dask_map import PATIENCE_SECONDS, DaskMap, pack  # it needs Dask as well

CONNECT_SECONDS: Final = 15
"""How long a scheduler may take to answer."""

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

_SAME: Final = ("pyarrow", "polars", "numpy")
"""What the bytes of a file depend on beside adlake itself."""

# Both ship without annotations.
_new_client: Final[Callable[..., Any]] = Client
_new_local_cluster: Final[Callable[..., Any]] = LocalCluster

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
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is in our errors
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
        client = stack.enter_context(_connect(address))
        _await_workers(client, address)
        _check_versions(client)
        yield DaskEngine(client, workers)


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


def _connect(address: str) -> Any:
    try:
        return _new_client(address, timeout=CONNECT_SECONDS, name="adlake", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"the scheduler at {address} did not answer in {CONNECT_SECONDS} seconds "
            f"({error}): start it with `dask scheduler`, or see to the address and the network"
        ) from error


def _await_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
    except TimeoutError as error:
        raise ClusterError(
            f"the scheduler at {address} has no worker after {PATIENCE_SECONDS} seconds; expected "
            f"at least one: start some with `dask worker {address}`"
        ) from error


def _check_versions(client: Any) -> None:
    """Refuses workers on which the same part could come to other bytes.

    Raises:
        ClusterError: As said.
    """
    found = client.run(pkgutil.resolve_name, "pipeline:__version__", on_error="return")
    _refuse_others(found, "adlake", __version__)
    for package in _SAME:  # by its metadata, as to import it would take longer than all else here
        _refuse_others(client.run(version, package, on_error="return"), package, version(package))


def _refuse_others(found: Mapping[str, object], package: str, expected: str) -> None:
    # One that is gone meanwhile answers with an OSError, and does no part.
    answers = {worker: one for worker, one in found.items() if not isinstance(one, OSError)}
    wrong = {worker: one for worker, one in answers.items() if one != expected}
    if wrong:
        worker, one = min(wrong.items(), key=itemgetter(0))
        has = f"has {package} {one}" if isinstance(one, str) else f"has no {package} ({one})"
        raise ClusterError(
            f"the worker at {worker} {has}, and so or likewise have {len(wrong) - 1:,} more; "
            f"expected {package} {expected} as here: install the same on all workers"
        )


@dataclass(slots=True)
class DaskEngine:
    """The workers of a Dask cluster.

    Attributes:
        client: Connected to its scheduler.
        workers: How many threads of this machine may work at once, on what is done here.
    """

    client: Any
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
        run = DaskMap(self.client, pack(function))
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
