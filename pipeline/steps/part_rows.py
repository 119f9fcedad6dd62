"""Cuts a partition of the master into slices of dates, and loads their rows and the new ones."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa

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

SLICE_ROWS = 1 << 16
"""So many rows of a partition are worked on at once, of whole dates."""

_SCHEMA = pl.Schema(AD_DAY)


def fetch_files(lake: Lake, part: Part) -> list[Path]:
    """Local files with the bytes of a part's files, which the store is asked for once.

    Raises:
        LakeError: A file cannot be read.
    """
    with _explained(part):
        return lake.fetch(lake.locate(f"{MASTER_TABLE}/{file.path}") for file in part.files)


def slice_part(part: Part, files: list[Path], batch: Batch | None = None) -> list[Part]:
    """Cuts a part into slices of dates.

    Args:
        part: The partition.
        files: Its files, as `fetch_files` gives them.
        batch: Whose rows come to those of the files.

    Raises:
        LakeError: A file cannot be read.
    """
    numbers = [number for number in part.file_nos if number != NOBODY]
    results = [batch.results[number] for number in numbers] if batch else []
    rows = sum(file.rows for file in part.files) + sum(result.valid for result in results)
    if rows <= SLICE_ROWS:
        return [part]
    days = sum((result.days for result in results), Counter[date]())
    if files:
        with _explained(part):
            dates = pl.scan_parquet(files, glob=False, hive_partitioning=False)
            counted = dates.filter(_is_within(part)).group_by("date").len().collect()
        days.update(dict(counted.iter_rows()))
    days = Counter({day: rows for day, rows in days.items() if part.first <= day <= part.last})
    return [
        replace(part, first=first, last=last)
        for first, last in cut_dates(days, part.first, part.last, rows=SLICE_ROWS)
    ]


def load_rows(part: Part, files: list[Path]) -> pl.DataFrame:
    """The rows of a part's files on its dates; columns of AD_DAY.

    Args:
        part: The partition, or a slice of it.
        files: Its files, as `fetch_files` gives them.

    Raises:
        LakeError: A file cannot be read.
    """
    if not files:
        return pl.DataFrame(schema=_SCHEMA)
    with _explained(part):
        rows = pl.scan_parquet(files, glob=False, hive_partitioning=False)
        return rows.filter(_is_within(part)).select(AD_DAY.names).cast(_SCHEMA).collect()


@contextlib.contextmanager
def _explained(part: Part) -> Iterator[None]:
    try:
        yield
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
    files = set(fetch_spooled(chain.from_iterable(batch.results[one].spooled for one in numbers)))
    about = _describe_files(batch, numbers, batch.results[numbers[0]].columns)
    rows = pl.concat([_load_spooled(path, about, part) for path in sorted(files)])
    wanted = {**_SCHEMA, PART_CELL: pl.String()}
    absent = [
        pl.lit(None, dtype).alias(name) for name, dtype in wanted.items() if name not in rows.schema
    ]
    # A cell that was left empty means what a file without the column means.
    unsplit = pl.col(*NEVER_NULL).fill_null("")
    return rows.with_columns(absent).with_columns(unsplit).select(*AD_DAY.names, FILE_NO, PART_CELL)


def _load_spooled(path: Path, about: pl.DataFrame, part: Part) -> pl.DataFrame:
    """The rows of an intermediate file on a part's dates, with what `about` says of their files.

    They stay where they are, mapped into memory: most files are of one part, and a copy of all
    their columns would cost as much as anything that is done with them.
    """
    with pa.memory_map(str(path)) as file:
        rows = _keep(pl.DataFrame(pa.ipc.open_file(file).read_all()), _is_within(part))
    told = rows.select(READ_NO).join(about, on=READ_NO, how="left", maintain_order="left")
    return _keep(rows.drop(READ_NO).hstack(told.drop(READ_NO)), pl.col(FILE_NO).is_not_null())


def _keep(rows: pl.DataFrame, condition: pl.Expr) -> pl.DataFrame:
    kept = rows.select(condition).to_series()
    return rows if kept.all(ignore_nulls=False) else rows.filter(kept)


def _is_within(part: Part) -> pl.Expr:
    return pl.col("date").is_between(part.first, part.last)


def _describe_files(batch: Batch, numbers: Sequence[int], columns: Sequence[str]) -> pl.DataFrame:
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
    return pl.DataFrame(rows, schema=schema, orient="row")
