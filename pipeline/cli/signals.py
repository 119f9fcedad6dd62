"""Ends a command that is told to end, so that what is unfinished is cleared away first."""

import signal
import sys
from types import FrameType

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM

_came: list[int] = []
"""The signals that have come, as what they raise can get lost."""


def end_by_signals() -> None:
    """Lets SIGINT raise KeyboardInterrupt and SIGTERM raise SystemExit, unless they are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def find_exit_code() -> int | None:
    """The exit code of the signal that has come first, 128 and its number; None: none has."""
    return 128 + _came[0] if _came else None


def _end(number: int, _frame: FrameType | None) -> None:
    _came.append(number)
    if number == signal.SIGTERM:
        sys.exit(EXIT_TERMINATED)
    raise KeyboardInterrupt
