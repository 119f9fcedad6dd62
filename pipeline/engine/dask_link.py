"""The connection to a Dask scheduler: made, looked at, and made again where it was lost."""

import logging
import pkgutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from operator import itemgetter
from typing import Any, Final

from distributed import Client

from pipeline import __version__
from pipeline.errors import ClusterError

CONNECT_SECONDS: Final = 15
"""How long a scheduler may take to answer."""

PATIENCE_SECONDS: Final = 60
"""How long there may be no scheduler, or no worker at all, before a run gives up."""

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
    """

    address: str
    is_inside: bool
    client: Any

    @property
    def is_up(self) -> bool:
        """Whether the scheduler can be asked."""
        return bool(self.client.status == "running")

    @property
    def is_over(self) -> bool:
        """Whether the client has given up to connect again: it never will."""
        return self.client.status in {"closing", "closed"}

    def renew(self) -> None:
        """Waits for a scheduler that comes back, and for its workers.

        A client waits only as long for a scheduler that went as for one that it never met, and
        then closes for good: another one takes its place.

        Raises:
            ClusterError: The scheduler did not come back in time, or without workers of use.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        while not self.is_up and not self.is_over and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)
        if not self.is_up:
            if self.is_inside:
                raise ClusterError(f"the scheduler at {self.address} ended with its cluster")
            self.client.close()
            left = max(1.0, end - time.monotonic())
            self.client = _connect(self.address, left, f"come back in {PATIENCE_SECONDS} seconds")
        _look_at(self.client, self.address)

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
    try:
        _look_at(link.client, address)
    except BaseException:
        link.close()
        raise
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
        raise ClusterError(
            f"the scheduler at {address} did not {said} ({error}): start it with "
            f"`dask scheduler`, or see to the address and the network"
        ) from error


def _look_at(client: Any, address: str) -> None:
    """Sees that a cluster is of use.

    Raises:
        ClusterError: It has no workers, or they are of another adlake.
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
