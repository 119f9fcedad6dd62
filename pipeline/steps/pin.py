"""Pins the version of the lake that a reading command is about."""

from datetime import datetime

from pipeline.errors import EmptyLakeError, LakeError
from pipeline.lake import MASTER_TABLE, Lake, Snapshot


def pin_snapshot(
    lake: Lake, *, version: int | None = None, as_of: datetime | None = None
) -> Snapshot:
    """Pins a version for reading.

    Args:
        lake: The lake.
        version: Of the master; the newest where this and `as_of` are None.
        as_of: The version that was the newest at this time (UTC), where `version` is None.

    Raises:
        EmptyLakeError: There is no master table, no such version, or none at that time.
        LakeError: Files of the version were deleted.
    """
    if version is None and as_of is None:
        return lake.take_snapshot()
    if version is None and as_of is not None:
        version = find_version(lake, as_of)
    snapshot = lake.take_snapshot(version)
    _refuse_vacuumed(lake, snapshot)
    return snapshot


def find_version(lake: Lake, as_of: datetime) -> int:
    """The version of the master that was the newest at a time.

    Raises:
        EmptyLakeError: There was none yet.
    """
    commits = lake.open_master().read_commits()  # newest first
    for commit in commits:
        if commit.at <= as_of:
            return commit.version
    first = commits[-1].at
    raise EmptyLakeError(
        f"{lake.uri} had no version at {as_of:%Y-%m-%dT%H:%M:%SZ}; its first is of "
        f"{first:%Y-%m-%dT%H:%M:%SZ}"
    )


def _refuse_vacuumed(lake: Lake, snapshot: Snapshot) -> None:
    """Refuses a version whose files are not all there: its figures would be of a part."""
    present = {entry.path for entry in lake.storage.list(MASTER_TABLE)}
    paths = [f"{MASTER_TABLE}/{file.path}" for file in snapshot.files]
    gone = [path for path in paths if path not in present]
    if gone:
        raise LakeError(
            f"version {snapshot.version} cannot be read any more: {len(gone)} of its {len(paths)} "
            f"files are gone, first {gone[0]}; a vacuum deletes what newer versions do not need "
            f"(adlake history lists the versions)"
        )
