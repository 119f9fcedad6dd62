"""Lists what lies in the lake's own folders, and what of it some version needs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.care.needed import find_needs, find_unneeded
from pipeline.delta.log import LOG
from pipeline.kpi.rollup import KINDS, Partition, define_rollup, name_mark, name_rollup
from pipeline.kpi.views import read_preferred
from pipeline.lake import (
    LEDGER_TABLE,
    MASTER_TABLE,
    QUARANTINE,
    ROLLUP,
    Lake,
    Snapshot,
)
from pipeline.ledger import describe_ledger_file
from pipeline.steps.ledger import read_ledger
from pipeline.steps.read_log import read_log
from pipeline.storage import Entry

UNFINISHED = "unfinished"
"""Stands for the folders and files that a killed run leaves, wherever they lie."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What lies in the lake's own folders.

    Attributes:
        places: The files of each folder; of a table without its log.
    """

    places: Mapping[str, Sequence[Entry]]

    def find(self, place: str) -> dict[str, Entry]:
        """The files of one folder, by path."""
        return {entry.path: entry for entry in self.places[place]}


def list_contents(lake: Lake) -> Contents:
    """Lists the folders. What is written and committed later is not in the list."""
    places: dict[str, Sequence[Entry]] = {
        place: lake.storage.list(place) for place in (QUARANTINE, ROLLUP)
    }
    for table in (MASTER_TABLE, LEDGER_TABLE):
        log = f"{table}/{LOG}/"
        places[table] = [
            entry for entry in lake.storage.list(table) if not entry.path.startswith(log)
        ]
    places[UNFINISHED] = lake.storage.list_unfinished()
    return Contents(places)


def find_garbage(
    lake: Lake, contents: Contents, *, since: datetime, before: datetime, workers: int
) -> dict[str, list[str]]:
    """The paths in each place that no version needs.

    Args:
        lake: The lake.
        contents: Listed before this is called, so that no commit of a listed file is missed.
        since: Versions that were the newest one at some time since then count.
        before: A file of this moment or later is not named.
        workers: How much is read at once.
    """
    snapshot = lake.take_snapshot()
    ledger = read_ledger(lake, snapshot.ledger)
    since_ms = int(since.timestamp() * 1000)
    master = find_needs(read_log(lake, MASTER_TABLE, workers=workers), since_ms=since_ms)
    needed = {
        MASTER_TABLE: {f"{MASTER_TABLE}/{path}" for path in master.paths},
        LEDGER_TABLE: _list_ledger_files(lake, since_ms=since_ms, workers=workers),
        QUARANTINE: set(ledger["reject_path"].drop_nulls()),
        ROLLUP: _name_rollups(lake, snapshot, master.months),
        UNFINISHED: set[str](),
    }
    return {
        place: find_unneeded(contents.places[place], needed[place], before=before)
        for place in contents.places
    }


def _name_rollups(
    lake: Lake, snapshot: Snapshot, months: Iterable[tuple[Partition, Sequence[str]]]
) -> set[str]:
    """The rollups and marks of months, by the breakdowns that contracts prefer now."""
    preferred = read_preferred(lake, snapshot)
    definitions = {kind: define_rollup(kind, preferred=preferred) for kind in KINDS}
    names = {
        name_rollup(month, paths, kind=kind, definition=definition)
        for month, paths in months
        for kind, definition in definitions.items()
    }
    return names | set(map(name_mark, names))


def _list_ledger_files(lake: Lake, *, since_ms: int, workers: int) -> set[str]:
    """What the ledger held since a moment, and what a commit names that it may not hold yet."""
    held = find_needs(read_log(lake, LEDGER_TABLE, workers=workers), since_ms=since_ms).paths
    listed = lake.open_ledger().transaction
    named = [
        describe_ledger_file(one).path
        for one in lake.open_master().walk_commits()
        if "ledger" in one.metadata and (one.at_ms >= since_ms or one.metadata["n"] > listed)
    ]
    return {f"{LEDGER_TABLE}/{path}" for path in (*held, *named)}
