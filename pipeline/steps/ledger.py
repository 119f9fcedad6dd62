"""Reads the ledger as a frame."""

import polars as pl

from pipeline.errors import LakeError
from pipeline.lake import Lake
from pipeline.ledger import LedgerPart
from pipeline.schema import LEDGER


def read_ledger(lake: Lake, part: LedgerPart) -> pl.DataFrame:
    """Reads the ledger.

    Args:
        lake: The lake.
        part: Up to where, as a snapshot gives it.

    Returns:
        Columns of schema.LEDGER, one row a file that a merge decided on.

    Raises:
        LakeError: One of its files is damaged.
    """
    schema = pl.Schema(LEDGER)
    if not part.uris:
        return pl.DataFrame(schema=schema)
    try:
        rows = pl.read_parquet(lake.fetch(part.uris), glob=False, hive_partitioning=False)
        rows = rows.select(schema.names()).cast(schema)
    except pl.exceptions.PolarsError as error:
        said, _, _ = str(error).partition("\n")
        raise LakeError(
            f"a file of the ledger cannot be read ({said}): adlake fsck says which are damaged"
        ) from error
    if rows["n"].max() == part.last:  # a filter would copy all of them to leave none out
        return rows
    return rows.filter(pl.col("n") <= part.last)
