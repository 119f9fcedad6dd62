"""A Delta table's log as files: what a whole log looks like, and what its entries say. Pure.

The log is `_delta_log/<version>.json`, one entry a version, from 0 on and without a gap. Delta's
own readers take an empty newest entry for one that changed nothing, and a log whose end is gone
for an older table: rows vanish without an error. So we look ourselves.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote

from pipeline.errors import LakeError

LOG: Final = "_delta_log"

_ENTRY: Final = re.compile(r"(\d{20})\.json")
_CHECKPOINT: Final = re.compile(r"(\d{20})\.checkpoint\..*parquet")
_ADVICE: Final = "restore it from a backup, or see docs/operations.md"


class LogFault(NamedTuple):
    """Something wrong with a log.

    Attributes:
        name: Of the entry.
        detail: What is wrong with it.
    """

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What one entry says.

    Attributes:
        at_ms: Time of the commit, milliseconds since 1970 UTC; 0 where it says none.
        adds: Size in bytes of each file that came, by path below the table.
        removes: Paths of the files that went.
    """

    at_ms: int = 0
    adds: Mapping[str, int] = field(default_factory=dict)
    removes: frozenset[str] = frozenset()


def name_entry(version: int) -> str:
    """The name of a version's entry, below the table's root."""
    return f"{LOG}/{version:020d}.json"


def name_checkpoint(version: int) -> tuple[str, str]:
    """The names of a version's checkpoint and of the file that points to the newest."""
    return f"{LOG}/{version:020d}.checkpoint.parquet", f"{LOG}/_last_checkpoint"


def is_entry(name: str) -> bool:
    """Whether a file in the log's folder is the entry of a version."""
    return _ENTRY.fullmatch(name) is not None


def find_log_faults(sizes: Mapping[str, int]) -> list[LogFault]:
    """What is wrong with a log as its listing shows it, in the order of versions.

    Args:
        sizes: Bytes of each file that lies in the log's folder, by name.
    """
    entries = {int(found[1]): name for name in sizes if (found := _ENTRY.fullmatch(name))}
    marks = {name: int(found[1]) for name in sizes if (found := _CHECKPOINT.fullmatch(name))}
    return sorted(
        [*_find_missing(entries.keys(), [*marks.values()]), *_find_empty(entries, marks, sizes)]
    )


def _find_missing(versions: Set[int], checkpoints: list[int]) -> Iterator[LogFault]:
    if not versions and not checkpoints:
        return
    # What stands before a checkpoint may have been cleared away; nothing after it.
    first = min(versions, default=0)
    if first and not any(mark >= first - 1 for mark in checkpoints):
        first = 0
    for version in range(first, max([*versions, *checkpoints]) + 1):
        if version not in versions:
            yield LogFault(f"{version:020d}.json", f"it is missing: {_ADVICE}")


def _find_empty(
    entries: Mapping[int, str], checkpoints: Iterable[str], sizes: Mapping[str, int]
) -> Iterator[LogFault]:
    for name in entries.values():
        if not sizes[name]:
            yield LogFault(name, f"it is empty, as after a power cut: {_ADVICE}")
    for name in checkpoints:
        if not sizes[name]:
            yield LogFault(name, "it is empty: delete it and _last_checkpoint; both only save time")


def parse_entry(data: bytes, name: str) -> LogEntry:
    """Reads an entry.

    Raises:
        LakeError: It is not one JSON object a line, as where its end is cut off.
    """
    try:
        actions = [dict(json.loads(line)) for line in data.decode().splitlines() if line.strip()]
        infos = [action["commitInfo"] for action in actions if "commitInfo" in action]
        adds = [action["add"] for action in actions if "add" in action]
        removes = [action["remove"]["path"] for action in actions if "remove" in action]
        return LogEntry(
            at_ms=int(infos[0].get("timestamp", 0)) if infos else 0,
            adds={unquote(one["path"]): int(one["size"]) for one in adds},
            removes=frozenset(unquote(path) for path in removes),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LakeError(
            f"{name} is half written or damaged ({len(data):,} bytes are no log entry): {_ADVICE}"
        ) from error
