"""What the entry of a version says, and whether its bytes are those that were written. Pure.

An entry of ours holds the hash of its own bytes, in which zeros stand in the hash's place: so one
changed character is seen wherever an entry is read. Entries of other programs, and those that an
adlake before this hash wrote, have none and are taken as they are.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from pipeline.delta.log import ADVICE, MARK, Commit
from pipeline.errors import LakeError

HASH: Final = "sha256"
"""Below `MARK`: the hash of the entry, hexadecimal."""
NO_HASH: Final = "0" * 64
"""Stands in its place while it is computed."""

_OF_A_CHANGE: Final = ("rows", "rows_added", "rows_removed")
_NOT_AS_WRITTEN: Final = (ValueError, KeyError, TypeError, AttributeError, OverflowError)


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


def seal(data: bytes) -> bytes:
    """Puts the hash of an entry into the entry, which has `NO_HASH` there."""
    digest = hashlib.sha256(data).hexdigest()
    # In a text of somebody's own the quotes would be escaped.
    return data.replace(f'"{HASH}":"{NO_HASH}"'.encode(), f'"{HASH}":"{digest}"'.encode(), 1)


def parse_entry(data: bytes, name: str) -> LogEntry:
    """Reads an entry.

    Raises:
        LakeError: It is not one JSON object a line, as where its end is cut off; or not as it was
            written.
    """
    commit = parse_commit(data, 0, name)
    try:
        actions = [dict(json.loads(line)) for line in data.splitlines() if line.strip()]
        adds = [action["add"] for action in actions if "add" in action]
        removes = [action["remove"]["path"] for action in actions if "remove" in action]
        return LogEntry(
            at_ms=commit.at_ms,
            adds={unquote(one["path"]): int(one["size"]) for one in adds},
            removes=frozenset(unquote(path) for path in removes),
        )
    except _NOT_AS_WRITTEN as error:
        raise _make_error(name, f"{len(data):,} bytes are no log entry") from error


def parse_commit(data: bytes, version: int, name: str) -> Commit:
    """Reads of a version's entry who made it.

    Raises:
        LakeError: What one of ours says of itself is not all there, or its bytes are others than
            were written.
    """
    try:
        lines = [json.loads(line) for line in data.splitlines() if b'"commitInfo"' in line]
        infos = [dict(line["commitInfo"]) for line in lines if "commitInfo" in line]
        said = infos[0] if infos else {}
        metadata = dict(said.get(MARK) or {})
        digest = metadata.pop(HASH, None)
        commit = Commit(
            version=version,
            at_ms=int(said.get("timestamp", 0)),
            operation=str(said.get("operation", "")),
            metadata=metadata,
            is_sealed=digest is not None,
        )
    except _NOT_AS_WRITTEN as error:
        raise _make_error(name, f"{len(data):,} bytes are no log entry") from error
    if commit.is_sealed and not _is_as_sealed(data, str(digest)):
        raise _make_error(name, "its bytes are not those that were written: their hash is another")
    unsaid = _find_unsaid(metadata)
    if unsaid:
        raise _make_error(name, f"it does not say the {unsaid} of its commit as it must")
    return commit


def _is_as_sealed(data: bytes, digest: str) -> bool:
    unsealed = data.replace(f'"{digest}"'.encode(), f'"{NO_HASH}"'.encode(), 1)
    return hashlib.sha256(unsealed).hexdigest() == digest


def _find_unsaid(said: Mapping[str, Any]) -> str | None:
    """What commands take for granted of a commit of ours, and this one does not say."""
    if not said or said == {"command": "create"}:
        return None
    numbers = {"n": said.get("n")}
    if "ledger" in said or said.keys() & set(_OF_A_CHANGE):  # else it is one on the ledger
        ledger = said.get("ledger")
        if not isinstance(ledger, dict) or not isinstance(ledger.get("path"), str):
            return "ledger file"
        numbers |= {name: said.get(name) for name in _OF_A_CHANGE}
        numbers |= {f"ledger file's {name}": ledger.get(name) for name in ("size", "rows")}
    return next((name for name, value in numbers.items() if type(value) is not int), None)


def _make_error(name: str, what: str) -> LakeError:
    return LakeError(f"{name} is half written or damaged ({what}): {ADVICE}")
