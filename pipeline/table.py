"""Delta tables: the only module that knows deltalake.

A `Table` is one version, pinned when it was opened; it does not move when others commit, nor when
it commits itself. Data files are written elsewhere; a commit only names them. We never call
delta-rs' own writers (optimize, merge, update, delete): its compactions let a stale writer
duplicate rows.
"""

import contextlib
import errno
import functools
import itertools
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction, Transaction

from pipeline.answers import explain_refusal, shorten
from pipeline.errors import (
    ChangedOutsideError,
    CommitConflictError,
    EmptyLakeError,
    LakeError,
    StorageError,
)

APP_ID = "adlake"
CHECKPOINT_EVERY = 10
_MARK = "adlake"
_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})
_FOREIGN_ALLOWED = frozenset({"VACUUM START", "VACUUM END"})
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_DISK_ERRORS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
    }
)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a table.

    Attributes:
        path: Key below the table's root.
        size: Bytes.
        rows: Number of rows.
        partition: Value of each partition column.
        first_date: Smallest `date` in it, where the table has one.
        last_date: Largest `date` in it.
    """

    path: str
    size: int
    rows: int
    partition: Mapping[str, str]
    first_date: date | None = None
    last_date: date | None = None


class Commit(NamedTuple):
    """One entry of the table's log.

    Attributes:
        version: Delta version.
        at_ms: Time of the commit, milliseconds since 1970 UTC, by the committer's clock.
        operation: Delta's name of the operation.
        metadata: What adlake wrote beside it; empty where the commit is not ours.
    """

    version: int
    at_ms: int
    operation: str
    metadata: Mapping[str, Any]

    @property
    def changes_nothing(self) -> bool:
        """Whether it is one of a vacuum's, whoever ran it."""
        return self.operation in _FOREIGN_ALLOWED


class Table:
    """One version of a Delta table."""

    def __init__(
        self, delta: DeltaTable, uri: str, schema: pa.Schema, options: Mapping[str, str]
    ) -> None:
        self._delta = delta
        self.uri = uri
        self.schema = schema
        self._options = options

    @property
    def version(self) -> int:
        """The Delta version that this handle is pinned to."""
        version: int = self._delta.version()
        return version

    @functools.cached_property
    def transaction(self) -> int:
        """How many adlake transactions the table holds at this version."""
        with _explained(self.uri):  # Delta's library may read the log for it, each time
            return self._delta.transaction_version(APP_ID) or 0

    def list_files(self) -> list[DataFile]:
        """The files of this version, sorted by path."""
        # As a stream: pa.table() would import pandas, where that is installed, to ask it first.
        with _explained(self.uri):
            stream = pa.RecordBatchReader.from_stream(self._delta.get_add_actions(flatten=True))
        actions = stream.read_all().to_pylist()
        return sorted((_read_action(action) for action in actions), key=lambda file: file.path)

    def locate(self, files: Iterable[DataFile]) -> list[str]:
        """The files' full names as DuckDB, Polars and Arrow take them."""
        return [f"{self.uri}/{file.path}" for file in files]

    def walk_commits(self) -> Iterator[Commit]:
        """The commits up to this version, newest first, as far as the log reaches back.

        Delta's own history is that of the newest version, whatever version a handle is pinned to,
        and gives its entries wrong numbers as soon as somebody else has committed.

        Raises:
            StorageError: An entry cannot be read.
        """
        log = DeltaStorageHandler.from_table(self._delta._table)  # noqa: SLF001 - as its writer does
        for version in range(self.version, -1, -1):
            try:
                entry = log.open_input_file(f"_delta_log/{version:020d}.json").read()
            except FileNotFoundError:
                return  # another tool has cleared old entries away
            except OSError as error:
                doing = f"read version {version} of {self.uri}"
                raise explain_refusal(str(error), doing=doing) from error
            yield _read_commit(version, entry)

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

    def refuse_foreign_commit(self) -> None:
        """Stops where someone else made the newest change; vacuums change nothing.

        Raises:
            ChangedOutsideError: As said.
        """
        newest = next((one for one in self.walk_commits() if not one.changes_nothing), None)
        if newest is not None and not newest.metadata:
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
        """Commits as the next version, or not at all.

        Args:
            adds: Files that are in place already, of `schema` less the partition columns.
            removes: Files of this version that the new one no longer has.
            transaction: The number of this commit; larger than `self.transaction`.
            metadata: Written into the log beside the commit; JSON values.

        Raises:
            CommitConflictError: The commit was refused, or its answer was lost: whether it landed
                is unknown. Open the table again and look at `transaction` before anything else.
            StorageError: The disk refused it, which the next attempt would not change.
        """
        if self.transaction >= transaction:
            raise CommitConflictError(f"{self.uri}: transaction {transaction} is there already")
        known = {file.path for file in self.list_files()} if removes else set()
        absent = [file.path for file in removes if file.path not in known]
        if absent:
            raise LakeError(f"{self.uri}: {absent[0]} is not in version {self.version}")
        now = time.time_ns() // 1_000_000
        try:
            self._delta.create_write_transaction(
                [
                    *(_add_action(file, now) for file in adds),
                    *(_remove_action(file, now) for file in removes),
                ],
                "append",
                self.schema,
                partition_by=self._delta.metadata().partition_columns,
                commit_properties=CommitProperties(
                    custom_metadata={_MARK: metadata},
                    max_commit_retries=0,
                    app_transactions=[Transaction(APP_ID, transaction)],
                ),
                post_commithook_properties=PostCommitHookProperties(
                    create_checkpoint=False, cleanup_expired_logs=False
                ),
            )
            if makes_checkpoint(self.version):
                # Of the version before the commit: this handle knows it and need not read again.
                self._delta.create_checkpoint()
        except (DeltaError, OSError) as error:
            what = f"{self.uri}: the commit of transaction {transaction} was not confirmed"
            if reason := _find_disk_error(error):
                raise StorageError(f"{what}: {reason}") from error
            raise CommitConflictError(f"{what}: {shorten(str(error))}") from error


def makes_checkpoint(version: int) -> bool:
    """Whether the commit that follows a version also writes a checkpoint of that version."""
    return version > 0 and version % CHECKPOINT_EVERY == 0


def _find_disk_error(error: Exception) -> str | None:
    """The operating system's word where it is one that waiting does not change, else None."""
    # Delta's library has the number in its text alone.
    found = _OS_ERROR.search(str(error))
    number = int(found[1]) if found else getattr(error, "errno", None)
    return os.strerror(number) if number in _DISK_ERRORS else None


def open_table(
    uri: str,
    schema: pa.Schema,
    *,
    version: int | None = None,
    options: Mapping[str, str] = _NO_OPTIONS,
) -> Table | None:
    """Opens a table afresh, or returns None where there is none.

    Args:
        uri: Its root.
        schema: Its columns.
        version: The newest where it is None.
        options: What deltalake has to be told to reach it.

    Raises:
        EmptyLakeError: The table has no such version.
        LakeError: Its log cannot be read.
        StorageError: The store refused it, or failed to the end.
    """
    try:
        with _explained(uri):
            delta = DeltaTable(uri, version=version, storage_options=dict(options))
        return Table(delta, uri, schema, options)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        if version is None:
            raise LakeError(f"{uri} cannot be opened: {error}") from error
        newest = DeltaTable(uri, storage_options=dict(options)).version()
        raise EmptyLakeError(
            f"{uri} has no readable version {version}; the newest is {newest}"
        ) from error


def create_table(
    uri: str,
    schema: pa.Schema,
    *,
    partition_by: Sequence[str] = (),
    options: Mapping[str, str] = _NO_OPTIONS,
) -> Table:
    """Makes an empty table, or opens the one that another writer was faster to make."""
    try:
        DeltaTable.create(
            uri,
            schema=schema,
            mode="error",
            partition_by=list(partition_by),
            storage_options=dict(options),
            # Without a retry: Delta's library would make the table once more, as the next version.
            commit_properties=CommitProperties(
                custom_metadata={_MARK: {"command": "create"}}, max_commit_retries=0
            ),
        )
    except (DeltaError, OSError) as error:
        made = open_table(uri, schema, options=options)
        if made is None:
            raise explain_refusal(str(error), doing=f"make the table {uri}") from error
        return made
    made = open_table(uri, schema, options=options)
    if made is None:
        raise LakeError(f"{uri} vanished while it was made")
    return made


@contextlib.contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turns what deltalake says of a store's refusal into an error of ours."""
    try:
        yield
    except OSError as error:
        raise explain_refusal(str(error), doing=f"read the log of {uri}") from error


def _read_action(action: Mapping[str, Any]) -> DataFile:
    return DataFile(
        path=action["path"],
        size=action["size_bytes"],
        rows=action["num_records"],
        partition={
            key.removeprefix("partition."): value
            for key, value in action.items()
            if key.startswith("partition.")
        },
        first_date=action.get("min.date"),
        last_date=action.get("max.date"),
    )


def _read_commit(version: int, entry: bytes) -> Commit:
    actions = [json.loads(line) for line in entry.splitlines() if line.strip()]
    infos: list[dict[str, Any]] = [one["commitInfo"] for one in actions if "commitInfo" in one]
    said = infos[0] if infos else {}
    return Commit(
        version=version,
        at_ms=said.get("timestamp", 0),
        operation=said.get("operation", ""),
        metadata=said.get(_MARK) or {},
    )


def _add_action(file: DataFile, now_ms: int) -> AddAction:
    statistics: dict[str, Any] = {"numRecords": file.rows}
    if file.first_date is not None and file.last_date is not None:
        statistics["minValues"] = {"date": file.first_date.isoformat()}
        statistics["maxValues"] = {"date": file.last_date.isoformat()}
        statistics["nullCount"] = {"date": 0}
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values=file.partition,
        modification_time=now_ms,
        data_change=True,
        stats=json.dumps(statistics),
    )


def _remove_action(file: DataFile, now_ms: int) -> RemoveAction:
    return RemoveAction(
        file.path,
        data_change=True,
        deletion_timestamp=now_ms,
        size=file.size,
        partition_values=dict(file.partition),
    )
