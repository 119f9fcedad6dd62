"""Ends a command that is told to end, so that what is unfinished is cleared away first."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM

_came: list[int] = []
"""The signals that have come, as what they raise can get lost."""


def end_at_once() -> None:
    """Lets SIGINT and SIGTERM end the process where it is, unless they are ignored.

    That is for the program's start, when nothing is to be cleared away: what a handler raises in
    the midst of an import can get lost, or be taken for a fault of what is imported.
    """
    _handle(_exit)


def end_by_signals() -> None:
    """Lets SIGINT raise KeyboardInterrupt and SIGTERM raise SystemExit, unless they are ignored."""
    _handle(_end)


def find_exit_code() -> int | None:
    """The exit code of the signal that has come first, 128 and its number; None: none has."""
    return 128 + _came[0] if _came else None


def leave(code: int) -> NoReturn:
    """Ends an interrupted process as it is, once what it wrote is out.

    An interrupted statement's threads may still be at work, and would crash where Python is taken
    down under them.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # whoever read it may be gone as well
            stream.flush()
    os._exit(code)


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def _exit(number: int, _frame: FrameType | None) -> None:
    os.write(2, b"adlake: interrupted; nothing was begun\n")
    os._exit(128 + number)


def _end(number: int, _frame: FrameType | None) -> None:
    _came.append(number)
    if number == signal.SIGTERM:
        sys.exit(EXIT_TERMINATED)
    raise KeyboardInterrupt
