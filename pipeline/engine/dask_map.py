"""Parts on their way through a Dask cluster: out in a bounded window, back in order.

What is sent is pickled here, so that it can be looked at: a task is two texts of bytes, the
function (sent once) and the part. Workers import the function by name from their own adlake, and
reach the lake with credentials of their own.
"""

import multiprocessing
import pickle
import secrets
import time
from collections import deque
from concurrent.futures import CancelledError
from itertools import takewhile
from typing import Any, Final, NamedTuple

from distributed.client import ClosedClientError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from pipeline.engine.dask_link import PATIENCE_SECONDS, Link
from pipeline.errors import AdlakeError, ClusterError
from pipeline.secret import holds_secret, scrub

TRIES: Final = 4
"""How often a part is sent out that the scheduler forgot, as one that restarts does."""

PARTS_A_THREAD: Final = 4
LEAST_WINDOW: Final = 16
"""So many parts are out at once, at least, or `PARTS_A_THREAD` for each thread of the cluster."""

_LOOK_SECONDS: Final = 1.0


class _Sent(NamedTuple):
    """A part that is out."""

    label: str
    data: bytes
    future: Any
    tries: int


class DaskMap:
    """One map: what of it is out, oldest first."""

    def __init__(self, link: Link, function: bytes) -> None:
        self.link = link
        self.run = secrets.token_hex(4)
        self.sent = 0
        self.out: deque[_Sent] = deque()
        self.alone_since: float | None = None
        self.packed = function
        self.function: Any = None
        self._send_function()
        threads = sum(link.client.nthreads().values())
        self.window = max(LEAST_WINDOW, PARTS_A_THREAD * threads)

    def send(self, label: str, data: bytes, *, tries: int = 1) -> None:
        """Sends a part out; one that cannot go is out nevertheless, and `take` sends it again."""
        try:
            future = self._submit(label, data)
        except ClosedClientError:
            future = None
        self.out.append(_Sent(label, data, future, tries))

    def take(self) -> list[Any]:
        """Waits for the oldest part and gives its result, with those after it that are there.

        Raises:
            ClusterError: A part was lost too often, or there is no scheduler or worker any more.
        """
        while True:
            try:
                if results := self._gather():
                    return results
            except KilledWorker as error:
                raise _explain_loss(self.out[0].label, error) from error
            except (CancelledError, ClosedClientError, CommClosedError) as error:
                self._send_again(error)
            except OSError as error:
                if self.link.is_up:
                    raise  # it is the part's
                self._send_again(error)
            self._raise_first_error()

    def _gather(self) -> list[Any]:
        """The results of the oldest parts that are done; none where there is none for a while."""
        if self.link.is_over:
            raise ClosedClientError
        ready = list(takewhile(lambda one: one.future.status == "finished", self.out))
        if ready:
            results = self.link.client.gather([one.future for one in ready])
            for _ in ready:
                self.out.popleft()
            return list(results)
        try:
            self.out[0].future.result(timeout=_LOOK_SECONDS)
        except TimeoutError:
            self._look_for_workers()
        return []

    def cancel(self) -> None:
        """Takes back what is out; what a worker has begun comes to files that nobody names."""
        futures = [one.future for one in self.out]
        self.out.clear()
        if self.link.is_up and self.function is not None:
            self.link.client.cancel([*futures, self.function], force=True)

    def _send_function(self) -> None:
        # A task of its own: each worker fetches the bytes once, and they are made again when the
        # worker that has them is lost.
        self.function = self.link.client.submit(
            bytes, self.packed, key=f"adlake-function-{secrets.token_hex(4)}", pure=False
        )

    def _submit(self, label: str, data: bytes) -> Any:
        self.sent += 1
        key = f"{label.replace(' ', '-')}-{self.run}-{self.sent}"
        return self.link.client.submit(_work, self.function, data, key=key, pure=False)

    def _look_for_workers(self) -> None:
        """Gives up where there has been none for too long.

        Raises:
            ClusterError: As said.
        """
        now = time.monotonic()
        if self.link.is_up and self.link.client.scheduler_info(n_workers=1)["workers"]:
            self.alone_since = None
        elif self.alone_since is None:
            self.alone_since = now
        elif now - self.alone_since > PATIENCE_SECONDS:
            raise ClusterError(
                f"{self.out[0].label} was not worked on: the cluster has had no worker for "
                f"{PATIENCE_SECONDS} seconds; see to its scheduler and workers, and run again"
            )

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
        lost = list(self.out)
        self.out.clear()
        self.function = None
        if lost[0].tries >= TRIES:
            raise ClusterError(
                f"{lost[0].label} was lost with the cluster's scheduler, in {lost[0].tries} tries: "
                f"see to the scheduler, and run again; what was committed stands"
            ) from error
        try:
            self.link.renew()
        except ClusterError as gone:
            raise ClusterError(
                f"{lost[0].label} was lost with the cluster's scheduler: {gone}; what was "
                f"committed stands, so run again"
            ) from error
        self.alone_since = None
        self._send_function()
        for one in lost:
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
