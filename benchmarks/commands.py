"""The commands that the questions run, and the folders that they run on."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

ORIGINAL: Final = Path(__file__).parent / "original"


def adlake(*arguments: str | Path) -> list[str]:
    """The project's own command."""
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


def original(script: str, *arguments: str | Path) -> list[str]:
    """One of the original program's scripts."""
    return [sys.executable, str(ORIGINAL / f"{script}.py"), *map(str, arguments)]


def python(code: str, *arguments: str | Path) -> list[str]:
    """A line of Python with its `sys.argv[1:]`."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def empty(folder: Path) -> Callable[[], None]:
    """What removes a folder that an earlier run may have left."""
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def link(source: Path, target: Path) -> Callable[[], None]:
    """What gives a folder the files of another, none of which a run may change."""

    def prepare() -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, copy_function=os.link)

    return prepare


def expect_lines(path: Path, lines: int) -> Callable[[], None]:
    """What checks that a text file has so many lines."""

    def check() -> None:
        with path.open("rb") as file:
            found = sum(1 for _ in file)
        assert found == lines, f"{path.name} has {found} lines; expected {lines}"

    return check
