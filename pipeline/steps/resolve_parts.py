"""Works on one partition of the master: load its rows and the new ones, resolve, write."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.errors import LakeError
from pipeline.merge.plan import Part
from pipeline.merge.resolve import FILE_NO, RANK, Resolved, leave_void_out, resolve
from pipeline.merge.write import Writer
from pipeline.schema import AD_DAY
from pipeline.steps.accounting import Lost, count_lost
from pipeline.steps.batch import NOBODY, Batch
from pipeline.table import DataFile, Table

NEVER_NULL = ("account", "breakdown", "segment")
"""Columns in which nothing is ''."""

_SCHEMA = pl.Schema(AD_DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """What a part's work came to.

    Attributes:
        adds: New files.
        removes: Files whose rows are in the new ones, or gone.
        lost: Incoming rows that did not make it, by (file number, whether a duplicate).
        rows_added: Incoming rows that did.
        rows_removed: Rows of the master that went.
    """

    adds: list[DataFile]
    removes: list[DataFile]
    lost: Lost
    rows_added: int
    rows_removed: int


def work_on_part(part: Part, *, batch: Batch, master: Table, writer: Writer) -> PartResult:
    """Resolves one partition and writes its new files; the master does not know them yet."""
    current = load_rows(master, part)
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
    added = sum(one.added for one in resolved)
    removed = sum(one.removed for one in resolved)
    if not added and not removed:
        return PartResult(adds=[], removes=[], lost=lost, rows_added=0, rows_removed=0)
    untouched = current.filter(~pl.col("source").is_in(list(by_source)))
    rows = pl.concat([untouched, *(one.rows.select(AD_DAY.names) for one in resolved)])
    return PartResult(
        adds=writer.write_part(part, rows),
        removes=list(part.files),
        lost=lost,
        rows_added=added,
        rows_removed=removed,
    )


def _resolve_source(
    current: pl.DataFrame, source: str, numbers: Sequence[int], part: Part, batch: Batch
) -> Resolved:
    incoming = _load_incoming(batch, numbers, part)
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
        incoming: Accepted rows of its files; columns of AD_DAY and `file_no`.
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
    again = [number for number, one in enumerate(batch.deliveries) if one.role == "reread"]
    fresh = incoming.filter(~pl.col(FILE_NO).is_in(again))
    old = incoming.filter(pl.col(FILE_NO).is_in(again))
    return pl.concat([fresh, old.join(void, on=[*RANK, "date"], how="semi")])


def load_rows(master: Table, part: Part) -> pl.DataFrame:
    """The rows of a part's files; columns of AD_DAY.

    Raises:
        LakeError: A file cannot be read.
    """
    uris = master.locate(part.files)
    if not uris:
        return pl.DataFrame(schema=_SCHEMA)
    try:
        rows = pl.read_parquet(uris, glob=False, hive_partitioning=False)
        return rows.select(AD_DAY.names).cast(_SCHEMA)
    except (pl.exceptions.PolarsError, FileNotFoundError) as error:
        raise LakeError(
            f"a file of the master in {part.year}-{part.month} cannot be read ({error}): "
            f"adlake fsck says which files are damaged"
        ) from error


def _load_incoming(batch: Batch, numbers: Sequence[int], part: Part) -> pl.DataFrame:
    """The accepted rows of some files that fall into a part: columns of AD_DAY and `file_no`."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for number in numbers:
        if batch.results[number].spooled:
            alike.setdefault(batch.results[number].columns, []).append(number)
    loaded = [_load_files(batch, group, part) for _, group in sorted(alike.items())]
    empty = pl.DataFrame(schema={**_SCHEMA, FILE_NO: pl.Int32()})
    return pl.concat([empty, *loaded])


def _load_files(batch: Batch, numbers: Sequence[int], part: Part) -> pl.DataFrame:
    """The same for files whose spooled rows have the same columns."""
    paths = sorted({path for number in numbers for path in batch.results[number].spooled})
    columns = batch.results[numbers[0]].columns
    rows = (
        pl.scan_ipc(paths, glob=False, hive_partitioning=False)
        .filter(pl.col("date").is_between(part.first, part.last))
        .join(_describe_files(batch, numbers, columns), on=FILE_NO, how="inner")
    )
    present = rows.collect_schema().names()
    absent = [
        pl.lit(None, dtype).alias(name) for name, dtype in _SCHEMA.items() if name not in present
    ]
    # A cell that was left empty means what a file without the column means.
    unsplit = pl.col(*NEVER_NULL).fill_null("")
    return rows.with_columns(absent).with_columns(unsplit).select(*AD_DAY.names, FILE_NO).collect()


def _describe_files(batch: Batch, numbers: Sequence[int], columns: Sequence[str]) -> pl.LazyFrame:
    """What is the same for all rows of a file: one row a file."""
    constant = sorted(
        {name for number in numbers for name in batch.results[number].constants} - {*columns}
    )
    names = ["source", *RANK, *constant]
    schema = {FILE_NO: pl.Int32(), **{name: _SCHEMA[name] for name in names}}
    rows = [
        (
            number,
            batch.deliveries[number].source,
            *batch.deliveries[number].rank,
            *(batch.results[number].constants.get(name) for name in constant),
        )
        for number in numbers
    ]
    return pl.LazyFrame(rows, schema=schema, orient="row")
