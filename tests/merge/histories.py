"""Random histories of deliveries, and what the master must hold: a brute-force reference model.

Written from the rules of delivery and not from the code: it knows a set of files, row by row, in
plain Python, and nothing of the order in which they arrived.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, NamedTuple

Mode = Literal["append", "upsert", "folding_upsert", "replace_window", "folding", "by_platform"]
MODES: tuple[Mode, ...] = (
    "append",
    "upsert",
    "folding_upsert",
    "replace_window",
    "folding",
    "by_platform",
)
DAYS = 6

Campaign = tuple[str | None, str]
"""Id, and name; without an id the name identifies it."""


class Line(NamedTuple):
    """One row of a file; a rejected one says that its day was reported, and nothing else.

    `part` says of which part of the day or campaign it is, where parts are added up.
    """

    account: str
    platform: str
    campaign: Campaign
    segment: str
    day: int
    cents: int
    clicks: int | None
    rejected: bool = False
    part: str | None = None


@dataclass(frozen=True)
class File:
    """A delivered file.

    Attributes:
        moment: Hour of its delivery.
        key: Delivery key; files of one moment and key belong together.
        sha256: Of its bytes.
        breakdown: Of all its rows.
        lines: Its rows; the first stands on line 2.
        period: First and last day that it declares, if it does.
        scope: Account and platform that it declares; what it speaks for without any row.
        copy: Number of the place at which it lies, where the same file was landed twice.
    """

    moment: int
    key: str
    sha256: str
    breakdown: str
    lines: tuple[Line, ...]
    period: tuple[int, int] | None = None
    scope: tuple[str, str] | None = None
    copy: int = 0

    @property
    def rank(self) -> tuple[int, str]:
        return self.moment, self.key

    @property
    def identity(self) -> tuple[int, str, str]:
        return self.moment, self.key, self.sha256

    @property
    def path(self) -> str:
        return f"landing/s/delivered={self.key}/{self.sha256}-{self.copy}.csv"


class Place(NamedTuple):
    """Where the master holds one row."""

    account: str
    platform: str
    breakdown: str
    segment: str
    campaign: str
    day: int


class Figures(NamedTuple):
    """What it says there, and the delivery and line that it came from."""

    cents: int
    clicks: int | None
    rank: tuple[int, str]
    line: int


class _Row(NamedTuple):
    file: File
    number: int
    line: Line

    @property
    def order(self) -> tuple[tuple[int, str], str, int]:
        return self.file.rank, self.file.sha256, self.number

    @property
    def place(self) -> Place:
        line = self.line
        return Place(
            line.account,
            line.platform,
            self.file.breakdown,
            line.segment,
            f"id:{line.campaign[0]}" if line.campaign[0] else f"name:{line.campaign[1]}",
            line.day,
        )


Master = dict[Place, Figures]
Merges = list[list[File]]


def expect_master(mode: Mode, files: Iterable[File]) -> Master:
    """What the master must hold of a set of files."""
    by_identity = {file.identity: file for file in files}
    known = sorted(by_identity.values(), key=lambda file: file.identity)
    if mode == "append":
        known = list({file.sha256: file for file in reversed(known)}.values())
        return _add_up(row for file in known for row in list_rows(file))
    rows = [row for file in known for row in list_rows(file)]
    if mode == "folding_upsert":
        said = sorted(rows, key=lambda row: row.order)
        newest = {row.place: row.file.rank for row in said}
        return _add_parts(row for row in rows if newest[row.place] == row.file.rank)
    if mode != "upsert":
        speakers = {
            register: file.rank for file in known for register in list_registers(mode, file)
        }
        rows = [row for row in rows if speakers[_name_register(mode, row)] == row.file.rank]
    return _add_parts(rows) if mode == "folding" else _pick_last(rows)


def list_registers(mode: Mode, file: File) -> set[tuple[str, str, str, int]]:
    """Account, platform where it is in the scope, breakdown and day for which a file speaks."""
    days: dict[tuple[str, str], list[int]] = defaultdict(list)
    for line in file.lines:
        days[line.account, line.platform if mode == "by_platform" else ""].append(line.day)
    if not file.lines and file.period and file.scope:
        days[file.scope[0], file.scope[1] if mode == "by_platform" else ""] = []
    return {
        (account, platform, file.breakdown, day)
        for (account, platform), found in days.items()
        for first, last in [file.period or (min(found), max(found))]
        for day in range(first, last + 1)
    }


def list_rows(file: File) -> list[_Row]:
    """The accepted rows of a file."""
    numbered = enumerate(file.lines, start=2)
    return [_Row(file, number, line) for number, line in numbered if not line.rejected]


def _name_register(mode: Mode, row: _Row) -> tuple[str, str, str, int]:
    line = row.line
    platform = line.platform if mode == "by_platform" else ""
    return line.account, platform, row.file.breakdown, line.day


def _pick_last(rows: Iterable[_Row]) -> Master:
    return {row.place: _say([row]) for row in sorted(rows, key=lambda row: row.order)}


def _add_parts(rows: Iterable[_Row]) -> Master:
    """Adds up; of one part that was said twice only the last counts."""
    ordered = sorted(rows, key=lambda row: row.order)
    return _add_up({(row.place, row.line.part or row.order): row for row in ordered}.values())


def _add_up(rows: Iterable[_Row]) -> Master:
    groups: dict[Place, list[_Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.order):
        groups[row.place].append(row)
    return {place: _say(group) for place, group in groups.items()}


def _say(rows: Sequence[_Row]) -> Figures:
    clicks = [row.line.clicks for row in rows if row.line.clicks is not None]
    return Figures(
        cents=sum(row.line.cents for row in rows),
        clicks=sum(clicks) if clicks else None,
        rank=rows[-1].file.rank,
        line=rows[-1].number,
    )


def make_history(seed: int) -> tuple[Mode, Merges]:
    """A mode, and the files of each merge in the order of arrival."""
    random = Random(seed)
    mode = MODES[seed % len(MODES)]
    deliveries = [
        # Some moments are shared: then the delivery key decides.
        (random.randrange(4), f"k{number}")
        for number in random.sample(range(10), random.randint(1, 5))
    ]
    files = [
        _make_file(random, mode, random.choice(deliveries), f"{random.randrange(16**6):06x}")
        for _ in range(random.randint(3, 6))
    ]
    if random.random() < 0.4:  # the same bytes at a later time
        moment = random.randint(4, 6)
        files.append(replace(random.choice(files), moment=moment, key=f"again{moment}"))
    if random.random() < 0.4:  # the very same file, landed twice
        files.append(replace(random.choice(files), copy=1))
    random.shuffle(files)
    return mode, split(random, files)


def split(random: Random, files: Sequence[File]) -> Merges:
    """Cuts files into merges of random sizes."""
    merges: Merges = []
    start = 0
    while start < len(files):
        stop = start + random.randint(1, 5)
        merges.append(list(files[start:stop]))
        start = stop
    return merges


def _make_file(random: Random, mode: Mode, rank: tuple[int, str], sha256: str) -> File:
    accounts = random.sample(["a", "b", ""], random.randint(1, 2))
    days = random.sample(range(DAYS), random.randint(1, 4))
    parts = ["1", "2", "3"] if mode in {"folding", "folding_upsert"} else [None]
    lines = [
        _make_line(random, accounts, days, parts) for _ in range(random.choice([0, 1, 2, 4, 6]))
    ]
    period = None
    if random.random() < 0.4:
        first = random.randrange(DAYS)
        period = (first, random.randrange(first, DAYS))
        lines = [line for line in lines if period[0] <= line.day <= period[1]]
    return File(
        moment=rank[0],
        key=rank[1],
        sha256=sha256,
        breakdown=random.choice(["", "", "age"]),
        lines=tuple(lines),
        period=period,
        scope=random.choice([(accounts[0], "p"), None]),
    )


def _make_line(
    random: Random, accounts: Sequence[str], days: Sequence[int], parts: Sequence[str | None]
) -> Line:
    return Line(
        account=random.choice(accounts),
        platform=random.choice(["p", "p", "q"]),
        campaign=random.choice(
            [("1", "x"), ("1", "renamed"), ("2", "x"), (None, "1"), (None, "x")]
        ),
        segment=random.choice(["", "", "18-24"]),
        day=random.choice(days),
        cents=random.randrange(4),
        clicks=random.choice([None, 0, 3]),
        rejected=random.random() < 0.1,
        part=random.choice(parts),
    )
