"""The connection to a Dask scheduler: made, looked at, and made again where it was lost."""

import contextlib
import functools
import logging
import pkgutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from operator import itemgetter
from typing import Any, Final

from distributed import Client
from distributed.client import ClosedClientError

from pipeline import __version__
from pipeline.errors import ClusterError

CONNECT_SECONDS: Final = 15
"""How long a scheduler may take to answer."""

PATIENCE_SECONDS: Final = 60
"""How long there may be no scheduler, or no worker at all, before a run gives up."""

LOST: Final = (ClosedClientError, OSError)
"""What Dask raises where the connection is gone; its own errors of a comm are an OSError."""

_ANSWER_SECONDS: Final = 5
_LOOK_SECONDS: Final = 0.25

_SAME: Final = ("pyarrow", "polars", "numpy")
"""What the bytes of a file depend on beside adlake itself."""

_new_client: Final[Callable[..., Any]] = Client  # it ships without annotations


@dataclass(slots=True)
class Link:
    """A connection to a scheduler with workers of this adlake.

    Attributes:
        address: Of the scheduler.
        is_inside: Whether the scheduler lives in this process: one that is gone stays gone.
        client: Dask's own; another one after `renew`.
        alone_since: When it was first seen that there is no worker; None while there is one.
    """

    address: str
    is_inside: bool
    client: Any
    alone_since: float | None = None

    @property
    def is_up(self) -> bool:
        """Whether the scheduler can be asked."""
        return bool(self.client.status == "running")

    @property
    def is_over(self) -> bool:
        """Whether the client has given up to connect again: it never will."""
        return self.client.status in {"closing", "closed"}

    def count_threads(self) -> int:
        """Those of all workers; 0 where the scheduler says nothing, or not soon."""
        if not self.is_up:
            return 0
        try:
            return sum(self.client.nthreads(callback_timeout=_ANSWER_SECONDS).values())
        except LOST:
            return 0

    def watch(self) -> int:
        """As `count_threads`; whoever calls it now and then does not wait for ever.

        Raises:
            ClusterError: There has been none for too long.
        """
        threads = self.count_threads()
        if threads:
            self.alone_since = None
        elif self.alone_since is None:
            self.alone_since = time.monotonic()
        elif time.monotonic() - self.alone_since > PATIENCE_SECONDS:
            raise ClusterError(
                f"the cluster has had no worker for {PATIENCE_SECONDS} seconds; see to its "
                f"scheduler and workers"
            )
        return threads

    def renew(self) -> None:
        """Waits for a scheduler that comes back, and for its workers.

        A client waits only as long for a scheduler that went as for one that it never met, and
        then closes for good: another one takes its place.

        Raises:
            ClusterError: The scheduler did not come back in time, or without workers of use.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        said = f"come back in {PATIENCE_SECONDS} seconds"
        while True:
            self._await_scheduler(end, said)
            try:
                _look_at(self.client, self.address)
            except LOST as error:  # it is gone again
                if time.monotonic() > end:
                    raise _say_gone(self.address, said, error) from error
            else:
                self.alone_since = None
                return

    def _await_scheduler(self, end: float, said: str) -> None:
        while not self.is_up and not self.is_over and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)
        if self.is_up:
            return
        if self.is_inside:
            raise ClusterError(f"the scheduler at {self.address} ended with its cluster")
        self.client.close()
        self.client = _connect(self.address, max(1.0, end - time.monotonic()), said)

    def close(self) -> None:
        """Ends it."""
        self.client.close()


def open_link(address: str, *, is_inside: bool) -> Link:
    """Connects to a scheduler.

    Raises:
        ClusterError: It cannot be reached, or has no workers of this adlake.
    """
    silence()
    said = f"answer in {CONNECT_SECONDS} seconds"
    link = Link(address, is_inside, _connect(address, CONNECT_SECONDS, said))
    with contextlib.ExitStack() as stack:
        stack.callback(link.close)
        try:
            _look_at(link.client, address)
        except LOST as error:
            raise _say_gone(address, "stay", error) from error
        stack.pop_all()
    return link


def silence() -> None:
    """Keeps Dask's loggers quiet: what matters is in our errors.

    Some of them have a level and a handler of their own, which no level of `distributed` reaches.
    """
    known = [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]
    for name in ("distributed", *known):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _connect(address: str, seconds: float, said: str) -> Any:
    try:
        return _new_client(address, timeout=seconds, name="adlake", set_as_default=False)
    except (OSError, ValueError) as error:
        raise _say_gone(address, said, error) from error


def _say_gone(address: str, said: str, error: Exception) -> ClusterError:
    return ClusterError(
        f"the scheduler at {address} did not {said} ({error}): start it with `dask scheduler`, or "
        f"see to the address and the network"
    )


def _look_at(client: Any, address: str) -> None:
    """Sees that a cluster is of use.

    Raises:
        ClusterError: It has no workers, or they are of another adlake.
        ClosedClientError: The connection was lost meanwhile.
        OSError: Likewise.
    """
    try:
        client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
    except TimeoutError as error:
        raise ClusterError(
            f"the scheduler at {address} has no worker after {PATIENCE_SECONDS} seconds; expected "
            f"at least one: start some with `dask worker {address}`"
        ) from error
    _check_versions(client)


def _check_versions(client: Any) -> None:
    """Refuses workers on which the same part could come to other bytes.

    Those that join later are looked at by `refuse_other`, with their first part.

    Raises:
        ClusterError: As said.
    """
    # By names that also a worker without adlake knows.
    answers = {
        "adlake": client.run(pkgutil.resolve_name, "pipeline:__version__", on_error="return")
    }
    answers |= {one: client.run(version, one, on_error="return") for one in _SAME}
    expected = list_versions()
    for package, found in answers.items():
        # One that is gone meanwhile answers with an OSError, and does no part.
        wrong = {
            worker: one
            for worker, one in found.items()
            if one != expected[package] and not isinstance(one, OSError)
        }
        if wrong:
            worker, one = min(wrong.items(), key=itemgetter(0))
            more = f", and so or likewise have {len(wrong) - 1:,} more"
            raise _explain_other(worker, package, one, expected[package], more)


def list_versions() -> dict[str, str]:
    """What the bytes of a file depend on, here: by the name of the package."""
    # By their metadata, as to import them would take longer than all else here.
    return {"adlake": __version__, **{package: version(package) for package in _SAME}}


@functools.lru_cache(maxsize=16)
def refuse_other(worker: str, expected: tuple[tuple[str, str], ...]) -> None:
    """Refuses, on a worker, to do the work of a caller that has other versions.

    Args:
        worker: Its address.
        expected: The caller's `list_versions`.

    Raises:
        ClusterError: As said.
    """
    found = list_versions()
    for package, one in expected:
        if found.get(package) != one:
            raise _explain_other(worker, package, found.get(package), one, "")


def _explain_other(
    worker: str, package: str, found: object, expected: str, more: str
) -> ClusterError:
    has = f"has {package} {found}" if isinstance(found, str) else f"has no {package} ({found})"
    return ClusterError(
        f"the worker at {worker} {has}{more}; expected {package} {expected} as here: install the "
        f"same on all workers"
    )
