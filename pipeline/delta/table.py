"""A Delta table: one version of it, and the commit of the next.

A `Table` is one version, pinned when it was opened; it does not move when others commit, nor when
it commits itself. Data files are written elsewhere; a commit only names them.

Delta's library works on a copy of the end of the log; the entry that it writes there is put in
place by `Storage.create`, which decides between two writers.
"""

import contextlib
import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.delta.entry import parse_commit, seal
from pipeline.delta.library import (
    explained,
    read_version,
    write_checkpoint,
    write_entry,
    write_first_entry,
)
from pipeline.delta.log import (
    POINTER,
    Commit,
    DataFile,
    find_newest,
    name_checkpoint,
    name_entry,
)
from pipeline.delta.log_copy import LogCopy, copy_log, list_log
from pipeline.errors import (
    ChangedOutsideError,
    CommitConflictError,
    ExistsError,
    LakeError,
    MissingError,
    StorageError,
)
from pipeline.secret import scrub
from pipeline.storage import Storage

CHECKPOINT_EVERY = 4
"""How many entries an opener has to read at most, beside a checkpoint."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Table:
    """One version of a Delta table.

    Attributes:
        storage: Of the lake.
        folder: Of the table, below the lake's root.
        schema: Its columns.
        version: The Delta version that this handle is pinned to.
        transaction: How many adlake transactions the table holds at this version.
        log: What says which files the version holds.
        partition_by: The partition columns.
        files: The files of this version, sorted by path.
    """

    storage: Storage
    folder: str
    schema: pa.Schema
    version: int
    transaction: int
    log: LogCopy
    partition_by: Sequence[str]
    files: tuple[DataFile, ...]

    @property
    def uri(self) -> str:
        """Its root, as other engines take it."""
        return f"{self.storage.uri}/{self.folder}"

    def list_files(self) -> list[DataFile]:
        """The files of this version, sorted by path."""
        return list(self.files)

    def locate(self, files: Iterable[DataFile]) -> list[str]:
        """The files' full names as DuckDB, Polars and Arrow take them."""
        return [f"{self.uri}/{file.path}" for file in files]

    def walk_commits(self) -> Iterator[Commit]:
        """The commits up to this version, newest first, as far as the log reaches back.

        Delta's own history is that of the newest version, whatever version a handle is pinned to,
        and gives its entries wrong numbers as soon as somebody else has committed.

        Raises:
            LakeError: An entry is damaged.
            StorageError: One cannot be read.
        """
        for version in range(self.version, -1, -1):
            entry = name_entry(version)
            local = self.log.files.get(entry)
            try:
                data = local.read_bytes() if local else self.storage.read(f"{self.folder}/{entry}")
            except MissingError:
                return  # another tool has cleared old entries away
            yield parse_commit(data, version, f"{self.uri}/{entry}")

    def read_commits(self, limit: int | None = None) -> list[Commit]:
        """The newest commits up to this version, newest first."""
        return list(itertools.islice(self.walk_commits(), limit))

    def read_newest_commit(self) -> Commit:
        """The commit that made this version.

        Raises:
            LakeError: The log does not hold it.
        """
        commits = self.read_commits(1)
        if not commits:
            raise LakeError(f"{self.uri}: the log does not hold version {self.version}")
        return commits[0]

    def find_foreign_commit(self) -> Commit | None:
        """The newest change, where someone else made it; vacuums change nothing."""
        newest = next((one for one in self.walk_commits() if not one.changes_nothing), None)
        return None if newest is None or newest.metadata else newest

    def refuse_foreign_commit(self) -> None:
        """Stops where someone else made the newest change of the master.

        Raises:
            ChangedOutsideError: As said.
        """
        newest = self.find_foreign_commit()
        if newest is not None:
            raise ChangedOutsideError(
                f"{self.uri} was changed outside adlake at version {newest.version} by "
                f"{newest.operation}, so its rows no longer follow from what was delivered: read "
                f"an older one with --version {newest.version - 1}; to go on, run adlake rebuild, "
                f"which makes them anew from landing/ and raw/"
            )

    def commit(
        self,
        *,
        adds: Sequence[DataFile],
        removes: Sequence[DataFile],
        transaction: int,
        metadata: Mapping[str, Any],
    ) -> None:
        """Commits as the next version, or not at all; what is committed is on the disk.

        Args:
            adds: Files that are in place already, of `schema` less the partition columns.
            removes: Files of this version that the new one no longer has.
            transaction: The number of this commit; larger than `self.transaction`.
            metadata: Written into the log beside the commit; JSON values.

        Raises:
            CommitConflictError: Another writer was faster.
            LakeError: Delta's library cannot write to such a table, or the log is gone.
            StorageError: The storage failed. Whether the commit landed is unknown: open the table
                again and look at `transaction` before anything else.
        """
        if self.transaction >= transaction:
            raise CommitConflictError(f"{self.uri}: transaction {transaction} is there already")
        absent = {file.path for file in removes}.difference(file.path for file in self.files)
        if absent:
            raise LakeError(f"{self.uri}: {min(absent)} is not in version {self.version}")
        self._secure_own_version()
        entry = name_entry(self.version + 1)
        with self.log.lay_out() as place:
            with explained(f"{self.uri}: transaction {transaction} cannot be written", place):
                write_entry(
                    place,
                    adds=adds,
                    removes=removes,
                    schema=self.schema,
                    partition_by=self.partition_by,
                    transaction=transaction,
                    metadata=metadata,
                )
            try:
                self.storage.create(f"{self.folder}/{entry}", seal((place / entry).read_bytes()))
            except ExistsError as error:
                raise CommitConflictError(
                    f"{self.uri}: another writer was faster to make version {self.version + 1}"
                ) from error
            self.storage.persist([f"{self.folder}/{entry}"])
            if len(self.log.entries) >= CHECKPOINT_EVERY:
                self._write_checkpoint(place)

    def _secure_own_version(self) -> None:
        """Sees to it that what a commit stands on is there, and on the disk, whoever made it."""
        try:
            self.storage.persist([f"{self.folder}/{name_entry(self.version)}"])
        except MissingError as error:
            raise LakeError(
                f"{self.uri} is gone, or its log: version {self.version} was there when it was "
                f"opened; version {self.version + 1} is not committed"
            ) from error

    def _write_checkpoint(self, place: Path) -> None:
        """Writes a checkpoint of the version that was just committed; it only saves time."""
        paths = [name_checkpoint(self.version + 1), POINTER]
        try:
            with explained("it cannot be made", place):
                write_checkpoint(place)
            for path in paths:
                self.storage.overwrite(f"{self.folder}/{path}", (place / path).read_bytes())
            self.storage.persist(f"{self.folder}/{path}" for path in paths)
        except (LakeError, StorageError, OSError) as error:
            said = scrub(str(error))
            _log.warning("%s/%s: %s; the next commit tries again", self.uri, paths[0], said)


def open_table(
    storage: Storage, folder: str, schema: pa.Schema, *, version: int | None = None
) -> Table | None:
    """Opens a table afresh, or returns None where there is none.

    Args:
        storage: Of the lake.
        folder: Of the table, below the lake's root.
        schema: Its columns.
        version: The newest where it is None.

    Raises:
        EmptyLakeError: The table has no such version.
        LakeError: Its log is damaged, or Delta's library cannot read it.
        StorageError: The storage refused it, or failed to the end.
    """
    log = copy_log(storage, folder, version=version)
    if log is None:
        return None
    uri = f"{storage.uri}/{folder}"
    try:
        with log.lay_out() as place, explained(f"{uri} cannot be opened", place):
            read = read_version(place)
    except LakeError:
        log.refuse_damaged(uri)
        raise
    return Table(
        storage=storage,
        folder=folder,
        schema=schema,
        version=read.version,
        transaction=read.transaction,
        log=log,
        partition_by=read.partition_by,
        files=read.files,
    )


def create_table(
    storage: Storage, folder: str, schema: pa.Schema, *, partition_by: Sequence[str] = ()
) -> None:
    """Makes an empty table; one that is there, or that another writer is faster to make, stays.

    Raises:
        StorageError: The storage refused it, or failed to the end.
    """
    first = name_entry(0)
    if find_newest(list_log(storage, folder)) is None:
        with LogCopy().lay_out() as place, explained(f"{folder} cannot be made", place):
            write_first_entry(place, schema, partition_by)
            entry = (place / first).read_bytes().replace(place.as_uri().encode(), folder.encode())
        with contextlib.suppress(ExistsError):
            storage.create(f"{folder}/{first}", seal(entry))
        storage.persist([f"{folder}/{first}"])
