"""A private copy of the end of a table's log: what says which files a version holds, and no more.

In a bucket each file of a log is a request, so only what is needed is fetched, each file once: the
newest checkpoint and the entries from it on.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.delta.entry import parse_commit, parse_entry
from pipeline.delta.log import (
    LOG,
    POINTER,
    find_log_faults,
    find_newest,
    is_entry,
    name_checkpoint,
    pick_files,
    read_pointer,
)
from pipeline.errors import EmptyLakeError, LakeError, MissingError
from pipeline.storage import Storage
from pipeline.storage.temporary import told_as_temporary


@dataclass(frozen=True, slots=True)
class LogCopy:
    """Local files with the bytes of some of a log's.

    Attributes:
        files: Where each is, by its name below the table's root.
    """

    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def entries(self) -> list[str]:
        """The names of the entries among them, oldest first."""
        return sorted(name for name in self.files if is_entry(name.removeprefix(f"{LOG}/")))

    @contextlib.contextmanager
    def lay_out(self) -> Iterator[Path]:
        """The root of a table that has this log and no data, as Delta's library opens it."""
        with (
            told_as_temporary(),
            tempfile.TemporaryDirectory(prefix="adlake-log-", ignore_cleanup_errors=True) as folder,
        ):
            (Path(folder) / LOG).mkdir()
            for name, local in self.files.items():
                (Path(folder) / name).symlink_to(local)
            yield Path(folder)

    def refuse_damaged(self, uri: str) -> None:
        """Says which entry is damaged, where one is, so that Delta's library cannot read it.

        Raises:
            LakeError: As said.
        """
        for name in self.entries:
            parse_entry(self.files[name].read_bytes(), f"{uri}/{name}")

    def refuse_changed(self, uri: str) -> None:
        """Says which entry is not as it was written, though Delta's library may read it.

        Raises:
            LakeError: As said.
        """
        for name in self.entries:
            parse_commit(self.files[name].read_bytes(), 0, f"{uri}/{name}")


def copy_log(storage: Storage, folder: str, *, version: int | None) -> LogCopy | None:
    """Fetches what a version needs of a table's log; None where there is no table.

    A log with a hole, or with an entry that is empty or not as it was written, is refused: Delta's
    library may read past them.

    Args:
        storage: Of the lake.
        folder: Of the table, below the lake's root.
        version: The newest where it is None.

    Raises:
        EmptyLakeError: The table has no such version.
        LakeError: The log is damaged.
        StorageError: The storage refused it, or failed to the end.
    """
    uri = f"{storage.uri}/{folder}"
    sizes = _list_end(storage, folder) if version is None else list_log(storage, folder)
    for fault in find_log_faults(sizes):
        raise LakeError(f"{uri}/{LOG}/{fault.name}: {fault.detail}")
    newest = find_newest(sizes)
    if newest is None:
        return None
    picked = pick_files(sizes, version=newest if version is None else version)
    if not picked:
        raise EmptyLakeError(f"{uri} has no readable version {version}; the newest is {newest}")
    names = [f"{LOG}/{name}" for name in picked]
    fetched = storage.fetch_all([f"{folder}/{name}" for name in names])
    log = LogCopy(dict(zip(names, fetched, strict=True)))
    log.refuse_changed(uri)
    return log


def list_log(storage: Storage, folder: str, *, after: str = "") -> dict[str, int]:
    """Bytes of each file in a table's log, by name; only of names that come after one."""
    listed = storage.list(f"{folder}/{LOG}", recursive=False, after=after)
    return {entry.path.rpartition("/")[2]: entry.size for entry in listed}


def _list_end(storage: Storage, folder: str) -> dict[str, int]:
    """As `list_log`, from the newest checkpoint on; all where there is none, or it is lost."""
    try:
        version = read_pointer(storage.read(f"{folder}/{POINTER}"))
    except MissingError:
        version = None
    if version is not None:
        sizes = list_log(storage, folder, after=f"{version:020d}")
        if name_checkpoint(version).removeprefix(f"{LOG}/") in sizes:
            return sizes
    return list_log(storage, folder)
