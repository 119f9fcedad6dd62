"""Compares the master with what the generator knows that it must hold."""

from dataclasses import dataclass

import polars as pl

from pipeline.care.truth import Difference, find_differences
from pipeline.errors import LakeError, UsageError
from pipeline.generate.messy.truth import AD_DAY_TRUTH, DELIVERIES
from pipeline.lake import TRUE_DELIVERIES, TRUE_ROWS, Lake, Snapshot
from pipeline.merge.delivery import pick_judged
from pipeline.schema import AD_DAY
from pipeline.steps.ledger import read_ledger
from pipeline.steps.truth import read_truth


@dataclass(frozen=True, slots=True)
class Verification:
    """What a comparison with the truth found.

    Attributes:
        rows: How many rows the master must hold.
        files: How many files were delivered.
        differences: What is otherwise.
    """

    rows: int
    files: int
    differences: list[Difference]


def verify(lake: Lake, snapshot: Snapshot) -> Verification:
    """Compares a version of the master with the truth, all rows of the truth's sources.

    Raises:
        UsageError: The lake has no truth.
        LakeError: It, or the master, cannot be read.
    """
    truth = _need_truth(lake, TRUE_ROWS, AD_DAY_TRUTH)
    deliveries = _need_truth(lake, TRUE_DELIVERIES, DELIVERIES)
    _check_paths(lake, truth, deliveries)
    sources = deliveries["source"].unique()
    ledger = pick_judged(read_ledger(lake, snapshot.ledger))
    return Verification(
        rows=truth.height,
        files=deliveries.height,
        differences=find_differences(
            _read_master(lake, snapshot, sources),
            truth,
            deliveries,
            ledger.filter(pl.col("source").is_in(sources.implode())),
        ),
    )


def _need_truth(lake: Lake, path: str, schema: pl.Schema) -> pl.DataFrame:
    truth = read_truth(lake, path, schema)
    if truth is None:
        raise UsageError(
            f"{lake.locate(path)} is not there: only a lake that `adlake generate --messy` "
            f"delivered into knows what its master must hold"
        )
    return truth


def _check_paths(lake: Lake, truth: pl.DataFrame, deliveries: pl.DataFrame) -> None:
    """Refuses rows of files that the other table does not know.

    Raises:
        LakeError: As said.
    """
    strange = truth.filter(~pl.col("path").is_in(deliveries["path"].implode()))["path"]
    if not strange.is_empty():
        raise LakeError(
            f"{lake.locate(TRUE_ROWS)} has {strange.len():,} rows of files that "
            f"{lake.locate(TRUE_DELIVERIES)} does not name, the first of {strange[0]}: one of the "
            f"two was changed; generate into another lake to have both anew"
        )


def _read_master(lake: Lake, snapshot: Snapshot, sources: pl.Series) -> pl.DataFrame:
    if not snapshot.file_uris:
        return pl.DataFrame(schema=pl.Schema(AD_DAY))
    rows = pl.scan_parquet(lake.fetch(snapshot.file_uris), glob=False, hive_partitioning=False)
    try:
        return rows.filter(pl.col("source").is_in(sources.implode())).collect()
    except pl.exceptions.PolarsError as error:
        raise LakeError(f"a file of the master cannot be read: {error}") from error
