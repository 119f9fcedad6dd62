"""What the steps need of whatever works on their parts, and the choice of it."""

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pipeline.engine.threads import map_threads

Part = TypeVar("Part")
Result = TypeVar("Result")


class Engine(Protocol):
    """Works on the parts of a step.

    Attributes:
        workers: How many threads of this machine may work at once, at least 1.
        is_remote: Whether parts are worked on elsewhere. Then the function, the parts and the
            results are pickled, so they hold no rows and no secrets, and what workers share are
            the files of the lake and nothing else. A part may be worked on more than once.
    """

    @property
    def workers(self) -> int:
        """As said above."""

    @property
    def is_remote(self) -> bool:
        """As said above."""

    def map(
        self,
        function: Callable[[Part], Result],
        parts: Iterable[Part],
        *,
        label: Callable[[Part], str],
        lanes: int = 1,
    ) -> Generator[Result, None, None]:
        """Yields `function(part)` in the order of `parts`.

        Parts are pulled as results are taken, at most some for each worker ahead of them; so
        whoever takes results knows how far the map is, and what waits fits into memory. The first
        error ends the map and is raised, and `close` ends it as well: parts not yet begun are left.

        Args:
            function: Gives the same for the same part, however often and wherever it is called.
            parts: What it is called with.
            label: What a part is called in messages.
            lanes: How many parts are worth working on at once on this machine, even where there
                are fewer workers, since they wait for a store.

        Raises:
            ClusterError: A part was lost too often, or the cluster was.
        """


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """This machine: parts are worked on in threads of this process."""

    workers: int = 1
    is_remote: bool = False

    def map(
        self,
        function: Callable[[Part], Result],
        parts: Iterable[Part],
        *,
        label: Callable[[Part], str],  # noqa: ARG002 - only a part that gets lost needs a name
        lanes: int = 1,
    ) -> Generator[Result, None, None]:
        """As `Engine` says."""
        return map_threads(function, parts, workers=max(self.workers, lanes))


@contextlib.contextmanager
def open_engine(cluster: str | None, *, workers: int) -> Iterator[Engine]:
    """This machine, or a Dask cluster where one is named.

    Args:
        cluster: `tcp://host:port` (or `tls://`) of a scheduler; `local:N` for a cluster of N
            processes of one thread on this machine, which ends with the context; None: no cluster.
        workers: How many threads of this machine may work at once, at least 1.

    Raises:
        UsageError: The cluster's name is none, or Dask is not installed.
        ClusterError: It cannot be reached, or its workers are of another adlake.
    """
    if cluster is None:
        yield LocalEngine(workers)
        return
    from pipeline.engine.cluster import open_cluster  # noqa: PLC0415 - Dask is an extra

    with open_cluster(cluster, workers=workers) as engine:
        yield engine
