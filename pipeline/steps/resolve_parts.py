"""Works on one partition of the master: load its rows and the new ones, resolve, write."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.contracts import Contract
from pipeline.merge.plan import Part
from pipeline.merge.resolve import FILE_NO, RANK, Resolved, resolve
from pipeline.merge.write import Writer
from pipeline.schema import AD_DAY, GRAIN
from pipeline.steps.accounting import Lost
from pipeline.steps.batch import Batch
from pipeline.table import DataFile, Table

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
    current = _load_current(master, part)
    by_source: dict[str, list[int]] = {}
    for number in part.file_nos:
        by_source.setdefault(batch.deliveries[number].source, []).append(number)
    resolved = [
        _resolve_source(current.filter(pl.col("source") == source), source, numbers, part, batch)
        for source, numbers in sorted(by_source.items())
    ]
    lost: Lost = Counter()
    for one in resolved:
        for number, duplicate, count in one.lost.group_by(FILE_NO, "duplicate").len().iter_rows():
            lost[number, duplicate] += count
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
    contract = batch.contracts[batch.results[numbers[0]].contract]
    incoming = _load_incoming(batch, numbers, part)
    reread = _list_reread(batch, numbers)
    if reread is not None:
        incoming = _keep_reread(incoming, batch, reread)
    replaces = contract.mode == "replace_window"
    return resolve(
        current,
        incoming,
        key=_choose_key(contract),
        winners=batch.winners.filter(pl.col("source") == source) if replaces else None,
        reread=reread,
    )


def _choose_key(contract: Contract) -> Sequence[str]:
    """The columns in which one row of a source wins: its key, or the grain of the master."""
    if contract.mode == "upsert":
        return contract.key
    has_ids = any(column.name == "campaign_id" and column.required for column in contract.columns)
    return [name for name in GRAIN if name != "campaign_name" or not has_ids]


def _list_reread(batch: Batch, numbers: Sequence[int]) -> pl.DataFrame | None:
    """Deliveries that grew and the dates on which they are resolved again, or None."""
    spans = [
        (*batch.deliveries[span.file_no].rank, span.first, span.last)
        for span in batch.spans
        if span.file_no in numbers and batch.deliveries[span.file_no].reread
    ]
    if not spans:
        return None
    schema = {**{name: _SCHEMA[name] for name in RANK}, "first": pl.Date(), "last": pl.Date()}
    return (
        pl.DataFrame(spans, schema=schema, orient="row")
        .with_columns(date=pl.date_ranges("first", "last"))
        .explode("date")
        .select(*RANK, "date")
        .unique()
    )


def _keep_reread(incoming: pl.DataFrame, batch: Batch, reread: pl.DataFrame) -> pl.DataFrame:
    """Leaves out rows of files that are read again, on dates that the new files do not touch."""
    again = [number for number, one in enumerate(batch.deliveries) if one.reread]
    fresh = incoming.filter(~pl.col(FILE_NO).is_in(again))
    old = incoming.filter(pl.col(FILE_NO).is_in(again))
    return pl.concat([fresh, old.join(reread, on=[*RANK, "date"], how="semi")])


def _load_current(master: Table, part: Part) -> pl.DataFrame:
    uris = master.locate(part.files)
    if not uris:
        return pl.DataFrame(schema=_SCHEMA)
    rows = pl.read_parquet(uris, glob=False, hive_partitioning=False)
    return rows.select(AD_DAY.names).cast(_SCHEMA)


def _load_incoming(batch: Batch, numbers: Sequence[int], part: Part) -> pl.DataFrame:
    """The accepted rows of some files that fall into a part: columns of AD_DAY and `file_no`."""
    by_contract: dict[str, list[int]] = {}
    for number in numbers:
        if batch.results[number].spooled:
            by_contract.setdefault(batch.results[number].contract, []).append(number)
    loaded = [
        _load_files(batch, group, part, batch.contracts[name])
        for name, group in sorted(by_contract.items())
    ]
    empty = pl.DataFrame(schema={**_SCHEMA, FILE_NO: pl.Int32()})
    return pl.concat([empty, *loaded])


def _load_files(
    batch: Batch, numbers: Sequence[int], part: Part, contract: Contract
) -> pl.DataFrame:
    """The same for files of one contract, whose spooled rows have the same columns."""
    paths = sorted({path for number in numbers for path in batch.results[number].spooled})
    rows = (
        pl.scan_ipc(paths, glob=False, hive_partitioning=False)
        .filter(pl.col("date").is_between(part.first, part.last))
        .join(_describe_files(batch, numbers, contract), on=FILE_NO, how="inner")
    )
    present = rows.collect_schema().names()
    absent = [
        pl.lit(contract.constants.get(name), dtype).alias(name)
        for name, dtype in _SCHEMA.items()
        if name not in present
    ]
    return rows.with_columns(absent).select(*AD_DAY.names, FILE_NO).collect()


def _describe_files(batch: Batch, numbers: Sequence[int], contract: Contract) -> pl.LazyFrame:
    """What is the same for all rows of a file: one row a file."""
    schema = {
        FILE_NO: pl.Int32(),
        **{name: _SCHEMA[name] for name in ("source", "account", *RANK)},
    }
    rows = [
        (
            number,
            batch.deliveries[number].source,
            batch.deliveries[number].account or contract.constants.get("account"),
            *batch.deliveries[number].rank,
        )
        for number in numbers
    ]
    return pl.LazyFrame(rows, schema=schema, orient="row")
