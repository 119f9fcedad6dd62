"""The versions of the master: when each was made, by what, and what it changed."""

from datetime import UTC, datetime, timedelta

from pipeline.delta.log import Commit
from pipeline.kpi.query import Result
from pipeline.lake import Lake

COLUMNS = ("version", "at", "n", "operation", "files", "rows_added", "rows_removed", "rows")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_history(lake: Lake, *, limit: int | None = None) -> Result:
    """Lists the versions, newest first.

    Args:
        lake: The lake.
        limit: At most so many; None: all.

    Returns:
        version; at (UTC); n (the number of the transaction); operation (the command, or Delta's
        name where it was not adlake's); files (delivered files that it decided on); rows_added;
        rows_removed; rows (in the master). What a commit does not say is None.
    """
    commits = lake.open_master().read_commits(limit)
    return Result(COLUMNS, tuple(_describe(commit) for commit in commits))


def _describe(commit: Commit) -> tuple[object, ...]:
    said = commit.metadata
    ledger = said.get("ledger") or {}
    return (
        commit.version,
        _EPOCH + timedelta(milliseconds=commit.at_ms),
        said.get("n"),
        said.get("command") or commit.operation,
        ledger.get("rows"),
        said.get("rows_added"),
        said.get("rows_removed"),
        said.get("rows"),
    )
