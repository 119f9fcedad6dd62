"""Runs a statement so that a person can end it at any time."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from types import FrameType
from typing import TypeVar

import duckdb

Result = TypeVar("Result")


class HeldInterrupts:
    """Lets SIGINT and SIGTERM wait, from now until `release`.

    What one raises in the midst of an import can get lost there and leave Python's lock of imports
    taken: then no other thread can ever import again, and the engine's has to. To block the signal
    would not do, as any other thread may take it then.
    """

    def __init__(self) -> None:
        self._came: list[int] = []
        self._before = {
            number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)

    def release(self) -> None:
        """Lets the signals do again what they did before; may be called twice.

        Raises:
            BaseException: What the handler of one raises that came meanwhile.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._came:
            came, self._came = self._came[0], []
            signal.raise_signal(came)


@contextlib.contextmanager
def hold_interrupts() -> Iterator[HeldInterrupts]:
    """Lets SIGINT and SIGTERM wait until the block ends, or `run_interruptible` waits in it."""
    held = HeldInterrupts()
    try:
        yield held
    finally:
        held.release()


def run_interruptible(
    connection: duckdb.DuckDBPyConnection,
    function: Callable[[], Result],
    *,
    held: HeldInterrupts | None = None,
) -> Result:
    """Calls a function that uses the connection; a signal's exception ends both.

    The engine looks at no signals while it makes the rows of a stream, so it works in a thread of
    its own, and this one waits for the signal.

    Args:
        connection: The connection.
        function: Is called in a thread of its own.
        held: What is released as soon as a signal can end both.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="adlake-query") as pool:
        running = pool.submit(function)
        try:
            if held is not None:
                held.release()
            # In short waits: a signal that another thread takes wakes nobody.
            while not running.done():
                wait([running], timeout=0.1)
            return running.result()
        except BaseException:
            # Until it has ended: the statement may not have begun when the signal came.
            while not running.done():
                connection.interrupt()
                wait([running], timeout=0.05)
            raise
