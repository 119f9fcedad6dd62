"""Runs a statement so that a person can end it at any time."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import duckdb

Result = TypeVar("Result")


@contextlib.contextmanager
def hold_interrupts() -> Iterator[None]:
    """Lets a Ctrl-C wait until the block ends, or until `run_interruptible` waits in it.

    One that comes in the midst of an import can get lost there and leave Python's lock of imports
    taken: then no other thread can ever import again, and the engine's has to.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_interruptible(
    connection: duckdb.DuckDBPyConnection, function: Callable[[], Result]
) -> Result:
    """Calls a function that uses the connection; a signal's exception ends both.

    The engine looks at no signals while it makes the rows of a stream, so it works in a thread of
    its own, and this one waits for the signal.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="adlake-query") as pool:
        running = pool.submit(function)
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            return running.result()
        except BaseException:
            # Until it has ended: the statement may not have begun when the signal came.
            while not running.done():
                connection.interrupt()
                wait([running], timeout=0.05)
            raise
