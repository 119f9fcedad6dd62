"""Tells files that are still being written from those that are whole."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from pipeline.merge.delivery import Found
from pipeline.merge.place import was_landed
from pipeline.storage import Storage


def leave_growing(
    storage: Storage, files: Sequence[Found], *, seconds: float
) -> tuple[list[Found], list[str]]:
    """Shares new files between those that may be taken and those that are left to a later run.

    A file to which somebody wrote a moment ago is looked at again after a moment: it is whole
    where its size and time are what they were.

    Args:
        storage: Of the lake.
        files: New files.
        seconds: How long nobody may have written to them; 0: all may be taken.

    Returns:
        The files that are whole, and the paths of the others.
    """
    if not seconds or not storage.shows_growing:
        return list(files), []
    now = datetime.now(UTC)
    ages = {
        file.path: (now - file.modified_at).total_seconds()
        for file in files
        if not was_landed(file.path)
    }
    young = {path: age for path, age in ages.items() if age < seconds}
    if young:
        time.sleep(min(seconds, seconds - min(young.values())))
    growing = [file.path for file in files if file.path in young and _has_grown(storage, file)]
    return [file for file in files if file.path not in growing], growing


def _has_grown(storage: Storage, file: Found) -> bool:
    entry = storage.find(file.path)
    return entry is None or (entry.size, entry.etag) != (file.size, file.etag)
