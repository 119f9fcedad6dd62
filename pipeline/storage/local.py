"""A lake in a folder of this machine."""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from pipeline.errors import DeniedError, ExistsError, MissingError, StorageError, UsageError
from pipeline.storage.base import Entry, Probe

_SCRATCH = ".scratch-"
_STAGED = ".new-"
_UNFINISHED = (_SCRATCH, _STAGED)
"""How names begin that this module gives to what is not finished."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LocalStorage:
    """A lake in a local folder, which is made by the first write."""

    lanes = 1
    sql_access = None

    def __init__(self, root: Path) -> None:
        try:
            self.root = root.expanduser().absolute()
        except RuntimeError as error:
            raise UsageError(f"the lake {str(root)!r}: {error}") from error
        self._was_there = self.root.exists()

    @property
    def uri(self) -> str:
        """As `Storage` says."""
        return str(self.root)

    @property
    def shows_growing(self) -> bool:
        """As `Storage` says."""
        return True

    def list(self, prefix: str, *, recursive: bool = True, after: str = "") -> Sequence[Entry]:
        """As `Storage` says."""
        last = f"{prefix}/{after}" if after and prefix else after
        with _mapped(prefix):
            found = _walk(self.root, prefix, recursive=recursive)
            return sorted(entry for entry in found if entry.path > last)

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

    def fetch_all(self, paths: Sequence[str]) -> Sequence[Path]:
        """As `Storage` says."""
        return [self.fetch(path) for path in paths]

    def digest(self, path: str) -> str:
        """As `Storage` says."""
        with _mapped(path), self.fetch(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def create(self, path: str, data: bytes) -> None:
        """As `Storage` says."""
        target = self._locate(path)
        with self._staged(target, data, path) as staged, _mapped(path):
            os.link(staged, target)  # fails where the name is taken, unlike a rename

    def adopt(self, path: str, local: Path) -> None:
        """As `Storage` says."""
        target = self._locate(path)
        self._make_folder(target.parent)
        try:
            with _mapped(path):
                os.link(local, target)
        except StorageError as error:
            if getattr(error.__cause__, "errno", None) != errno.EXDEV:
                raise
            self.create(path, local.read_bytes())
        local.unlink()

    def overwrite(self, path: str, data: bytes) -> None:
        """As `Storage` says."""
        target = self._locate(path)
        with self._staged(target, data, path) as staged, _mapped(path):
            staged.replace(target)

    def delete(self, path: str) -> None:
        """As `Storage` says."""
        target = self._locate(path)
        with _mapped(path):
            target.unlink(missing_ok=True)
        # A folder of unfinished files is one itself, and goes with the last of them.
        for folder in target.relative_to(self.root).parents:
            if not any(part.startswith(".") for part in folder.parts):
                return
            try:
                (self.root / folder).rmdir()
            except OSError:
                return  # there is something in it yet

    def persist(self, paths: Iterable[str]) -> None:
        """As `Storage` says."""
        files = [self._locate(path) for path in paths]
        for file in files:
            _force(file, self.uri)
        # A name is on the disk when its folder is; the folder may be new as well.
        folders = {parent for file in files for parent in file.parents}
        for folder in sorted(folder for folder in folders if folder.is_relative_to(self.root)):
            _force(folder, self.uri)

    def list_unfinished(self) -> Sequence[Entry]:
        """As `Storage` says."""
        with _mapped(self.uri):
            return sorted(_walk_hidden(self.root, ""))

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """As `Storage` says."""
        # Beside the data, so that a finished file moves in by a link and never by a copy.
        self._make_folder(self.root)
        with _mapped(self.uri):
            folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=self.root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def probe(self) -> Sequence[Probe]:
        """As `Storage` says."""
        probes: list[Probe] = []
        existed = self.root.exists()
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
                self.persist([f"{name}/probe"])
                probes.append(Probe("force it to the disk", True, "by fsync, its folder too"))
            free = shutil.disk_usage(self.root).free
            probes.append(Probe("free space", free > 0, f"{free / 1e9:,.1f} GB"))
        except StorageError as error:
            probes.append(Probe("write to the lake", False, str(error)))
        if not existed:
            with contextlib.suppress(OSError):
                self.root.rmdir()
                self._was_there = False
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

    def _make_folder(self, folder: Path) -> None:
        """Makes a folder of the lake, and the lake's own where there has been none.

        Raises:
            MissingError: The lake's own was there and is gone; a new one would be half a lake.
            StorageError: The folder cannot be made.
        """
        if not self.root.exists():
            if self._was_there:
                raise MissingError(f"{self.root} is gone; no other is made in its place")
            new = [self.root, *(one for one in self.root.parents if not one.exists())]
            _make_folder(self.root)
            for one in new:
                with contextlib.suppress(DeniedError):  # it may be listed by others alone
                    _force(one.parent, self.uri)
        self._was_there = True
        _make_folder(folder)

    @contextlib.contextmanager
    def _staged(self, target: Path, data: bytes, path: str) -> Iterator[Path]:
        """A finished file beside `target` under a name of its own, removed at the end."""
        staged = target.with_name(f"{_STAGED}{secrets.token_hex(8)}")
        try:
            try:
                staged.write_bytes(data)
            except FileNotFoundError:
                self._make_folder(target.parent)
                with _mapped(path):
                    staged.write_bytes(data)
            except OSError:
                with _mapped(path):
                    raise
            yield staged
        finally:
            staged.unlink(missing_ok=True)


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


def _walk_hidden(root: Path, prefix: str, *, inside: bool = False) -> Iterator[Entry]:
    """The files with hidden names, and all files in folders with such."""
    try:
        children = list(os.scandir(root / prefix))
    except FileNotFoundError:
        return
    for child in children:
        path = f"{prefix}/{child.name}" if prefix else child.name
        hidden = inside or child.name.startswith(_UNFINISHED)
        if child.is_dir(follow_symlinks=False):
            yield from _walk_hidden(root, path, inside=hidden)
        elif hidden or _is_staged_log(path):
            with contextlib.suppress(FileNotFoundError):
                yield _describe(path, child.stat(follow_symlinks=False))


def _is_staged_log(path: str) -> bool:
    """Whether Delta's library staged a log entry here and was killed before it took its name."""
    return "/_delta_log/" in path and "#" in path


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


def _force(path: Path, uri: str) -> None:
    with _mapped(uri):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
