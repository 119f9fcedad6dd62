"""Progress bars on stderr, where that is a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Bars:
    """The bars of one command; a bar appears with its first step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def counter(self, name: str, *, total: int | None, unit: str) -> Callable[[int], None]:
        """A function to call with how many more of a unit are done."""
        task = self._progress.add_task(name, total=total, visible=False, unit=unit, rate="")

        def advance(count: int) -> None:
            self._progress.update(task, advance=count, visible=True)
            speed = self._progress.tasks[task].speed
            if speed:
                self._progress.update(task, rate=f"{speed:,.0f} {unit}/s")

        return advance


@contextlib.contextmanager
def show_progress() -> Iterator[Bars]:
    """Shows bars while the block runs, and takes them away at its end."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with progress:
        yield Bars(progress)
