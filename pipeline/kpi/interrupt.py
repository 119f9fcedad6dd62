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
    """Lets a Ctrl-C wait, from now until `release`.

    One that comes in the midst of an import can get lost there and leave Python's lock of imports
    taken: then no other thread can ever import again, and the engine's has to. To block the signal
    would not do, as any other thread may take it then.
    """

    def __init__(self) -> None:
        self._came = False
        self._before = signal.signal(signal.SIGINT, self._note)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        self._came = True

    def release(self) -> None:
        """Lets a Ctrl-C do again what it did before; may be called twice.

        Raises:
            KeyboardInterrupt: One came meanwhile.
        """
        signal.signal(signal.SIGINT, self._before)
        if self._came:
            self._came = False
            raise KeyboardInterrupt


@contextlib.contextmanager
def hold_interrupts() -> Iterator[HeldInterrupts]:
    """Lets a Ctrl-C wait until the block ends, or until `run_interruptible` waits in it."""
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
        held: What is released as soon as a Ctrl-C can end both.
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
