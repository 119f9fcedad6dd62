"""A Delta table's log as files: what a whole log looks like. Pure.

The log is `_delta_log/<version>.json`, one entry a version, from 0 on and without a gap. Delta's
own readers take an empty newest entry for one that changed nothing, and a log whose end is gone
for an older table: rows vanish without an error. So we look ourselves.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

LOG: Final = "_delta_log"
POINTER: Final = f"{LOG}/_last_checkpoint"
"""Names the newest checkpoint, below the table's root."""

MARK: Final = "adlake"
"""The field of an entry below which adlake writes what it has to say."""

ADVICE: Final = "restore it from a backup, or see docs/operations.md"
"""What to do about an entry that is damaged; ends a message."""

_ENTRY: Final = re.compile(r"(\d{20})\.json")
_CHECKPOINT: Final = re.compile(r"(\d{20})\.checkpoint\..*parquet")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHANGING_NOTHING: Final = frozenset({"VACUUM START", "VACUUM END"})


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a table.

    Attributes:
        path: Key below the table's root.
        size: Bytes.
        rows: Number of rows; 0 where others added it and did not say.
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
    """Who made a version, and what for.

    Attributes:
        version: Delta version.
        at_ms: Time of the commit, milliseconds since 1970 UTC, by the committer's clock.
        operation: Delta's name of the operation.
        metadata: What adlake wrote beside it; empty where the commit is not ours.
        is_sealed: Whether its entry holds the hash of its own bytes, and they have it.
    """

    version: int
    at_ms: int
    operation: str
    metadata: Mapping[str, Any]
    is_sealed: bool = False

    @property
    def at(self) -> datetime:
        """Time of the commit, UTC."""
        return _EPOCH + timedelta(milliseconds=self.at_ms)

    @property
    def changes_nothing(self) -> bool:
        """Whether it is one of a vacuum's, whoever ran it."""
        return self.operation in _CHANGING_NOTHING


class LogFault(NamedTuple):
    """Something wrong with a log.

    Attributes:
        name: Of the entry.
        detail: What is wrong with it.
    """

    name: str
    detail: str


def name_entry(version: int) -> str:
    """The name of a version's entry, below the table's root."""
    return f"{LOG}/{version:020d}.json"


def name_checkpoint(version: int) -> str:
    """The name of a version's checkpoint, below the table's root."""
    return f"{LOG}/{version:020d}.checkpoint.parquet"


def read_pointer(data: bytes) -> int | None:
    """The version that the pointer to the newest checkpoint names; None where it is damaged."""
    try:
        return int(json.loads(data)["version"])
    except (ValueError, KeyError, TypeError):
        return None


def find_newest(names: Iterable[str]) -> int | None:
    """The newest version that has an entry; None where there is none."""
    return max(find_entries(names), default=None)


def pick_files(names: Iterable[str], *, version: int) -> list[str]:
    """The files of a log that say what a version holds, sorted; none where they are gone.

    These are the newest checkpoint up to the version and the entries from its own one on, without
    which Delta's library reads but does not write. Checkpoints in parts, which adlake never makes,
    are all given: the library knows what to do with them.
    """
    present = set(names)
    entries = find_entries(present)
    marks = {name: int(found[1]) for name in present if (found := _CHECKPOINT.fullmatch(name))}
    if version not in entries:
        return []
    upto = {name: mark for name, mark in marks.items() if mark <= version}
    whole = {mark: name for name, mark in upto.items() if f"{LOG}/{name}" == name_checkpoint(mark)}
    if whole:
        base = max(whole)
        since = [name for number, name in entries.items() if base <= number <= version]
        return sorted([whole[base], *since])
    if not upto and 0 not in entries:
        return []
    return sorted([*upto, *(name for number, name in entries.items() if number <= version)])


def find_entries(names: Iterable[str]) -> dict[int, str]:
    """The entries among the files of a log, by version."""
    return {int(found[1]): name for name in names if (found := _ENTRY.fullmatch(name))}


def find_whole_checkpoints(names: Iterable[str]) -> set[int]:
    """The versions that have a checkpoint of one file, as adlake makes them."""
    marks = (int(found[1]) for name in names if (found := _CHECKPOINT.fullmatch(name)))
    present = set(names)
    return {mark for mark in marks if name_checkpoint(mark).removeprefix(f"{LOG}/") in present}


def is_entry(name: str) -> bool:
    """Whether a file in the log's folder is the entry of a version."""
    return _ENTRY.fullmatch(name) is not None


def find_log_faults(sizes: Mapping[str, int]) -> list[LogFault]:
    """What is wrong with a log as its listing shows it, in the order of versions.

    Args:
        sizes: Bytes of each file that lies in the log's folder, by name.
    """
    entries = find_entries(sizes)
    marks = {name: int(found[1]) for name in sizes if (found := _CHECKPOINT.fullmatch(name))}
    return sorted(
        [*_find_missing(entries.keys(), [*marks.values()]), *_find_empty(entries, marks, sizes)]
    )


def _find_missing(versions: Set[int], checkpoints: list[int]) -> Iterator[LogFault]:
    if not versions and not checkpoints:
        return
    # What stands before a checkpoint may have been cleared away; nothing after it.
    first = min(versions, default=max(checkpoints, default=0))
    if first and not any(mark >= first - 1 for mark in checkpoints):
        first = 0
    for version in range(first, max([*versions, *checkpoints]) + 1):
        if version not in versions:
            yield LogFault(f"{version:020d}.json", f"it is missing: {ADVICE}")


def _find_empty(
    entries: Mapping[int, str], checkpoints: Iterable[str], sizes: Mapping[str, int]
) -> Iterator[LogFault]:
    for name in entries.values():
        if not sizes[name]:
            yield LogFault(name, f"it is empty, as after a power cut: {ADVICE}")
    for name in checkpoints:
        if not sizes[name]:
            yield LogFault(name, "it is empty: delete it and _last_checkpoint; both only save time")
