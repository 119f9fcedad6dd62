"""Reads what a messy generator wrote of what the master must hold."""

import io

import polars as pl

from pipeline.errors import LakeError
from pipeline.lake import Lake


def read_truth(lake: Lake, path: str, schema: pl.Schema) -> pl.DataFrame | None:
    """One of the two tables of the truth; None where it is not there.

    Raises:
        LakeError: It cannot be read.
    """
    if lake.storage.find(path) is None:
        return None
    try:
        rows = pl.read_parquet(io.BytesIO(lake.storage.read(path)))
        return rows.select(schema.names()).cast(schema)
    except pl.exceptions.PolarsError as error:
        raise LakeError(f"{lake.locate(path)} cannot be read: {error}") from error
