"""Parts on their way through a Dask cluster: out in a bounded window, back in order.

What is sent is pickled here, so that it can be looked at: a task is two texts of bytes, the
function (sent once) and the part. Workers import the function by name from their own adlake, and
reach the lake with credentials of their own.
"""

import contextlib
import multiprocessing
import pickle
import secrets
import time
from collections import deque
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from distributed import get_worker
from distributed.client import ClosedClientError
from distributed.scheduler import KilledWorker

from pipeline.engine.dask_link import LOST, Link, list_versions, refuse_other
from pipeline.errors import AdlakeError, ClusterError
from pipeline.secret import holds_secret, scrub

TRIES: Final = 4
"""How often a part is sent out that the scheduler forgot, as one that restarts does."""

PARTS_A_THREAD: Final = 4
LEAST_WINDOW: Final = 16
"""So many parts are out at once, at least, or `PARTS_A_THREAD` for each thread of the cluster."""

_LOOK_SECONDS: Final = 1.0
_STANDS: Final = "; what was committed stands, so run again"


@dataclass(slots=True)
class _Sent:
    """A part that is out."""

    label: str
    data: bytes
    future: Any = None
    tries: int = 0

    @property
    def status(self) -> str:
        """As Dask calls it; '' where the part could not be sent."""
        return self.future.status if self.future is not None else ""


class DaskMap:
    """One map: what of it is out, oldest first."""

    def __init__(self, link: Link, function: bytes) -> None:
        self.link = link
        self.run = secrets.token_hex(4)
        self.sent = 0
        self.out: deque[_Sent] = deque()
        self.packed = function
        self.function: Any = None
        self.versions = tuple(list_versions().items())
        self.looked = time.monotonic()
        self.window = _size_window(link.count_threads())

    def send(self, label: str, data: bytes) -> None:
        """Sends a part out; one that cannot go is out nevertheless, and `take` sends it again."""
        sent = _Sent(label, data)
        self.out.append(sent)
        with contextlib.suppress(*LOST):
            self._submit(sent)

    def take(self) -> list[Any]:
        """Waits for the oldest part and gives its result, with those after it that are there.

        Raises:
            ClusterError: A part was lost too often, or there is no scheduler or worker any more.
        """
        while True:
            try:
                self._look_around()
                if results := self._gather():
                    return results
                self._raise_first_error()
            except KilledWorker as error:
                raise _explain_loss(self.out[0].label, error) from error
            except (CancelledError, *LOST) as error:  # no part's: `_work` lets out no OSError
                self._send_again(error)

    def _gather(self) -> list[Any]:
        """The results of the oldest parts that are done; none where there is none for a while."""
        oldest = self.out[0]
        if self.link.is_over or oldest.future is None:
            raise ClosedClientError
        ready = list(takewhile(lambda one: one.status == "finished", self.out))
        if ready:
            results = self.link.client.gather([one.future for one in ready])
            for _ in ready:
                self.out.popleft()
            return list(results)
        with contextlib.suppress(TimeoutError):
            oldest.future.result(timeout=_LOOK_SECONDS)
        return []

    def cancel(self) -> None:
        """Takes back what is out; what a worker has begun comes to files that nobody names."""
        futures = [one.future for one in self.out if one.future is not None]
        self.out.clear()
        if self.function is not None and self.link.count_threads():
            self.link.client.cancel([*futures, self.function], force=True)

    def _submit(self, sent: _Sent) -> None:
        self.sent += 1
        sent.tries += 1
        if self.function is None:
            # A task of its own: each worker fetches the bytes once, and they are made again when
            # the worker that has them is lost.
            self.function = self.link.client.submit(
                bytes, self.packed, key=f"adlake-function-{secrets.token_hex(4)}", pure=False
            )
        key = f"{sent.label.replace(' ', '-')}-{self.run}-{self.sent}"
        sent.future = self.link.client.submit(
            _work, self.function, self.versions, sent.data, key=key, pure=False
        )

    def _look_around(self) -> None:
        """Sees now and then how many workers there are.

        Raises:
            ClusterError: There has been none for too long.
        """
        if time.monotonic() - self.looked < _LOOK_SECONDS:
            return
        try:
            self.window = _size_window(self.link.watch())
        except ClusterError as error:
            raise ClusterError(
                f"{self.out[0].label} was not worked on: {error}{_STANDS}"
            ) from error
        self.looked = time.monotonic()

    def _raise_first_error(self) -> None:
        """Ends the map by the error of a younger part, rather than waiting for the oldest."""
        for one in self.out:
            if one.status == "error":
                error = one.future.exception()
                if isinstance(error, KilledWorker):
                    raise _explain_loss(one.label, error) from error
                raise error

    def _send_again(self, error: BaseException) -> None:
        """Sends out again what the scheduler forgot, once it is back."""
        oldest = self.out[0]
        lost = f"{oldest.label} was lost with the cluster's scheduler"
        if oldest.tries >= TRIES:
            raise ClusterError(
                f"{lost}, in {oldest.tries} tries: see to the scheduler{_STANDS}"
            ) from error
        try:
            self.link.renew()
        except ClusterError as gone:
            raise ClusterError(f"{lost}: {gone}{_STANDS}") from error
        self.function = None
        for one in self.out:
            one.future = None
        with contextlib.suppress(*LOST):  # then it is seen at the next look
            for one in self.out:
                self._submit(one)


def _size_window(threads: int) -> int:
    return max(LEAST_WINDOW, PARTS_A_THREAD * threads)


def pack(item: object) -> bytes:
    """The bytes of what is sent to a worker.

    Raises:
        AssertionError: They hold a secret.
    """
    data = pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
    if holds_secret(data):
        raise AssertionError("a task would carry a secret to a worker")
    return data


def _work(function: bytes, versions: tuple[tuple[str, str], ...], part: bytes) -> object:
    """Works on one part, on a worker.

    Raises:
        ClusterError: The worker has other versions than the caller, or its machine failed.
    """
    address = get_worker().address
    refuse_other(address, versions)
    # Dask's workers are daemons, which may have no children; those of `map_isolated` end with
    # the process that they work for, whatever it dies of.
    multiprocessing.current_process().daemon = False
    try:
        return pickle.loads(function)(pickle.loads(part))  # noqa: S301 - Dask's own way of tasks
    except AdlakeError as error:
        # The worker's secrets may be others than the caller's, who could not hide them.
        error.args = tuple(scrub(one) if isinstance(one, str) else one for one in error.args)
        raise
    except OSError as error:
        raise ClusterError(
            f"the worker at {address} failed: {scrub(str(error))}; see to its machine, and run "
            f"again; nothing is lost"
        ) from None


def _explain_loss(label: str, error: KilledWorker) -> ClusterError:
    last = getattr(error.last_worker, "address", "")
    return ClusterError(
        f"{label}: {error.allowed_failures + 1} workers died while they worked on it, the last one "
        f"at {last}; expected one to finish it: give the workers more memory, or see in their "
        f"logs what ended them; nothing is lost, so run again"
    )
