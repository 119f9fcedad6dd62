"""Where finished files go: a folder of this machine, or the lake's exports/."""

import contextlib
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from pipeline.errors import DeniedError, StorageError
from pipeline.lake import EXPORTS
from pipeline.storage import Storage

_LOT: Final = re.compile(r"marketing_data_[0-9]+\.csv")


class Target(Protocol):
    """A place for finished files."""

    def open_workspace(self) -> contextlib.AbstractContextManager[Path]:
        """A local folder for unfinished files, removed at the end."""

    def publish(self, finished: Path) -> None:
        """Puts a finished file in place under its own name, instead of one that is there.

        A reader sees all of the old file or all of the new one. `finished` may vanish.
        """

    def list_lots(self) -> Sequence[str]:
        """Full names of the lots that are there."""


class FolderTarget:
    """A folder of this machine, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()

    @contextlib.contextmanager
    def open_workspace(self) -> Iterator[Path]:
        """As `Target` says."""
        with _mapped(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            # Inside the folder, so that a finished file takes its name by one rename.
            workspace = Path(tempfile.mkdtemp(prefix=".adlake-export-", dir=self._folder))
        try:
            with _mapped(self._folder):
                yield workspace
        finally:
            shutil.rmtree(workspace, ignore_errors=True)

    def publish(self, finished: Path) -> None:
        """As `Target` says; where `finished` is in the workspace, by a rename."""
        target = self._folder / finished.name
        with _mapped(self._folder):
            if finished.parent.parent == self._folder:
                finished.replace(target)
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            copy = self._folder / f".adlake-export-{secrets.token_hex(8)}"
            try:
                shutil.copyfile(finished, copy)
                copy.replace(target)
            finally:
                copy.unlink(missing_ok=True)

    def list_lots(self) -> Sequence[str]:
        """As `Target` says."""
        with _mapped(self._folder):
            return sorted(
                str(entry) for entry in self._folder.iterdir() if _LOT.fullmatch(entry.name)
            )


class LakeTarget:
    """The lake's exports/, or a folder below it."""

    def __init__(self, storage: Storage, folder: str = "") -> None:
        self._storage = storage
        self._folder = f"{EXPORTS}/{folder}" if folder else EXPORTS

    @contextlib.contextmanager
    def open_workspace(self) -> Iterator[Path]:
        """As `Target` says."""
        with _mapped(self._storage.uri), self._storage.scratch() as workspace:
            yield workspace

    def publish(self, finished: Path) -> None:
        """As `Target` says."""
        # The storage replaces by bytes only, so for a moment one file is in memory.
        self._storage.overwrite(f"{self._folder}/{finished.name}", finished.read_bytes())

    def list_lots(self) -> Sequence[str]:
        """As `Target` says."""
        names = (entry.path for entry in self._storage.list(self._folder))
        return [
            f"{self._storage.uri}/{name}"
            for name in names
            if _LOT.fullmatch(name.removeprefix(f"{self._folder}/"))
        ]


@contextlib.contextmanager
def _mapped(folder: Path | str) -> Iterator[None]:
    """Turns the operating system's errors into ours, with the folder that they are about."""
    try:
        yield
    except PermissionError as error:
        raise DeniedError(f"{folder}: cannot be written: permission denied") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{folder}: cannot be written: {reason}") from error
