"""Cuts a partition of the master into slices of dates, and loads their rows and the new ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.errors import LakeError
from pipeline.lake import MASTER_TABLE, Lake
from pipeline.merge.plan import Part, cut_dates
from pipeline.merge.resolve import FILE_NO, RANK
from pipeline.schema import AD_DAY, PART_CELL
from pipeline.staging import fetch_spooled
from pipeline.steps.batch import NOBODY, Batch
from pipeline.steps.ingest import READ_NO

NEVER_NULL = ("account", "breakdown", "segment")
"""Columns in which nothing is ''."""

SLICE_ROWS = 1 << 17
"""So many rows of a partition are worked on at once, of whole dates."""

_SCHEMA = pl.Schema(AD_DAY)


def slice_part(part: Part, lake: Lake, batch: Batch | None = None) -> list[Part]:
    """Cuts a part into slices of dates.

    Args:
        part: The partition.
        lake: The lake that its files are of.
        batch: Whose rows come to those of the files.
    """
    numbers = [number for number in part.file_nos if number != NOBODY]
    results = [batch.results[number] for number in numbers] if batch else []
    rows = sum(file.rows for file in part.files) + sum(result.valid for result in results)
    if rows <= SLICE_ROWS:
        return [part]
    days = sum((result.days for result in results), Counter[date]())
    if part.files:
        dates = pl.scan_parquet(_fetch(lake, part), glob=False, hive_partitioning=False)
        counted = dates.filter(_is_within(part)).group_by("date").len().collect()
        days.update(dict(counted.iter_rows()))
    days = Counter({day: rows for day, rows in days.items() if part.first <= day <= part.last})
    return [
        replace(part, first=first, last=last)
        for first, last in cut_dates(days, part.first, part.last, rows=SLICE_ROWS)
    ]


def _fetch(lake: Lake, part: Part) -> list[Path]:
    return lake.fetch(lake.locate(f"{MASTER_TABLE}/{file.path}") for file in part.files)


def load_rows(lake: Lake, part: Part) -> pl.DataFrame:
    """The rows of a part's files on its dates; columns of AD_DAY.

    Raises:
        LakeError: A file cannot be read.
    """
    if not part.files:
        return pl.DataFrame(schema=_SCHEMA)
    try:
        rows = pl.scan_parquet(_fetch(lake, part), glob=False, hive_partitioning=False)
        return rows.filter(_is_within(part)).select(AD_DAY.names).cast(_SCHEMA).collect()
    except (pl.exceptions.PolarsError, FileNotFoundError, LakeError) as error:
        raise LakeError(
            f"a file of the master in {part.year}-{part.month} cannot be read ({error}): "
            f"adlake fsck says which files are damaged"
        ) from error


def load_incoming(batch: Batch, numbers: Sequence[int], part: Part) -> pl.DataFrame:
    """The accepted rows of some files that fall into a part, as `resolve` takes them."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for number in numbers:
        result = batch.results[number]
        if result.spooled and any(part.first <= day <= part.last for day in result.days):
            alike.setdefault(result.columns, []).append(number)
    loaded = [_load_files(batch, group, part) for _, group in sorted(alike.items())]
    empty = pl.DataFrame(schema={**_SCHEMA, FILE_NO: pl.Int32(), PART_CELL: pl.String()})
    return pl.concat([empty, *loaded])


def _load_files(batch: Batch, numbers: Sequence[int], part: Part) -> pl.DataFrame:
    """The same for files whose spooled rows have the same columns."""
    files = {file for number in numbers for file in batch.results[number].spooled}
    paths = fetch_spooled(sorted(files, key=str))
    columns = batch.results[numbers[0]].columns
    rows = (
        pl.scan_ipc(paths, glob=False, hive_partitioning=False)
        .filter(_is_within(part))
        .join(_describe_files(batch, numbers, columns), on=READ_NO, how="inner")
    )
    present = rows.collect_schema().names()
    wanted = {**_SCHEMA, PART_CELL: pl.String()}
    absent = [
        pl.lit(None, dtype).alias(name) for name, dtype in wanted.items() if name not in present
    ]
    # A cell that was left empty means what a file without the column means.
    unsplit = pl.col(*NEVER_NULL).fill_null("")
    return (
        rows.with_columns(absent)
        .with_columns(unsplit)
        .select(*AD_DAY.names, FILE_NO, PART_CELL)
        .collect()
    )


def _is_within(part: Part) -> pl.Expr:
    return pl.col("date").is_between(part.first, part.last)


def _describe_files(batch: Batch, numbers: Sequence[int], columns: Sequence[str]) -> pl.LazyFrame:
    """What is the same for all rows of a file: one row a file, by its number when it was read."""
    constant = sorted(
        {name for number in numbers for name in batch.results[number].constants} - {*columns}
    )
    names = ["source", *RANK, *constant]
    schema = {
        READ_NO: pl.Int32(),
        FILE_NO: pl.Int32(),
        **{name: _SCHEMA[name] for name in names},
    }
    rows = [
        (
            batch.results[number].read_no,
            number,
            batch.deliveries[number].source,
            *batch.deliveries[number].rank,
            *(batch.results[number].constants.get(name) for name in constant),
        )
        for number in numbers
    ]
    return pl.LazyFrame(rows, schema=schema, orient="row")
