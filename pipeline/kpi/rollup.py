"""Rollups: additive measures of one partition of the master, kept beside it.

A rollup is named after what it was made from: the master's files of its partition, the statement
that adds them up, and what else that reads. So it is never stale; where it is missing, the
measures are computed from the master.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa

from pipeline.delta.log import DataFile
from pipeline.kpi.macros import read_macro
from pipeline.kpi.statements import read_statement
from pipeline.lake import MASTER_TABLE, ROLLUP

Partition = tuple[str, str]
"""Year and month, zero-padded text, as the master has them."""

COUNT: Final = pa.decimal128(38, 0)
AMOUNT: Final = pa.decimal128(38, 6)

_SUMS: Final[list[tuple[str, pa.DataType]]] = [
    ("rows", pa.int64()),
    ("spend", AMOUNT),
    ("impressions", COUNT),
    ("clicks", COUNT),
    ("revenue", AMOUNT),
    ("conversions", AMOUNT),
    ("video_views", COUNT),
    ("view_time_sum", AMOUNT),
    ("view_time_rows", pa.int64()),
    ("view_time_weighted", AMOUNT),
    ("view_time_views", COUNT),
]
"""What sql/macros/sums.sql gives; Parquet has no HUGEINT, so counts are decimals of 38 digits."""

_KEYS: Final = ("source", "account", "breakdown", "currency", "platform")


class Kind(NamedTuple):
    """A kind of rollup.

    Attributes:
        name: Of its folder below rollup/, and of its statement in sql/rollup/.
        view: The view that has its rows, stored and computed.
        keys: What tells two rows of a day apart, all of it text.
        dates: Columns with days, first the one that tells rows apart and is of the partition.
    """

    name: str
    view: str
    keys: tuple[str, ...]
    dates: tuple[str, ...]

    @property
    def day(self) -> str:
        """The column with a day of the partition."""
        return self.dates[0]

    @property
    def schema(self) -> pa.Schema:
        """The columns of its files."""
        texts: list[tuple[str, pa.DataType]] = [(name, pa.string()) for name in self.keys]
        dates: list[tuple[str, pa.DataType]] = [(name, pa.date32()) for name in self.dates]
        return pa.schema(texts + dates + _SUMS)

    @property
    def statement(self) -> str:
        """The name of the statement that computes it."""
        return f"rollup/{self.name}"


DAILY: Final = Kind(
    name="daily",
    view="rollup",
    keys=(*_KEYS, "target_audience", "attribution"),
    dates=("date",),
)
CAMPAIGN: Final = Kind(
    name="campaign",
    view="campaign_rollup",
    keys=(*_KEYS, "campaign_id", "campaign_name"),
    dates=("month", "last_date"),
)
KINDS: Final = (DAILY, CAMPAIGN)
"""Each after those that it reads."""


@dataclass(frozen=True, slots=True)
class RollupPlan:
    """How the measures of a version are come by.

    Attributes:
        names: The key of each partition's rollup, there or not.
        stored: Keys of the rollup files that are there, sorted.
        unrolled: Keys of the master's files in partitions without one, sorted.
        missing: Those of `names` that are not there, and of which no mark says that they would be
            too large.
    """

    names: Mapping[Partition, str]
    stored: tuple[str, ...]
    unrolled: tuple[str, ...]
    missing: Mapping[Partition, str]


def group_partitions(files: Iterable[DataFile]) -> dict[Partition, tuple[str, ...]]:
    """The sorted paths of the master's files by partition, in the order of time."""
    paths: dict[Partition, list[str]] = {}
    for file in files:
        partition = (file.partition["year"], file.partition["month"])
        paths.setdefault(partition, []).append(file.path)
    return {partition: tuple(sorted(paths[partition])) for partition in sorted(paths)}


def name_rollup(
    partition: Partition, paths: Sequence[str], *, kind: Kind = DAILY, definition: str
) -> str:
    """The key of the rollup of a partition.

    Args:
        partition: Year and month.
        paths: The master's files in it, in any order.
        kind: Which rollup.
        definition: All that its rows depend on beside these files, such as the text of the
            statement, so that a changed definition never meets an old file.
    """
    year, month = partition
    content = "\n".join([*sorted(paths), definition])
    digest = hashlib.sha256(content.encode()).hexdigest()[:32]
    return f"{ROLLUP}/{kind.name}/year={year}/month={month}/{digest}.parquet"


def name_mark(name: str) -> str:
    """The key of the mark that says that the rollup of a name would be too large to store."""
    return f"{name.removesuffix('.parquet')}.large"


def define_rollup(kind: Kind, *, preferred: Iterable[Sequence[object]]) -> str:
    """What the rows of a kind depend on beside the master's files of their partition.

    Args:
        kind: Which rollup.
        preferred: Rows of the view preferred_breakdown, in its order.
    """
    texts = [read_macro("sums"), read_statement(kind.statement)]
    if kind is CAMPAIGN:  # it holds only the breakdown that counts
        texts += [read_statement("views/chosen_breakdown"), repr([tuple(row) for row in preferred])]
    return "\n".join(texts)


def plan_rollup(
    files: Iterable[DataFile], kind: Kind, *, definition: str, present: Collection[str]
) -> RollupPlan:
    """Shares the partitions between those with a rollup file and those without.

    Args:
        files: The master's files.
        kind: Which rollup.
        definition: As `define_rollup` gives it.
        present: Keys that are there, of rollups and of marks.
    """
    partitions = group_partitions(files)
    names = {
        partition: name_rollup(partition, paths, kind=kind, definition=definition)
        for partition, paths in partitions.items()
    }
    absent = {key: name for key, name in names.items() if name not in present}
    return RollupPlan(
        names=names,
        stored=tuple(sorted(name for name in names.values() if name in present)),
        unrolled=tuple(
            sorted(f"{MASTER_TABLE}/{path}" for key in absent for path in partitions[key])
        ),
        missing={key: name for key, name in absent.items() if name_mark(name) not in present},
    )
