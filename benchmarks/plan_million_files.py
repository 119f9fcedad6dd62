"""What the planner and the commit take with a million files.

Run as `python -m benchmarks.plan_million_files`. The files are entries only: a listing of delivered
files that the ledger knows, and a master of as many data files, of which none has bytes. Each step
of a merge that grows with them is measured in turn, in a process of its own for each size, so that
its peak of memory is its own.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.lake import LANDING, MASTER_TABLE, Lake
from pipeline.merge.plan import Span, plan_parts
from pipeline.schema import LEDGER, MASTER, PARTITION_COLUMNS
from pipeline.settings import Settings
from pipeline.steps.discover import discover
from pipeline.storage import Entry, LocalStorage
from pipeline.table import DataFile, Table, create_table, open_table

SIZES: Final = (10_000, 100_000, 1_000_000)
MOST_SECONDS: Final = 60
MOST_BYTES: Final = 2_000_000_000
FIRST: Final = date(1990, 1, 1)
FILES_A_DAY: Final = 80
DELIVERED: Final = datetime(2024, 1, 1, tzinfo=UTC)
WINDOW_DAYS: Final = 31
_KIB: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(slots=True)
class Steps:
    """What each step took: seconds, and this process' peak of memory in bytes after it."""

    taken: dict[str, tuple[float, int]] = field(default_factory=dict)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Measures what is done inside."""
        begin = time.perf_counter()
        yield
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
        self.taken[name] = (time.perf_counter() - begin, peak)


class Listing(LocalStorage):
    """A local folder that also lists delivered files which are not there."""

    def __init__(self, root: Path, entries: Sequence[Entry]) -> None:
        super().__init__(root)
        self.entries = entries

    def list(self, prefix: str, *, recursive: bool = True) -> Sequence[Entry]:
        """As `Storage` says."""
        return self.entries if prefix == LANDING else super().list(prefix, recursive=recursive)


def make_entries(count: int) -> list[Entry]:
    """So many delivered files."""
    return [
        Entry(f"{LANDING}/lots/delivered=2024-01-01T00:00:00Z/f{n:07d}.csv", 1000, "e", DELIVERED)
        for n in range(count)
    ]


def make_ledger(entries: Sequence[Entry]) -> pl.DataFrame:
    """The ledger in which all of them were merged."""
    known = pl.DataFrame(
        {
            "path": [entry.path for entry in entries],
            "size": [entry.size for entry in entries],
            "etag": [entry.etag for entry in entries],
            "modified_at": [entry.modified_at for entry in entries],
        }
    )
    schema = pl.Schema(LEDGER)
    return known.with_columns(
        pl.lit("lots").alias("source"),
        pl.lit("merged").alias("outcome"),
        pl.lit("0" * 64).alias("sha256"),
        *(
            pl.lit(None, dtype).alias(name)
            for name, dtype in schema.items()
            if name not in {*known.columns, "source", "outcome", "sha256"}
        ),
    ).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def make_files(count: int) -> list[DataFile]:
    """So many files of the master, `FILES_A_DAY` of them for each day."""
    files = []
    for number in range(count):
        day = FIRST + timedelta(days=number // FILES_A_DAY)
        month = {"year": f"{day.year:04d}", "month": f"{day.month:02d}"}
        name = f"00000001-0123abcd-{number:07d}-{'0' * 32}.parquet"
        path = f"year={month['year']}/month={month['month']}/{name}"
        files.append(DataFile(path, 200_000_000, 8_000_000, month, day, day))
    return files


def simulate(count: int, folder: Path) -> Steps:
    """Drives each step of a merge that meets so many files."""
    steps = Steps()
    root = folder / "lake"
    uri = str(root / MASTER_TABLE)
    entries = make_entries(count)
    with steps.measure("list and compare with the ledger"):
        found = discover(
            Lake(Listing(root, entries)), make_ledger(entries), settings=Settings(workers=2)
        )
    if found.deliveries or found.unfinished:
        raise AssertionError("all of the files are known")
    del entries, found
    create_table(uri, MASTER, partition_by=PARTITION_COLUMNS)
    with steps.measure("commit all files at once"):
        _commit(_open(uri), make_files(count), [], n=1)
    with steps.measure("open the master and list its files"):
        master = _open(uri)
        files = master.list_files()
    last = files[-1].last_date or FIRST
    window = [Span(0, last - timedelta(days=WINDOW_DAYS - 1), last)]
    with steps.measure(f"plan a delivery of {WINDOW_DAYS} days"):
        parts = plan_parts(files, window)
    with steps.measure("plan a delivery of all days"):
        plan_parts(files, [Span(0, FIRST, last)])
    removed = [file for part in parts for file in part.files]
    added = [
        DataFile(file.path.replace("00000001-", "00000002-"), 1, 1, file.partition, last, last)
        for file in removed
    ]
    with steps.measure(f"commit the delivery of {WINDOW_DAYS} days"):
        _commit(master, added, removed, n=2)
    return steps


def _open(uri: str) -> Table:
    table = open_table(uri, MASTER)
    if table is None:
        raise AssertionError(f"{uri} was made a moment ago")
    return table


def _commit(table: Table, adds: Sequence[DataFile], removes: Sequence[DataFile], *, n: int) -> None:
    table.commit(adds=adds, removes=removes, transaction=n, metadata={"command": "merge", "n": n})


def _run(count: int) -> dict[str, tuple[float, int]]:
    with tempfile.TemporaryDirectory(prefix="adlake-plan-") as folder:
        return simulate(count, Path(folder)).taken


def main() -> None:
    """Prints a table, and fails where the largest size breaks a limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    taken = {}
    for count in options.sizes:
        with context.Pool(1) as pool:
            taken[count] = pool.apply(_run, (count,))
    if options.json:
        print(json.dumps(taken))
    else:
        print("| step | " + " | ".join(f"{count:,} files" for count in taken) + " |")
        print("|---|" + "---|" * len(taken))
        for name in next(iter(taken.values())):
            cells = [
                f"{one[name][0]:.2f} s, {one[name][1] / 1e6:,.0f} MB" for one in taken.values()
            ]
            print(f"| {name} | " + " | ".join(cells) + " |")
    slowest = max(sum(seconds for seconds, _ in one.values()) for one in taken.values())
    highest = max(peak for one in taken.values() for _, peak in one.values())
    if slowest > MOST_SECONDS or highest > MOST_BYTES:
        sys.exit(
            f"all steps took {slowest:.0f} s and {highest / 1e6:,.0f} MB; expected at most "
            f"{MOST_SECONDS} s and {MOST_BYTES / 1e6:,.0f} MB"
        )


if __name__ == "__main__":
    main()
