"""Whether the master's commits, its files and the ledger tell one story. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from pipeline.care.finding import Finding
from pipeline.delta.log import Commit, name_entry

_PARTS = ("accepted", "quarantined", "duplicates", "superseded")


def check_commits(commits: Sequence[Commit], *, rows: int, folder: str) -> Iterator[Finding]:
    """Adds up what the commits say that they did, from the newest rebuild on.

    A rebuild takes away whatever there was, so nothing follows from the commits before it.

    Args:
        commits: All commits on the master, oldest first.
        rows: Rows in the files of the newest version.
        folder: Of the master, below the lake's root.
    """
    rebuilds = [at for at, one in enumerate(commits) if one.metadata.get("command") == "rebuild"]
    since = rebuilds[-1] if rebuilds else 0
    before: int | None = commits[since].metadata["rows_removed"] if rebuilds else 0
    for commit in commits[since:]:
        said = commit.metadata
        if "rows" not in said:
            # One that makes the table says no rows, and one of others may have changed any.
            before = before if said or commit.changes_nothing else None
            continue
        after = said["rows"]
        if before is not None and after != before + said["rows_added"] - said["rows_removed"]:
            yield Finding(
                f"{folder}/{name_entry(commit.version)}",
                f"transaction {said['n']} says {after:,} rows, but {before:,} + "
                f"{said['rows_added']:,} - {said['rows_removed']:,} is another number",
            )
        before = after
    if before is not None and before != rows:
        yield Finding(
            f"{folder}/{name_entry(commits[-1].version)}",
            f"the commits add up to {before:,} rows, and the files hold {rows:,}",
        )


def check_ledger(
    ledger: pl.DataFrame, commits: Iterable[Commit], *, folder: str
) -> Iterator[Finding]:
    """Compares the ledger with itself and with the commits that decided on its files.

    Args:
        ledger: Columns of schema.LEDGER.
        commits: All commits on the master.
        folder: Of the ledger, below the lake's root.
    """
    wrong = ledger.filter(pl.col("rows_in") != pl.sum_horizontal(_PARTS))
    for row in wrong.sort("n", "path").iter_rows(named=True):
        parts = " + ".join(f"{row[name]:,} {name}" for name in _PARTS)
        yield Finding(
            row["path"],
            f"transaction {row['n']} of the ledger has {row['rows_in']:,} rows in, but {parts}",
        )
    found: Mapping[int, int] = dict(ledger.group_by("n").len().iter_rows())
    for commit in commits:
        named = commit.metadata.get("ledger")
        n = commit.metadata.get("n")
        if named and n is not None and found.get(n, 0) != named["rows"]:
            yield Finding(
                f"{folder}/{named['path']}",
                f"the ledger has {found.get(n, 0):,} files of transaction {n}, which decided on "
                f"{named['rows']:,}",
            )
