"""A Dask cluster as an engine: parts go out in a bounded window, results come back in order.

What is sent is pickled here, so that it can be looked at: a task is two texts of bytes, the
function (sent once) and the part. Workers import the function by name from their own adlake, and
reach the lake with credentials of their own.
"""

import contextlib
import logging
import multiprocessing
import pickle
import pkgutil
import secrets
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing import resource_tracker
from typing import Any, Final, NamedTuple, TypeVar

from pipeline import __version__
from pipeline.errors import AdlakeError, ClusterError, UsageError
from pipeline.secret import holds_secret, scrub

try:
    from distributed import Client, LocalCluster
    from distributed.scheduler import KilledWorker
except ModuleNotFoundError as error:
    raise UsageError(
        "a cluster needs Dask, which is not installed: pip install 'adlake[dask]'"
    ) from error

CONNECT_SECONDS: Final = 15
"""How long a scheduler may take to answer."""

PATIENCE_SECONDS: Final = 60
"""How long there may be no worker at all before a run gives up."""

TRIES: Final = 4
"""How often a part is sent out that the scheduler forgot, as one that restarts does."""

PARTS_A_THREAD: Final = 4
LEAST_WINDOW: Final = 16
"""So many parts are out at once, at least, or `PARTS_A_THREAD` for each thread of the cluster."""

MOST_PROCESSES: Final = 256
_LOOK_SECONDS: Final = 1.0
_LOCAL: Final = "local:"
_SCHEMES: Final = ("tcp://", "tls://")
_FOR_WORKERS: Final = {
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # It samples stacks a hundred times a second, and each time takes the lock from our thread.
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "false",
}
_SAME: Final = ("pyarrow", "polars", "numpy")
"""What the bytes of a file depend on beside adlake itself."""

# Both ship without annotations.
_new_client: Final[Callable[..., Any]] = Client
_new_local_cluster: Final[Callable[..., Any]] = LocalCluster

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
            env=_FOR_WORKERS,
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
    own = {name: pkgutil.resolve_name(f"{name}:__version__") for name in _SAME}
    for name, expected in {"pipeline": __version__, **own}.items():
        package = "adlake" if name == "pipeline" else name
        found = client.run(pkgutil.resolve_name, f"{name}:__version__", on_error="return")
        wrong = {worker: one for worker, one in found.items() if one != expected}
        if wrong:
            worker, one = min(wrong.items())
            has = f"has {package} {one}" if isinstance(one, str) else f"has no {package} ({one})"
            raise ClusterError(
                f"the worker at {worker} {has}, and so or likewise have {len(wrong) - 1:,} more; "
                f"expected {package} {expected} as here: install the same on all workers"
            )


class _Sent(NamedTuple):
    """A part that is out."""

    label: str
    data: bytes
    future: Any
    tries: int


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
    ) -> Iterator[Result]:
        """As `Engine` says."""
        run = _Map(self.client, pack(function))
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


_NONE: Final = object()


class _Map:
    """One map: what of it is out, oldest first."""

    def __init__(self, client: Any, function: bytes) -> None:
        self.client = client
        self.run = secrets.token_hex(4)
        self.sent = 0
        self.out: deque[_Sent] = deque()
        self.packed = function
        self._send_function()
        threads = sum(client.nthreads().values())
        self.window = max(LEAST_WINDOW, PARTS_A_THREAD * threads)

    def send(self, label: str, data: bytes, *, tries: int = 1) -> None:
        """Sends a part out."""
        self.out.append(_Sent(label, data, self._submit(label, data), tries))

    def take(self) -> list[Any]:
        """Waits for the oldest part and gives its result, with those after it that are there.

        Raises:
            ClusterError: A part was lost too often, or there is no worker any more.
        """
        alone_since = None
        while True:
            ready = list(takewhile(lambda one: one.future.status == "finished", self.out))
            try:
                if ready:
                    results = self.client.gather([one.future for one in ready])
                    for _ in ready:
                        self.out.popleft()
                    return list(results)
                self.out[0].future.result(timeout=_LOOK_SECONDS)
            except TimeoutError:
                alone_since = self._look_for_workers(alone_since)
            except CancelledError as error:
                self._send_again(error)
            except KilledWorker as error:
                raise _explain_loss(self.out[0].label, error) from error
            self._raise_first_error()

    def cancel(self) -> None:
        """Takes back what is out; what a worker has begun comes to files that nobody names."""
        futures = [one.future for one in self.out]
        self.out.clear()
        if self.client.status == "running":
            self.client.cancel([*futures, self.function], force=True)

    def _send_function(self) -> None:
        # A task of its own: each worker fetches the bytes once, and they are made again when the
        # worker that has them is lost.
        self.function = self.client.submit(
            bytes, self.packed, key=f"adlake-function-{secrets.token_hex(4)}", pure=False
        )

    def _submit(self, label: str, data: bytes) -> Any:
        self.sent += 1
        key = f"{label.replace(' ', '-')}-{self.run}-{self.sent}"
        return self.client.submit(_work, self.function, data, key=key, pure=False)

    def _look_for_workers(self, alone_since: float | None) -> float | None:
        """Since when there is no worker; None where there is one."""
        if self.client.status == "running" and self.client.scheduler_info(n_workers=1)["workers"]:
            return None
        now = time.monotonic()
        if alone_since is not None and now - alone_since > PATIENCE_SECONDS:
            raise ClusterError(
                f"{self.out[0].label} was not worked on: the cluster has had no worker for "
                f"{PATIENCE_SECONDS} seconds; see to its scheduler and workers, and run again"
            )
        return alone_since or now

    def _raise_first_error(self) -> None:
        """Ends the map by the error of a younger part, rather than waiting for the oldest."""
        for one in self.out:
            if one.future.status == "error":
                error = one.future.exception()
                if isinstance(error, KilledWorker):
                    raise _explain_loss(one.label, error) from error
                raise error

    def _send_again(self, error: BaseException) -> None:
        """Sends out again what the scheduler forgot, once it is back."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.client.status != "running" and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS / 4)
        lost = list(self.out)
        if self.client.status != "running" or lost[0].tries >= TRIES:
            raise ClusterError(
                f"{lost[0].label} was lost with the cluster's scheduler, in {lost[0].tries} tries: "
                f"see to the scheduler, and run again; what was committed stands"
            ) from error
        self.out.clear()
        self._send_function()
        for one in lost:
            if one.future.status == "finished":
                self.out.append(one)
            else:
                self.send(one.label, one.data, tries=one.tries + 1)


def pack(item: object) -> bytes:
    """The bytes of what is sent to a worker.

    Raises:
        AssertionError: They hold a secret.
    """
    data = pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
    if holds_secret(data):
        raise AssertionError("a task would carry a secret to a worker")
    return data


def _work(function: bytes, part: bytes) -> object:
    """Works on one part, on a worker."""
    # Dask's workers are daemons, which may have no children; those of `map_isolated` end with
    # the process that they work for, whatever it dies of.
    multiprocessing.current_process().daemon = False
    try:
        return pickle.loads(function)(pickle.loads(part))  # noqa: S301 - Dask's own way of tasks
    except AdlakeError as error:
        # The worker's secrets may be others than the caller's, who could not hide them.
        error.args = tuple(scrub(one) if isinstance(one, str) else one for one in error.args)
        raise


def _explain_loss(label: str, error: KilledWorker) -> ClusterError:
    last = getattr(error.last_worker, "address", "")
    return ClusterError(
        f"{label}: {error.allowed_failures + 1} workers died while they worked on it, the last one "
        f"at {last}; expected one to finish it: give the workers more memory, or see in their "
        f"logs what ended them; nothing is lost, so run again"
    )
