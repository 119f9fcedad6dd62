"""What Delta's library is asked: of a copy of a log that is laid out, never of the lake.

We never call delta-rs' own writers (optimize, merge, update, delete): its compactions let a stale
writer duplicate rows.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction, Transaction

from pipeline.answers import shorten
from pipeline.delta.actions import make_add, make_remove, read_actions
from pipeline.delta.entry import HASH, NO_HASH
from pipeline.delta.log import MARK, DataFile
from pipeline.errors import LakeError

APP_ID: Final = "adlake"


class Version(NamedTuple):
    """What the library says of a version.

    Attributes:
        version: Its number.
        transaction: How many adlake transactions the table holds at it.
        partition_by: The partition columns.
        columns: All columns and their types, as JSON.
        files: Sorted by path.
    """

    version: int
    transaction: int
    partition_by: Sequence[str]
    columns: str
    files: tuple[DataFile, ...]


class _Loaded(NamedTuple):
    """The same before our own copy of the files is made, so that the library's goes first."""

    version: int
    transaction: int
    partition_by: Sequence[str]
    columns: str
    actions: pa.Table


def read_version(place: Path) -> Version:
    """Reads the newest version of the log."""
    loaded = _load(place)
    files = sorted(read_actions(loaded.actions), key=lambda file: file.path)
    return Version(*loaded[:4], files=tuple(files))


def _load(place: Path) -> _Loaded:
    delta = DeltaTable(str(place))
    # As a stream: pa.table() would import pandas, where it is installed, to ask it first.
    stream = pa.RecordBatchReader.from_stream(delta.get_add_actions(flatten=True))
    return _Loaded(
        version=delta.version(),
        transaction=delta.transaction_version(APP_ID) or 0,
        partition_by=delta.metadata().partition_columns,
        columns=delta.schema().to_json(),
        actions=stream.read_all(),
    )


def write_first_entry(place: Path, schema: pa.Schema, partition_by: Sequence[str]) -> None:
    """Writes the entry that makes an empty table."""
    DeltaTable.create(
        str(place),
        schema=schema,
        mode="error",
        partition_by=list(partition_by),
        commit_properties=CommitProperties(
            custom_metadata={MARK: {"command": "create", HASH: NO_HASH}}
        ),
    )


def write_entry(
    place: Path,
    *,
    adds: Sequence[DataFile],
    removes: Sequence[DataFile],
    schema: pa.Schema,
    partition_by: Sequence[str],
    transaction: int,
    metadata: Mapping[str, Any],
) -> None:
    """Writes the entry of the next version; arguments as for `Table.commit`."""
    now = time.time_ns() // 1_000_000
    actions: list[AddAction | RemoveAction] = [
        *(make_add(file, now) for file in adds),
        *(make_remove(file, now) for file in removes),
    ]
    DeltaTable(str(place)).create_write_transaction(
        actions,
        "append",
        schema,
        partition_by=list(partition_by),
        commit_properties=CommitProperties(
            custom_metadata={MARK: {**metadata, HASH: NO_HASH}},
            max_commit_retries=0,
            app_transactions=[Transaction(APP_ID, transaction)],
        ),
        post_commithook_properties=PostCommitHookProperties(
            create_checkpoint=False, cleanup_expired_logs=False
        ),
    )


def write_checkpoint(place: Path) -> None:
    """Writes a checkpoint of the newest version, and the pointer to it."""
    DeltaTable(str(place)).create_checkpoint()


@contextlib.contextmanager
def explained(what: str, place: Path) -> Iterator[None]:
    """Turns what the library says of a log into an error of ours.

    Args:
        what: Begins the message.
        place: The log's, which nobody needs to hear of.

    Raises:
        LakeError: As said.
    """
    try:
        yield
    except (DeltaError, OSError) as error:
        raise LakeError(f"{what}: {shorten(str(error).replace(str(place), ''))}") from error
    except BaseException as error:
        # Not an Exception, and not to be imported: what a checkpoint with a flipped bit ends in.
        if type(error).__name__ != "PanicException":
            raise
        raise LakeError(f"{what}: Delta's library gave up ({shorten(str(error))})") from error
