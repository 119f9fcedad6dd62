"""The versions of the master: when each was made, by what, and what it changed."""

import logging
from collections.abc import Mapping

import polars as pl

from pipeline.delta.log import Commit
from pipeline.delta.table import Table
from pipeline.errors import LakeError
from pipeline.kpi.query import Result
from pipeline.lake import Lake
from pipeline.steps.ledger import read_ledger

COLUMNS = (
    "version",
    "at",
    "n",
    "operation",
    "files",
    "rows_added",
    "rows_removed",
    "rows",
    "sources",
    "first_file",
)
_log = logging.getLogger(__name__)


def read_history(lake: Lake, *, limit: int | None = None) -> Result:
    """Lists the versions, newest first.

    Args:
        lake: The lake.
        limit: At most so many; None: all.

    Returns:
        version; at (UTC); n (the number of the transaction); operation (the command, or Delta's
        name where it was not adlake's); files (delivered files that it decided on); rows_added;
        rows_removed; rows (in the master); sources (of these files, by name, with a comma
        between them); first_file (of them, by its key). What a commit does not say is None.
    """
    master = lake.open_master()
    commits = master.read_commits(limit)
    named = _name_files(lake, master)
    return Result(COLUMNS, tuple(_describe(commit, named) for commit in commits))


def _name_files(lake: Lake, master: Table) -> Mapping[int, tuple[str, str]]:
    """The sources and the first file of each transaction."""
    try:
        ledger = read_ledger(lake, lake.pick_ledger(master))
    except LakeError as error:  # who mends a lake needs its versions most
        _log.warning("no files are named: %s", error)
        return {}
    told = ledger.group_by("n").agg(
        pl.col("source").unique().drop_nulls().sort().str.join(", "), pl.col("path").min()
    )
    return {n: (sources, path) for n, sources, path in told.select("n", "source", "path").rows()}


def _describe(commit: Commit, named: Mapping[int, tuple[str, str]]) -> tuple[object, ...]:
    said = commit.metadata
    ledger = said.get("ledger") or {}
    return (
        commit.version,
        commit.at,
        said.get("n"),
        said.get("command") or commit.operation,
        ledger.get("rows"),
        said.get("rows_added"),
        said.get("rows_removed"),
        said.get("rows"),
        *named.get(said.get("n", 0), (None, None)),
    )
