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
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from pipeline.delta.log import DataFile
from pipeline.delta.table import Table, create_table, open_table
from pipeline.lake import LANDING, MASTER_TABLE, Lake
from pipeline.merge.plan import Span, plan_parts
from pipeline.schema import LEDGER, MASTER, PARTITION_COLUMNS
from pipeline.settings import Settings
from pipeline.steps.discover import discover
from pipeline.storage import Entry, LocalStorage

SIZES: Final = (10_000, 100_000, 1_000_000)
MOST_SECONDS: Final = 60
MOST_BYTES: Final = 2_000_000_000
FIRST: Final = date(1990, 1, 1)
FILES_A_DAY: Final = 80
FILES_A_COMMIT: Final = 50_000
DELIVERED: Final = datetime(2024, 1, 1, tzinfo=UTC)
WINDOW_DAYS: Final = 31
_KIB: Final = 1 if sys.platform == "darwin" else 1024


class Usage(NamedTuple):
    """What a step took.

    Attributes:
        wall_seconds: Until it ended.
        cpu_seconds: Of this process, in all of its threads.
        peak_bytes: This process' peak of memory, after the step.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(slots=True)
class Steps:
    """What each step took, by its name."""

    taken: dict[str, Usage] = field(default_factory=dict)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Measures what is done inside."""
        begin, worked = time.perf_counter(), time.process_time()
        yield
        self.taken[name] = Usage(
            time.perf_counter() - begin,
            time.process_time() - worked,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB,
        )


class Listing(LocalStorage):
    """A local folder that also lists delivered files which are not there."""

    def __init__(self, root: Path, entries: Sequence[Entry]) -> None:
        super().__init__(root)
        self.entries = entries

    def list(self, prefix: str, *, recursive: bool = True, after: str = "") -> Sequence[Entry]:
        """As `Storage` says."""
        if prefix == LANDING:
            return self.entries
        return super().list(prefix, recursive=recursive, after=after)


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


def fill(count: int, root: Path) -> None:
    """Commits so many files to a new master."""
    storage = LocalStorage(root)
    create_table(storage, MASTER_TABLE, MASTER, partition_by=PARTITION_COLUMNS)
    files = make_files(count)
    for n, first in enumerate(range(0, count, FILES_A_COMMIT), start=1):
        _commit(_open(root), files[first : first + FILES_A_COMMIT], [], n=n)


def simulate(count: int, root: Path) -> dict[str, Usage]:
    """Drives each step of a merge that meets so many files."""
    steps = Steps()
    entries = make_entries(count)
    lake = Lake(Listing(root, entries))
    ledger = make_ledger(entries)
    with steps.measure("list and compare with the ledger"):
        found = discover(lake, ledger, settings=Settings(workers=2))
    if found.deliveries or found.unfinished:
        raise AssertionError("all of the files are known")
    del entries, lake, ledger, found
    with steps.measure("open the master and list its files"):
        master = _open(root)
        files = master.list_files()
    last = files[-1].last_date or FIRST
    window = [Span(0, last - timedelta(days=WINDOW_DAYS - 1), last)]
    with steps.measure(f"plan a delivery of {WINDOW_DAYS} days"):
        parts = plan_parts(files, window)
    with steps.measure("plan a delivery of all days"):
        plan_parts(files, [Span(0, FIRST, last)])
    removed = [file for part in parts for file in part.files]
    added = [replace(file, path=file.path.replace("/0", "/9"), rows=1) for file in removed]
    with steps.measure(f"commit the delivery of {WINDOW_DAYS} days"):
        _commit(master, added, removed, n=master.transaction + 1)
    return steps.taken


def _open(root: Path) -> Table:
    table = open_table(LocalStorage(root), MASTER_TABLE, MASTER)
    if table is None:
        raise AssertionError(f"{root} was made a moment ago")
    return table


def _commit(table: Table, adds: Sequence[DataFile], removes: Sequence[DataFile], *, n: int) -> None:
    table.commit(adds=adds, removes=removes, transaction=n, metadata={"command": "merge", "n": n})


def measure(count: int) -> dict[str, Usage]:
    """What each step takes with so many files; filling and merging are processes of their own."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="adlake-plan-") as folder:
        root = Path(folder) / "lake"
        with context.Pool(1) as pool:
            pool.apply(fill, (count, root))
        with context.Pool(1) as pool:
            return pool.apply(simulate, (count, root))


def main() -> None:
    """Prints a table, and fails where the largest size breaks a limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    taken = {count: measure(count) for count in options.sizes}
    if options.json:
        print(json.dumps(taken))
    else:
        print("| step | " + " | ".join(f"{count:,} files" for count in taken) + " |")
        print("|---|" + "---|" * len(taken))
        for name in next(iter(taken.values())):
            cells = [
                f"{one.wall_seconds:.1f} s ({one.cpu_seconds:.1f} CPU), "
                f"{one.peak_bytes / 1e6:,.0f} MB"
                for one in (steps[name] for steps in taken.values())
            ]
            print(f"| {name} | " + " | ".join(cells) + " |")
    planning = [
        [one for name, one in steps.items() if not name.startswith("commit")]
        for steps in taken.values()
    ]
    slowest = max(sum(one.wall_seconds for one in steps) for steps in planning)
    highest = max(one.peak_bytes for steps in planning for one in steps)
    if slowest > MOST_SECONDS or highest > MOST_BYTES:
        sys.exit(
            f"the steps before the commit took {slowest:.0f} s and {highest / 1e6:,.0f} MB; "
            f"expected at most {MOST_SECONDS} s and {MOST_BYTES / 1e6:,.0f} MB"
        )


if __name__ == "__main__":
    main()
