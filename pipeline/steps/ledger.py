"""Reads the ledger as a frame."""

from collections.abc import Sequence

import polars as pl

from pipeline.lake import Lake
from pipeline.schema import LEDGER


def read_ledger(lake: Lake, uris: Sequence[str]) -> pl.DataFrame:
    """Reads ledger files.

    Args:
        lake: The lake.
        uris: Full names, as a snapshot gives them.

    Returns:
        Columns of schema.LEDGER, one row a file that a merge decided on.
    """
    schema = pl.Schema(LEDGER)
    if not uris:
        return pl.DataFrame(schema=schema)
    rows = pl.read_parquet(lake.fetch(uris), glob=False, hive_partitioning=False)
    return rows.select(schema.names()).cast(schema)
