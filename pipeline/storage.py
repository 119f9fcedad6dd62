"""The bytes of a lake: one verb a method, keys with `/` below one root.

There are three kinds of write: `create` fails where something is there already, `adopt` does the
same with a finished local file, `overwrite` replaces. Each is atomic: a reader sees all of a file
or none of it. Nothing here knows what the bytes mean.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from pipeline.errors import DeniedError, ExistsError, MissingError, StorageError, UsageError

_NOT_IN_A_ROOT = "?#%\\"
"""Delta's library takes a table's root for a URL, in which these mean something else."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(NamedTuple):
    """One thing found by a listing.

    Attributes:
        path: Key below the lake's root, with `/`.
        size: Bytes.
        etag: Changes when the content does; opaque.
        modified_at: Last write, UTC.
        regular: False for a link, device, pipe or the like, which nobody may open.
    """

    path: str
    size: int
    etag: str
    modified_at: datetime
    regular: bool = True


class Probe(NamedTuple):
    """One check of reach or rights.

    Attributes:
        check: What was tried.
        passed: Whether it worked.
        detail: What was found, or what to do.
    """

    check: str
    passed: bool
    detail: str


class Storage(Protocol):
    """What a lake needs of the place its bytes are in."""

    @property
    def uri(self) -> str:
        """The root as other engines take it, without a trailing slash."""

    def list(self, prefix: str, *, recursive: bool = True) -> Sequence[Entry]:
        """The files below the folder `prefix`, sorted by path.

        Names that begin with `.` are left out. Without `recursive`, only the files that lie in
        the folder itself.
        """

    def find(self, path: str) -> Entry | None:
        """The entry at exactly this path."""

    def read(self, path: str) -> bytes:
        """All bytes of a file."""

    def fetch(self, path: str) -> Path:
        """A local file with the bytes of `path`, for readers that seek; not to be changed."""

    def digest(self, path: str) -> str:
        """The sha256 of a file's bytes, as hexadecimal text."""

    def create(self, path: str, data: bytes) -> None:
        """Writes a new file; raises ExistsError where there is one."""

    def adopt(self, path: str, local: Path) -> None:
        """Makes a finished local file, which vanishes, a new file; ExistsError as above."""

    def overwrite(self, path: str, data: bytes) -> None:
        """Writes a file whether or not there is one."""

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A local folder for unfinished files, removed at the end."""

    def probe(self) -> Sequence[Probe]:
        """Tries what a lake needs of its storage; leaves nothing behind."""


def open_storage(uri: str) -> Storage:
    """Opens the storage behind a lake's URI.

    Raises:
        UsageError: The scheme is not one that adlake reads, or the path is no good for a table.
    """
    scheme, separator, path = uri.partition("://")
    if separator and scheme != "file":
        raise UsageError(
            f"the lake {uri!r} is of the kind {scheme!r}; this version reads local paths"
        )
    storage = LocalStorage(Path(path if separator else uri))
    if found := [mark for mark in storage.uri if mark in _NOT_IN_A_ROOT or not mark.isprintable()]:
        raise UsageError(f"the lake's path {storage.uri!r} holds {found[0]!r}; choose another")
    return storage


class LocalStorage:
    """A lake in a local folder, which is made by the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()

    @property
    def uri(self) -> str:
        """As `Storage` says."""
        return str(self.root)

    def list(self, prefix: str, *, recursive: bool = True) -> Sequence[Entry]:
        """As `Storage` says."""
        with _mapped(prefix):
            return sorted(_walk(self.root, prefix, recursive=recursive))

    def find(self, path: str) -> Entry | None:
        """As `Storage` says."""
        with _mapped(path):
            try:
                status = self._locate(path).lstat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return _describe(path, status)

    def read(self, path: str) -> bytes:
        """As `Storage` says."""
        with _mapped(path):
            return self.fetch(path).read_bytes()

    def fetch(self, path: str) -> Path:
        """As `Storage` says."""
        local = self._locate(path)
        with _mapped(path):
            if not stat.S_ISREG(local.lstat().st_mode):
                raise StorageError(f"{path} is not a regular file")
        return local

    def digest(self, path: str) -> str:
        """As `Storage` says."""
        with _mapped(path), self.fetch(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def create(self, path: str, data: bytes) -> None:
        """As `Storage` says."""
        with self._staged(path, data) as staged:
            self._link(staged, path)

    def adopt(self, path: str, local: Path) -> None:
        """As `Storage` says."""
        try:
            self._link(local, path)
        except StorageError as error:
            if getattr(error.__cause__, "errno", None) != errno.EXDEV:
                raise
            self.create(path, local.read_bytes())
        local.unlink()

    def overwrite(self, path: str, data: bytes) -> None:
        """As `Storage` says."""
        with self._staged(path, data) as staged, _mapped(path):
            staged.replace(self._locate(path))

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """As `Storage` says."""
        # Beside the data, so that a finished file moves in by a link and never by a copy.
        _make_folder(self.root)
        with _mapped(self.uri):
            folder = Path(tempfile.mkdtemp(prefix=".scratch-", dir=self.root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def probe(self) -> Sequence[Probe]:
        """As `Storage` says."""
        probes: list[Probe] = []
        try:
            with self.scratch() as folder:
                name = folder.name
                probes.append(Probe("make the lake's folder", True, self.uri))
                self.create(f"{name}/probe", b"adlake")
                probes.append(Probe("create a file", True, "by hard link, atomic"))
                probes.append(self._probe_create_only(f"{name}/probe"))
                self.overwrite(f"{name}/probe", b"adlake again")
                read = self.read(f"{name}/probe") == b"adlake again"
                probes.append(Probe("overwrite and read", read, "the bytes come back"))
            free = shutil.disk_usage(self.root).free
            probes.append(Probe("free space", free > 0, f"{free / 1e9:,.1f} GB"))
        except StorageError as error:
            probes.append(Probe("write to the lake", False, str(error)))
        return probes

    def _probe_create_only(self, path: str) -> Probe:
        try:
            self.create(path, b"second")
        except ExistsError:
            return Probe("refuse to create it twice", True, "two writers cannot both win")
        return Probe("refuse to create it twice", False, "this file system replaces silently")

    def _locate(self, path: str) -> Path:
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or path.startswith("/") or "\0" in path:
            raise StorageError(f"{path!r} is not a name inside the lake")
        return self.root.joinpath(*parts)

    @contextlib.contextmanager
    def _staged(self, path: str, data: bytes) -> Iterator[Path]:
        folder = self._locate(path).parent
        _make_folder(folder)
        staged = folder / f".new-{secrets.token_hex(8)}"
        try:
            with _mapped(path), staged.open("xb") as file:
                file.write(data)
            yield staged
        finally:
            staged.unlink(missing_ok=True)

    def _link(self, finished: Path, path: str) -> None:
        target = self._locate(path)
        _make_folder(target.parent)
        with _mapped(path):
            os.link(finished, target)  # fails where the name is taken, unlike a rename


def _walk(root: Path, prefix: str, *, recursive: bool) -> Iterator[Entry]:
    folder = root / prefix
    try:
        children = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for child in children:
        if child.name.startswith("."):
            continue
        path = f"{prefix}/{child.name}" if prefix else child.name
        if child.is_dir(follow_symlinks=False):
            if recursive:
                yield from _walk(root, path, recursive=True)
            continue
        try:
            status = child.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # deleted since the folder was read: it was never there
        yield _describe(path, status)


def _describe(path: str, status: os.stat_result) -> Entry:
    return Entry(
        path=path,
        size=status.st_size,
        etag=f"{status.st_mtime_ns:x}-{status.st_ino:x}",
        modified_at=_EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000),
        regular=stat.S_ISREG(status.st_mode),
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise DeniedError(f"the folder {folder} cannot be made: permission denied") from error
    except OSError as error:
        raise StorageError(f"the folder {folder} cannot be made: {error.strerror}") from error


@contextlib.contextmanager
def _mapped(path: str) -> Iterator[None]:
    """Turns the operating system's errors into ours, with the path that they are about."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingError(f"{path}: there is no such file") from error
    except FileExistsError as error:
        raise ExistsError(f"{path}: there is a file already") from error
    except PermissionError as error:
        raise DeniedError(f"{error.filename or path}: permission denied") from error
    except OSError as error:
        raise StorageError(f"{error.filename or path}: {error.strerror or error}") from error
