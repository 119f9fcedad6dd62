"""Random histories of deliveries, and what the master must hold after each: a plain model.

The model knows the set of files and nothing of the order in which they came. It is written from
the rules of delivery (ARCHITECTURE.md), row by row, in plain Python.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

Mode = Literal["append", "upsert", "replace_window", "folding"]
MODES: tuple[Mode, ...] = ("append", "upsert", "replace_window", "folding")
DAYS = 5


class Row(NamedTuple):
    """One row: account, campaign (by id or by name), day, cost in cents."""

    account: str
    campaign: str
    day: int
    cents: int


@dataclass(frozen=True)
class File:
    """A delivered file.

    Attributes:
        rank: Of its delivery; files of one rank belong together.
        sha256: Of its bytes.
        breakdown: Of all its rows.
        rows: In the order of its lines.
        period: First and last day that it declares, if it does.
        scope: The account that it declares, if it does.
    """

    rank: int
    sha256: str
    breakdown: str
    rows: tuple[Row, ...]
    period: tuple[int, int] | None
    scope: str | None

    def list_windows(self) -> dict[str, tuple[int, int]]:
        """For each account the first and last day for which the file speaks."""
        accounts = {row.account for row in self.rows}
        if not self.rows and self.period is not None and self.scope is not None:
            accounts = {self.scope}
        days = {
            account: [row.day for row in self.rows if row.account == account]
            for account in accounts
        }
        return {account: self.period or (min(found), max(found)) for account, found in days.items()}


Place = tuple[str, str, str, int]
"""Account, breakdown, campaign, day."""


def make_history(seed: int) -> tuple[Mode, list[list[File]]]:
    """A mode, and the files of each merge in the order of arrival."""
    random = Random(seed)
    mode = MODES[seed % len(MODES)]
    files = [
        _make_file(random, rank, f"{seed}-{rank}-{number}")
        for rank in random.sample(range(10), random.randint(1, 4))
        for number in range(random.randint(1, 3))
    ]
    if random.random() < 0.5:  # the same bytes as a new delivery
        files.append(_deliver_again(random.choice(files), rank=random.randint(10, 12)))
    random.shuffle(files)
    merges: list[list[File]] = []
    while files:
        size = random.randint(1, 4)
        merges.append(files[:size])
        files = files[size:]
    return mode, merges


def expect_rows(mode: Mode, files: Sequence[File]) -> dict[Place, int]:
    """What the master must hold, by place, in cents."""
    if mode == "append":
        return _add_up({file.sha256: file for file in files}.values())
    if mode == "upsert":
        return _pick_last(sorted(files, key=lambda file: (file.rank, file.sha256)))
    expected: dict[Place, int] = {}
    for register in {register for file in files for register in _list_registers(file)}:
        speakers = [file for file in files if register in _list_registers(file)]
        winner = max(file.rank for file in speakers)
        account, breakdown, day = register
        spoken = [
            _narrow(file, account, day)
            for file in sorted(files, key=lambda file: file.sha256)
            if file.rank == winner and file.breakdown == breakdown
        ]
        expected |= _add_up(spoken) if mode == "folding" else _pick_last(spoken)
    return expected


def _make_file(random: Random, rank: int, sha256: str) -> File:
    accounts = random.sample(["a", "b", ""], random.randint(1, 2))
    rows = [
        Row(
            random.choice(accounts),
            random.choice(["id:1", "id:2", "name:1", "name:x"]),
            random.randrange(DAYS),
            random.randrange(1, 1000),
        )
        for _ in range(random.choice([0, 1, 2, 4]))
    ]
    period = None
    if random.random() < 0.4:
        first = random.randrange(DAYS)
        period = (first, random.randrange(first, DAYS))
        rows = [row for row in rows if period[0] <= row.day <= period[1]]
    scope = random.choice([accounts[0], None])
    breakdown = random.choice(["", "", "age"])
    return File(rank, sha256, breakdown, tuple(rows), period, scope)


def _deliver_again(file: File, *, rank: int) -> File:
    return File(rank, file.sha256, file.breakdown, file.rows, file.period, file.scope)


def _list_registers(file: File) -> set[tuple[str, str, int]]:
    return {
        (account, file.breakdown, day)
        for account, (first, last) in file.list_windows().items()
        for day in range(first, last + 1)
    }


def _narrow(file: File, account: str, day: int) -> File:
    rows = tuple(row for row in file.rows if (row.account, row.day) == (account, day))
    return File(file.rank, file.sha256, file.breakdown, rows, file.period, file.scope)


def _place(file: File, row: Row) -> Place:
    return row.account, file.breakdown, row.campaign, row.day


def _add_up(files: Iterable[File]) -> dict[Place, int]:
    sums: Counter[Place] = Counter()
    for file in files:
        for row in file.rows:
            sums[_place(file, row)] += row.cents
    return dict(sums)


def _pick_last(files: Sequence[File]) -> dict[Place, int]:
    return {_place(file, row): row.cents for file in files for row in file.rows}
