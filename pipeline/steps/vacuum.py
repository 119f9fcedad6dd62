"""Deletes what no version needs any more: replaced files, and what killed runs left behind."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.engine import map_threads
from pipeline.errors import UsageError
from pipeline.lake import Lake
from pipeline.settings import Settings
from pipeline.steps.needs import find_garbage, list_contents

RETENTION = timedelta(days=7)


class Cleared(NamedTuple):
    """What went of one place.

    Attributes:
        place: The folder; `unfinished` for what killed runs left, wherever it lay.
        files: How many files.
        bytes: Their size.
    """

    place: str
    files: int
    bytes: int


def vacuum(
    lake: Lake,
    *,
    settings: Settings,
    retention: timedelta = RETENTION,
    force: bool = False,
    dry_run: bool = False,
) -> list[Cleared]:
    """Deletes files of master, ledger, quarantine, rollup and scratch that nobody needs.

    A version that was the newest at some time within the retention keeps all its files, and a file
    younger than the retention stays, whatever it is: a run at work may be about to commit it. What
    lies in landing/ and raw/ is never touched.

    Args:
        lake: The lake.
        settings: How many files are deleted at once.
        retention: How far back versions stay readable; at least 0.
        force: Whether less than `RETENTION` is meant: a merge at work would lose its files.
        dry_run: Whether nothing is deleted.

    Raises:
        UsageError: The retention is short and not forced.
        EmptyLakeError: There is no master table.
        LakeError: The lake is damaged.
        StorageError: A file cannot be deleted.
    """
    if retention < RETENTION and not force:
        raise UsageError(
            f"a vacuum that keeps less than {RETENTION.days} days can take a file from a merge or "
            f"a reader at work; where none is, say so with --force"
        )
    moment = datetime.now(UTC) - retention
    contents = list_contents(lake)
    garbage = find_garbage(lake, contents, since=moment, before=moment, workers=settings.workers)
    if not dry_run:
        paths = [path for place in garbage.values() for path in place]
        for _ in map_threads(lake.storage.delete, paths, workers=settings.workers):
            pass
    return [
        Cleared(place, len(paths), sum(contents.find(place)[path].size for path in paths))
        for place, paths in garbage.items()
    ]
