"""Kills a command at a counted point of its work on files, so that no kill comes too late.

Python tells a process of each file that it is about to open, link or remove: the command runs
with a hook there, which counts and kills it, itself and no helper, as `kill -9` does.
"""

import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Trap(NamedTuple):
    """A point of a command's work.

    Attributes:
        event: What is about to be done: `open`, `os.link`; see `sys.addaudithook`.
        path: Regular expression, searched for in the paths that it is done with.
        number: The how manieth of these, from 1 on.
        after: Whether it is let happen, and the next thing that is done is not.
    """

    event: str
    path: str
    number: int = 1
    after: bool = False


LINKS = (
    *(r"/master/[^_].*\.parquet$", r"/master/_delta_log/\d+\.json$"),
    *(r"/ledger/[^_].*\.parquet$", r"/ledger/_delta_log/\d+\.json$"),
)
"""What each merge that has something to merge gives a name to: data, account, and two commits."""

OPENED = 24
"""Files of the lake that each such merge opens before it writes one, at the least."""


def draw_trap(dice: random.Random, root: Path) -> Trap:
    """A point that a merge passes in whatever it finds to do: while it reads, or as it writes."""
    if dice.random() < 0.25:
        return Trap("open", f"^{re.escape(str(root))}/", dice.randint(1, OPENED))
    return Trap("os.link", dice.choice(LINKS), after=dice.random() < 0.5)


def run_into(trap: Trap, *words: str) -> int:
    """Runs a command into a trap, and returns its exit code: -9 where it died there."""
    event, path, number, after = trap
    command = [sys.executable, "-m", "tests.steps.trap", event, path, str(number), str(int(after))]
    environ = {**os.environ, "ADLAKE_QUIET": "0"}
    done = subprocess.run([*command, *words], env=environ, capture_output=True, check=False)
    return done.returncode


def set_trap(trap: Trap) -> None:
    """Lets this process die at that point."""
    left = trap.number
    pattern = re.compile(trap.path)

    def look(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event == "os.kill":
            return  # the end
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if event == trap.event and any(pattern.search(str(one)) for one in arguments):
            left -= 1
            if left == 0 and not trap.after:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


def main() -> None:
    """Runs `adlake` with the words behind those of the trap."""
    event, path, number, after, *words = sys.argv[1:]
    from pipeline.cli import main as run

    set_trap(Trap(event, path, int(number), after=after == "1"))
    sys.argv = ["adlake", *words]
    run()


if __name__ == "__main__":
    main()
