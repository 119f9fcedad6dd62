"""Works on one partition of the master: load its rows and the new ones, resolve, write.

A partition is worked on in slices of whole dates, so that memory does not grow with it: which row
wins never depends on another date.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pipeline.delta.log import DataFile
from pipeline.engine import map_ahead
from pipeline.lake import Lake
from pipeline.merge.plan import Part
from pipeline.merge.resolve import FILE_NO, RANK, Resolved, leave_void_out, resolve
from pipeline.merge.write import ROW_GROUP_ROWS, Writer, sort_rows
from pipeline.schema import AD_DAY
from pipeline.steps.accounting import Lost, count_lost
from pipeline.steps.batch import NOBODY, Batch
from pipeline.steps.part_rows import (
    SLICE_ROWS,
    fetch_files,
    load_incoming,
    load_rows,
    slice_part,
)

SLICES_AHEAD = ROW_GROUP_ROWS // SLICE_ROWS
"""A writer takes so many slices before it encodes them all at once; fewer would wait for it."""


class _Slice(NamedTuple):
    """What the rows of some dates came to.

    Attributes:
        rows: What the part holds of them afterwards, as `sort_rows` gives them.
        lost: As in `PartResult`.
        added: Incoming rows that did make it.
        removed: Rows of the master that went.
    """

    rows: pl.DataFrame
    lost: Lost
    added: int
    removed: int


@dataclass(slots=True, kw_only=True)
class PartResult:
    """What a part's work came to.

    Attributes:
        adds: New files.
        removes: Files whose rows are in the new ones, or gone.
        lost: Incoming rows that did not make it, by (file number, whether a duplicate).
        rows_added: Incoming rows that did.
        rows_removed: Rows of the master that went.
    """

    adds: list[DataFile] = field(default_factory=list)
    removes: list[DataFile] = field(default_factory=list)
    lost: Lost = field(default_factory=Counter)
    rows_added: int = 0
    rows_removed: int = 0

    def take_in(self, one: _Slice) -> pl.DataFrame:
        """Counts what became of a slice's rows, and returns those that it holds."""
        self.lost.update(one.lost)
        self.rows_added += one.added
        self.rows_removed += one.removed
        return one.rows


class PartTask(NamedTuple):
    """A partition to work on.

    Attributes:
        part: The partition.
        batch: What comes to it.
        number: Of its new files, in their names.
    """

    part: Part
    batch: Batch
    number: int

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"merge {self.part.year}-{self.part.month}"


@dataclass(frozen=True, slots=True)
class PartWorker:
    """Resolves a partition and writes its new files; the master does not know them yet.

    Attributes:
        lake: The lake.
        transaction: The number of the commit that will name the files.
        run: As in their names.
        ahead: How many slices of a part are resolved, one after the other, while those before them
            are written.
    """

    lake: Lake
    transaction: int
    run: str
    ahead: int = 0

    def __call__(self, task: PartTask) -> PartResult:
        """Works on one partition."""
        part, number = task.part, task.number
        batch, files = task.batch.fetch(), fetch_files(self.lake, part)
        result = PartResult()
        storage = self.lake.storage
        with storage.scratch() as scratch:
            # All files of a part have its number: they differ by their content.
            writer = Writer(storage, scratch, self.transaction, self.run, repeat(number))
            slices = slice_part(part, files, batch)
            resolve_slice = partial(_resolve_slice, batch=batch, files=files)
            resolved = map_ahead(resolve_slice, slices, ahead=self.ahead, threads=1)
            written = writer.write_part(part, map(result.take_in, resolved))
            if result.rows_added or result.rows_removed:
                result.adds = [writer.place(file) for file in written]
                result.removes = list(part.files)
        return result


def _resolve_slice(part: Part, *, batch: Batch, files: list[Path]) -> _Slice:
    current = load_rows(part, files)
    by_source: dict[str, list[int]] = {source: [] for source in batch.void["source"].unique()}
    for number in part.file_nos:
        if number != NOBODY:
            by_source.setdefault(batch.deliveries[number].source, []).append(number)
    resolved = [
        _resolve_source(current.filter(pl.col("source") == source), source, numbers, part, batch)
        for source, numbers in sorted(by_source.items())
    ]
    lost: Lost = Counter()
    for one in resolved:
        lost.update(count_lost(one.lost))
    untouched = current.filter(~pl.col("source").is_in(list(by_source)))
    return _Slice(
        rows=sort_rows(
            pl.concat([untouched, *(one.rows.select(AD_DAY.names) for one in resolved)])
        ),
        lost=lost,
        added=sum(one.added for one in resolved),
        removed=sum(one.removed for one in resolved),
    )


def _resolve_source(
    current: pl.DataFrame, source: str, numbers: Sequence[int], part: Part, batch: Batch
) -> Resolved:
    incoming = load_incoming(batch, numbers, part)
    return decide(current, incoming, source=source, numbers=numbers, batch=batch)


def decide(
    current: pl.DataFrame,
    incoming: pl.DataFrame,
    *,
    source: str,
    numbers: Sequence[int],
    batch: Batch,
) -> Resolved:
    """Decides which rows of a source the master holds. Pure.

    Args:
        current: The master's rows of the source; columns of AD_DAY.
        incoming: Accepted rows of its files, as `resolve` takes them.
        source: The source.
        numbers: Its files.
        batch: All that the merge reads.
    """
    void = batch.void.filter(pl.col("source") == source)
    if not numbers:
        return leave_void_out(current, void)
    contract, rules = batch.make_rules(numbers)
    if len(void):
        incoming = _keep_reread(incoming, batch, void)
    replaces = contract.mode == "replace_window"
    return resolve(
        current,
        incoming,
        rules=rules,
        winners=batch.winners.filter(pl.col("source") == source) if replaces else None,
        void=void if len(void) else None,
    )


def _keep_reread(incoming: pl.DataFrame, batch: Batch, void: pl.DataFrame) -> pl.DataFrame:
    """Leaves out rows of files that are read again, on dates that nobody touches."""
    again = [number for number, one in batch.deliveries.items() if one.role == "reread"]
    fresh = incoming.filter(~pl.col(FILE_NO).is_in(again))
    old = incoming.filter(pl.col(FILE_NO).is_in(again))
    return pl.concat([fresh, old.join(void, on=[*RANK, "date"], how="semi")])
