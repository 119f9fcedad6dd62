"""What a merge takes that meets a million files.

Run as `python -m benchmarks.plan_million_files`. The files are entries only: a ledger of delivered
files, which is read from Parquet, their listing, and a master of as many data files, of which none
has bytes. The steps are those of a merge, in its own order and by its own code (`steps.commit`), so
what it holds meanwhile is held here as well. Filling the lake, the steps with a delivery of many
days, and a whole merge of one new file are a process each, so that each peak of memory is its own.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final
from uuid import UUID

import polars as pl

from benchmarks.harness import BLOCK_BYTES, Answer, Case, Question, Usage
from pipeline.contracts import load_contracts
from pipeline.delta.log import DataFile
from pipeline.delta.table import Table
from pipeline.lake import LANDING, MASTER_TABLE, Lake
from pipeline.merge.account import FileAccount
from pipeline.merge.coverage import Window
from pipeline.merge.delivery import Found, find_grown, identify_file
from pipeline.merge.plan import Span, plan_parts
from pipeline.merge.write import Writer
from pipeline.schema import SEED_CSV_COLUMNS
from pipeline.settings import Settings
from pipeline.steps.commit import Change, commit_change
from pipeline.steps.discover import discover
from pipeline.steps.merge import merge
from pipeline.storage import Entry, LocalStorage

SIZES: Final = (10_000, 100_000, 1_000_000)
MOST_SECONDS: Final = 60
MOST_BYTES: Final = 2_000_000_000
FIRST: Final = date(1990, 1, 1)
FILES_A_DAY: Final = 80
COMMITS: Final = 7
"""So many fill the lake: the next writes a checkpoint, and the one after it joins the ledger."""

FILE_BYTES: Final = 200_000_000
DELIVERED: Final = datetime(2024, 1, 1, tzinfo=UTC)
WINDOW_DAYS: Final = 31
NEW_FILE: Final = f"{LANDING}/lots/delivered=2025-06-02T00:00:00Z/new.csv"
NEW_ROW: Final = ",".join(
    (str(UUID(int=1)), "2025-06-01,Google ADS,Mujer 18-25,1000,0.05,50,0.50,25,1.20")
)
BEFORE_COMMIT: Final = (
    "open the master, read the ledger",
    "list and compare with the ledger",
    f"plan a delivery of {WINDOW_DAYS} days",
    "plan a delivery of all days",
)
SETTINGS: Final = Settings(workers=2, quiet_seconds=0)
_KIB: Final = 1 if sys.platform == "darwin" else 1024


def _read_clocks() -> tuple[float, float, int]:
    written = resource.getrusage(resource.RUSAGE_SELF).ru_oublock * BLOCK_BYTES
    return time.perf_counter(), time.process_time(), written


@dataclass(slots=True)
class Steps:
    """What each step took, by its name; one begins where the one before ended."""

    taken: dict[str, Usage] = field(default_factory=dict)
    began: tuple[float, float, int] = field(default_factory=_read_clocks)

    def end(self, name: str) -> None:
        """Ends a step."""
        wall, worked, written = now = _read_clocks()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
        began, worked_before, written_before = self.began
        self.taken[name] = Usage(
            wall - began, worked - worked_before, peak, written - written_before
        )
        self.began = now


class Pretending(LocalStorage):
    """A local folder that also knows files which are not there: delivered ones, and the master's.

    Attributes:
        count: So many of each.
    """

    def __init__(self, root: Path, count: int) -> None:
        super().__init__(root)
        self.count = count

    def list(self, prefix: str, *, recursive: bool = True, after: str = "") -> Sequence[Entry]:
        """As `Storage` says."""
        there = super().list(prefix, recursive=recursive, after=after)
        return sorted([*there, *map(make_entry, range(self.count))]) if prefix == LANDING else there

    def find(self, path: str) -> Entry | None:
        """As `Storage` says."""
        there = super().find(path)
        return there or (Entry(path, FILE_BYTES, "", DELIVERED) if _is_data(path) else None)

    def persist(self, paths: Iterable[str]) -> None:
        """As `Storage` says."""
        super().persist(path for path in paths if not _is_data(path))


def make_entry(number: int) -> Entry:
    """A delivered file; of every second one nothing says when it was delivered."""
    folder = "delivered=2024-01-01T00:00:00Z" if number % 2 else "more"
    etag = sha256(b"etag %d" % number).hexdigest()[:32]
    return Entry(f"{LANDING}/lots/{folder}/f{number:07d}.csv", 1000, etag, DELIVERED)


def make_account(number: int) -> FileAccount:
    """What became of it."""
    found = Found(*make_entry(number)[:4])
    day = FIRST + timedelta(days=number // FILES_A_DAY)
    return FileAccount(
        found=found,
        outcome="merged",
        delivery=identify_file(
            found, sha256=sha256(b"%d" % number).hexdigest(), pinned={}, now=DELIVERED
        ),
        contract="lots",
        contract_sha256="c" * 64,
        time_zone="UTC",
        accepted=8_000_000,
        remarks={"ignored_columns": number % 9},
        coverage=[Window("", None, "", day, day, is_primary=False)],
    )


def make_file(number: int) -> DataFile:
    """A file of the master; there are `FILES_A_DAY` of them for each day."""
    day = FIRST + timedelta(days=number // FILES_A_DAY)
    month = {"year": f"{day.year:04d}", "month": f"{day.month:02d}"}
    name = f"00000001-0123abcd-{number:07d}-{'0' * 32}.parquet"
    path = f"year={month['year']}/month={month['month']}/{name}"
    return DataFile(path, FILE_BYTES, 8_000_000, month, day, day)


def fill(count: int, root: Path) -> None:
    """Commits so many files of the master, and the accounts of as many delivered ones."""
    lake = Lake(Pretending(root, count))
    lake.initialise()
    cuts = [count * number // COMMITS for number in range(COMMITS + 1)]
    for first, end in pairwise(cuts):
        change = Change(
            adds=[make_file(number) for number in range(first, end)],
            accounts=[make_account(number) for number in range(first, end)],
        )
        with lake.storage.scratch() as scratch:
            commit_change(lake, lambda *_, made=change: made, command="merge", scratch=scratch)


def simulate(count: int, root: Path) -> dict[str, Usage]:
    """Drives each step of a merge that meets so many files."""
    lake = Lake(Pretending(root, count))
    lake.storage.create(NEW_FILE, f"{','.join(SEED_CSV_COLUMNS)}\n{NEW_ROW}\n".encode())
    steps = Steps()

    def prepare(master: Table, ledger: pl.DataFrame, writer: Writer) -> Change:  # noqa: ARG001 - as `Prepare`
        steps.end(BEFORE_COMMIT[0])
        found = discover(lake, ledger, settings=SETTINGS)
        again = find_grown(found.deliveries, ledger, load_contracts(None))
        if [one.found.path for one in [*found.deliveries, *again]] != [NEW_FILE]:
            raise AssertionError("all of the other files are known")
        steps.end(BEFORE_COMMIT[1])
        files = master.list_files()
        last = files[-1].last_date or FIRST
        parts = plan_parts(files, [Span(0, last - timedelta(days=WINDOW_DAYS - 1), last)])
        steps.end(BEFORE_COMMIT[2])
        plan_parts(files, [Span(0, FIRST, last)])
        steps.end(BEFORE_COMMIT[3])
        removed = [file for part in parts for file in part.files]
        added = [replace(file, path=file.path.replace("/0", "/9")) for file in removed]
        return Change(adds=added, removes=removed, accounts=[make_account(count)])

    with lake.storage.scratch() as scratch:
        commit_change(lake, prepare, command="merge", scratch=scratch)
    steps.end(f"commit the delivery of {WINDOW_DAYS} days")
    return steps.taken


def merge_one(count: int, root: Path) -> dict[str, Usage]:
    """Merges a new file of a day of its own."""
    steps = Steps()
    outcome = merge(Lake(Pretending(root, count)), settings=SETTINGS)
    if (outcome.rows_added, outcome.files_added, len(outcome.accounts)) != (1, 1, 1):
        raise AssertionError(f"expected one row of one file, found {outcome}")
    steps.end("a whole merge of one new file, in a process of its own")
    return steps.taken


def _is_data(path: str) -> bool:
    return path.startswith(f"{MASTER_TABLE}/year=")


def measure(count: int) -> dict[str, Usage]:
    """What each step takes with so many files; what fills and what merges are own processes."""
    context = multiprocessing.get_context("spawn")
    taken: dict[str, Usage] = {}
    with tempfile.TemporaryDirectory(prefix="adlake-plan-") as folder:
        root = Path(folder) / "lake"
        for work in (fill, simulate, merge_one):
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                taken |= pool.submit(work, count, root).result() or {}
    return taken


def answer_all(*, quick: bool, runs: int) -> list[Answer]:
    """What each step takes with each number of files, `runs` times."""
    answers = []
    for count in (1_000,) if quick else SIZES:
        rounds = [measure(count) for _ in range(runs)]
        cases = [
            Case(name=name, rows=count, commands=(), prepare=_nothing, check=_nothing)
            for name in rounds[0]
        ]
        taken = [[one[case.name] for one in rounds] for case in cases]
        title = f"A merge that meets {count:,} files; peaks are those up to a step's end"
        answers.append(Answer(Question(title, cases), taken))
    return answers


def _nothing() -> None:
    pass


def main() -> None:
    """Prints a table, and fails where the largest size breaks a limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    taken = {count: measure(count) for count in options.sizes}
    if options.json:
        plain = {
            count: {name: asdict(one) for name, one in steps.items()}
            for count, steps in taken.items()
        }
        print(json.dumps(plain))
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
    for count, steps in taken.items():
        refuse_too_much(count, steps)


def refuse_too_much(count: int, steps: dict[str, Usage]) -> None:
    """Fails where the steps before the commit break a limit, which only the largest size can."""
    before = [steps[name] for name in BEFORE_COMMIT]
    seconds = sum(one.cpu_seconds for one in before)
    peak = max(one.peak_bytes for one in before)
    if seconds > MOST_SECONDS or peak > MOST_BYTES:
        sys.exit(
            f"with {count:,} files the steps before the commit took {seconds:.0f} seconds of CPU "
            f"and {peak / 1e6:,.0f} MB; expected at most {MOST_SECONDS} seconds and "
            f"{MOST_BYTES / 1e6:,.0f} MB"
        )


if __name__ == "__main__":
    main()
