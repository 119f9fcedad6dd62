"""Runs a statement so that a person can end it at any time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import duckdb

Result = TypeVar("Result")


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
            return running.result()
        except BaseException:
            # Until it has ended: the statement may not have begun when the signal came.
            while not running.done():
                connection.interrupt()
                wait([running], timeout=0.05)
            raise
