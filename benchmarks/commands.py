"""The commands that the questions run, and the folders that they run on."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from benchmarks.harness import Case
from pipeline.lake import Lake
from pipeline.storage import open_storage


def adlake(*arguments: str | Path) -> list[str]:
    """The project's own command."""
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


def original(script: str, *arguments: str | Path) -> list[str]:
    """One of the original program's scripts."""
    return [sys.executable, "-m", f"benchmarks.original.{script}", *map(str, arguments)]


TIMED: Final = """
import time
wall, cpu = time.perf_counter(), time.process_time()
{code}
print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def timed(before: str, code: str) -> str:
    """Python that measures only its second part, for a case that is measured inside."""
    return before + TIMED.format(code=code)


def python(code: str, *arguments: str | Path) -> list[str]:
    """A line of Python with its `sys.argv[1:]`."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def inside(name: str, rows: int, code: str, *arguments: str | Path) -> Case:
    """A case that is measured inside: a line of Python that changes nothing."""
    return Case(
        name=f"{name}, measured inside",
        rows=rows,
        commands=[python(code, *arguments)],
        prepare=lambda: None,
        check=lambda: None,
        inside=True,
    )


def empty(folder: Path) -> Callable[[], None]:
    """What removes a folder that an earlier run may have left."""
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def link(source: Path, target: Path) -> Callable[[], None]:
    """What gives a folder the files of another, none of which a run may change."""

    def prepare() -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, copy_function=os.link)

    return prepare


def expect_rows(lake: Path, rows: int) -> Callable[[], None]:
    """What checks that a lake's newest master has so many rows."""

    def check() -> None:
        found = sum(file.rows for file in Lake(open_storage(str(lake))).take_snapshot().files)
        assert found == rows, f"{lake.name} holds {found:,} rows; expected {rows:,}"

    return check


def expect_parquet(folder: Path, rows: int) -> Callable[[], None]:
    """What checks that the Parquet files below a folder have so many rows."""

    def check() -> None:
        found = sum(pq.read_metadata(file).num_rows for file in folder.rglob("*.parquet"))
        assert found == rows, f"{folder.name} holds {found:,} rows; expected {rows:,}"

    return check


def expect_lines(path: Path, lines: int) -> Callable[[], None]:
    """What checks that a text file has so many lines."""

    def check() -> None:
        with path.open("rb") as file:
            found = sum(1 for _ in file)
        assert found == lines, f"{path.name} has {found} lines; expected {lines}"

    return check
