"""Which files the versions of a table need, and which nobody needs any more. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pipeline.delta.entry import LogEntry

_PARTITION = re.compile(r"year=(\d{4})/month=(\d\d)/")


class Listed(Protocol):
    """A file of a listing, of which the name and the last write count."""

    @property
    def path(self) -> str:
        """Key below the lake's root."""

    @property
    def modified_at(self) -> datetime:
        """Last write, UTC."""


Month = tuple[str, str]
"""Year and month, zero-padded text: a partition of the master."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What some versions of a table consist of.

    Attributes:
        paths: The files of any of them, below the table.
        months: For each, the files of each of its partitions; those that are alike only once.
        newest: Bytes of each file of the newest version, by path.
    """

    paths: Set[str]
    months: Set[tuple[Month, tuple[str, ...]]]
    newest: Mapping[str, int]


def find_needs(entries: Sequence[LogEntry], *, since_ms: int) -> Needs:
    """What the versions need that were the newest one at some time since a moment.

    Args:
        entries: Of all versions, in order.
        since_ms: The moment, in milliseconds since 1970 UTC; 0 means all versions.
    """
    older = [number for number, entry in enumerate(entries) if entry.at_ms <= since_ms]
    first = older[-1] if older else 0
    newest: dict[str, int] = {}
    by_month: dict[Month, set[str]] = defaultdict(set)
    paths: set[str] = set()
    months: set[tuple[Month, tuple[str, ...]]] = set()
    for number, entry in enumerate(entries):
        for path in entry.removes & newest.keys():
            del newest[path]
            by_month[_read_month(path)].discard(path)
        newest |= entry.adds
        for path in entry.adds:
            by_month[_read_month(path)].add(path)
        if number >= first:
            changed = (
                by_month if number == first else map(_read_month, {*entry.adds, *entry.removes})
            )
            months |= {(month, tuple(sorted(by_month[month]))) for month in set(changed)}
            paths |= newest.keys() if number == first else entry.adds.keys()
    return Needs(paths, {one for one in months if one[1]}, newest)


def _read_month(path: str) -> Month:
    """The partition that a path names; ('', '') where it names none."""
    found = _PARTITION.match(path)
    return (found[1], found[2]) if found else ("", "")


def find_unneeded(listed: Iterable[Listed], needed: Set[str], *, before: datetime) -> list[str]:
    """The files that nobody needs, sorted.

    Args:
        listed: What lies there.
        needed: Paths that some version needs.
        before: A file of this moment or later stays: a run at work may be about to commit it.
    """
    return sorted(one.path for one in listed if one.path not in needed and one.modified_at < before)
