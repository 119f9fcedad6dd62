"""What the workers of a cluster share while a step runs: files in a hidden folder of the lake.

Workers and caller have no disk in common, only the lake. So what one part leaves for another, or
for the caller, lies there as a file that nothing lists, and goes at the end of the step; what a
step that was killed left behind, `adlake vacuum` clears.

On this machine no part leaves its machine, and files stay where they were made.
"""

import contextlib
import functools
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pipeline.engine import Engine
from pipeline.errors import ClusterError, MissingError
from pipeline.lake import STAGING, Lake

Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file that a worker left in the lake for others.

    Attributes:
        lake: The lake.
        key: Where it is.
    """

    lake: Lake = field(compare=False)  # loaded with each result, so never the same object twice
    key: str

    def fetch(self) -> Path:
        """A local file with its bytes."""
        return self.lake.storage.fetch(self.key)


Spooled = Path | StagedFile
"""An intermediate file: here, or where the workers of a cluster share it."""


def fetch_spooled(files: Iterable[Spooled]) -> list[Path]:
    """Local files with the bytes of intermediate ones, in their order."""
    return [file if isinstance(file, Path) else file.fetch() for file in files]


@dataclass(frozen=True, slots=True)
class Staging:
    """Where and how the parts of one step are worked on.

    Attributes:
        lake: The lake.
        engine: What works on them.
        folder: Key of the folder that workers share; '' where they are threads of this process.
    """

    lake: Lake
    engine: Engine
    folder: str = ""

    def map(
        self,
        function: Callable[[Part], Result],
        parts: Iterable[Part],
        *,
        label: Callable[[Part], str],
        lanes: int = 1,
    ) -> Generator[Result, None, None]:
        """As `Engine.map`; a worker begins only when it has seen that its lake is the caller's."""
        if self.folder:
            function = _AtLake(function, self.lake, _name_probe(self.folder))
        return self.engine.map(function, parts, label=label, lanes=lanes)

    def drop(self, file: Spooled) -> None:
        """Deletes an intermediate file that nobody needs any more, before the step ends."""
        if isinstance(file, StagedFile):
            self.lake.storage.delete(file.key)
        else:
            file.unlink()


def share_file(lake: Lake, folder: str, local: Path) -> Spooled:
    """Leaves a finished local file to others, packed; it may vanish here.

    A part that is worked on twice leaves two files, and only one of them is in a result.

    Args:
        lake: The lake.
        folder: As in `Staging`; where it is '', the file stays what it is.
        local: An Arrow IPC file.
    """
    if not folder:
        return local
    import polars as pl  # noqa: PLC0415 - a third of a second that the generator has no use for

    name = f"{local.name}-{secrets.token_hex(8)}"
    packed = local.with_name(name)
    pl.read_ipc(local).write_ipc(packed, compression="lz4")
    local.unlink()
    key = f"{folder}/{name}"
    lake.storage.adopt(key, packed)
    return StagedFile(lake, key)


@contextlib.contextmanager
def open_staging(lake: Lake, engine: Engine) -> Iterator[Staging]:
    """Prepares a lake for the parts of a step; clears away what they leave.

    Raises:
        StorageError: The lake cannot be written.
    """
    if not engine.is_remote:
        yield Staging(lake, engine)
        return
    folder = f"{STAGING}/{secrets.token_hex(8)}"
    lake.storage.create(_name_probe(folder), b"adlake")
    try:
        yield Staging(lake, engine, folder)
    finally:
        for entry in lake.storage.list(folder):
            lake.storage.delete(entry.path)


@dataclass(frozen=True, slots=True)
class _AtLake(Generic[Part, Result]):
    """Calls a function on a worker that sees the caller's lake."""

    function: Callable[[Part], Result]
    lake: Lake
    probe: str

    def __call__(self, part: Part) -> Result:
        _look_for(self.lake.uri, self.probe)
        return self.function(part)


@functools.lru_cache(maxsize=64)
def _look_for(uri: str, probe: str) -> None:
    """Looks once in each process whether the lake that it sees is the caller's.

    Raises:
        ClusterError: It is not.
    """
    try:
        Lake.reopen(uri).storage.read(probe)
    except MissingError as error:
        raise ClusterError(
            f"a worker sees another {uri} than this machine does: expected a folder that all "
            f"machines share, or a bucket behind the same AWS_ENDPOINT_URL"
        ) from error


def _name_probe(folder: str) -> str:
    return f"{folder}/seen"
