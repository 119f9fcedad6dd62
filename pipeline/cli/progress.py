"""Progress bars on stderr, where that is a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Bars:
    """The bars of one command; a bar appears with its first step."""

    def __init__(self, progress: "Progress | None") -> None:
        self._progress = progress

    def counter(self, name: str, *, total: int | None, unit: str) -> Callable[[int], None] | None:
        """A function to call with how many more of a unit are done, where bars are shown."""
        progress = self._progress
        if progress is None:
            return None
        task = progress.add_task(name, total=total, visible=False, unit=unit, rate="")

        def advance(count: int) -> None:
            progress.update(task, advance=count, visible=True)
            if speed := progress.tasks[task].speed:
                progress.update(task, rate=f"{speed:,.0f} {unit}/s")

        return advance


@contextlib.contextmanager
def show_progress() -> Iterator[Bars]:
    """Shows bars while the block runs, and takes them away at its end."""
    if not sys.stderr.isatty():
        yield Bars(None)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        yield Bars(progress)
