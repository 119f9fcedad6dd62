"""Whether the checkpoints of a log are what its entries make.

A checkpoint only saves its reader the entries before it, and nothing in it says whether its bytes
are those that were written: so it is compared with what Delta's library makes of these entries.
Which of the two is damaged is said where it can be told. An entry that holds the hash of its bytes
is right; else the number of rows decides that a commit says of itself.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pipeline.delta.entry import parse_commit
from pipeline.delta.library import Version, explained, read_version
from pipeline.delta.log import (
    ADVICE,
    LOG,
    POINTER,
    Commit,
    LogFault,
    find_entries,
    find_whole_checkpoints,
    name_checkpoint,
    name_entry,
)
from pipeline.delta.log_copy import LogCopy, list_log
from pipeline.errors import LakeError
from pipeline.storage import Storage

_DELETE: Final = (
    f"it is damaged: delete it and {POINTER.removeprefix(f'{LOG}/')}; both only save time"
)


def find_wrong_checkpoints(storage: Storage, folder: str) -> Iterator[LogFault]:
    """Looks for checkpoints that say something else than the entries up to them.

    Args:
        storage: Of the lake.
        folder: Of the table; its log is without a hole, and each entry of it can be read.

    Raises:
        LakeError: Delta's library cannot read the entries.
        StorageError: The storage refused it, or failed to the end.
    """
    listed = list_log(storage, folder)
    entries = find_entries(listed)
    names = [f"{LOG}/{name}" for name in sorted(entries.values())]
    fetched = storage.fetch_all([f"{folder}/{name}" for name in names])
    log = _Log(storage, folder, dict(zip(names, fetched, strict=True)))
    base: int | None = None
    for mark in sorted(find_whole_checkpoints(listed) & entries.keys()):
        if base is None and 0 not in entries:
            base = mark  # old entries were cleared away: the first has to be believed
            continue
        fault = log.compare(mark, base)
        if fault is None:
            base = mark
        else:
            yield fault


class _Log:
    """The entries of a log, and what is made of some of them."""

    def __init__(self, storage: Storage, folder: str, entries: Mapping[str, Path]) -> None:
        self.storage = storage
        self.folder = folder
        self.entries = entries

    def compare(self, mark: int, base: int | None) -> LogFault | None:
        """What is wrong with a checkpoint, or with the entries since a right one."""
        told = self.read(mark, base)
        name = name_checkpoint(mark).removeprefix(f"{LOG}/")
        try:
            saved = self.read(mark, mark)
        except LakeError:
            return LogFault(name, _DELETE)
        return None if saved == told else self._blame(mark, base, told, saved)

    def read(self, version: int, base: int | None) -> Version:
        """What the library makes of a checkpoint, if any, and the entries since it."""
        since = range(base or 0, version + 1)
        files = {name: self.entries[name] for name in map(name_entry, since)}
        if base is not None:
            name = name_checkpoint(base)
            files[name] = self.storage.fetch(f"{self.folder}/{name}")
        what = f"{self.storage.uri}/{self.folder} cannot be opened at version {version}"
        with LogCopy(files).lay_out() as place, explained(what, place):
            return read_version(place)

    def _blame(self, mark: int, base: int | None, told: Version, saved: Version) -> LogFault:
        checkpoint = name_checkpoint(mark).removeprefix(f"{LOG}/")
        commits = [self._parse(version) for version in range(base or 0, mark + 1)]
        said = commits[-1].metadata.get("rows")
        told_rows, saved_rows = _count_rows(told), _count_rows(saved)
        if all(one.is_sealed for one in commits) or told_rows == said != saved_rows:
            return LogFault(checkpoint, _DELETE)
        if saved_rows == said != told_rows:
            wrong = next(
                one.version
                for one in commits
                if "rows" in one.metadata
                and one.metadata["rows"] != _count_rows(self.read(one.version, base))
            )
            return LogFault(
                name_entry(wrong).removeprefix(f"{LOG}/"),
                f"it is damaged: {checkpoint} has as many rows as its commit says, and the entries "
                f"up to here have not; {ADVICE}, and keep the checkpoint",
            )
        return LogFault(
            checkpoint,
            f"it says {len(saved.files):,} files of {saved_rows:,} rows, and the entries up "
            f"to it say {len(told.files):,} of {told_rows:,}: an entry or a checkpoint is "
            f"damaged; delete neither, {ADVICE}",
        )

    def _parse(self, version: int) -> Commit:
        name = name_entry(version)
        data = self.entries[name].read_bytes()
        return parse_commit(data, version, f"{self.storage.uri}/{self.folder}/{name}")


def _count_rows(version: Version) -> int:
    return sum(file.rows for file in version.files)
