"""Which dates some rows speak for."""

from collections.abc import Sequence

import polars as pl

from pipeline.contracts import Contract

_ENDS = (pl.col("date").min().alias("first_date"), pl.col("date").max().alias("last_date"))


def find_coverage(rows: pl.DataFrame, contract: Contract, plausible: pl.Series) -> pl.DataFrame:
    """First and last plausible date for each scope and breakdown that is seen.

    Rejected rows count as well: they say that the day was reported. A row whose account or
    platform is missing covers nothing. A missing breakdown is one that is not split, ''.

    Args:
        rows: With `date`, and of `account`, `platform` and `breakdown` those that the file has.
        contract: `platform` counts only where it is in the scope.
        plausible: Whether the date of each row is; null is no.

    Returns:
        Those of the columns that count, `first_date` and `last_date`; sorted, perhaps no row.
    """
    scope = [name for name in contract.scope if name in rows.columns]
    by = scope + (["breakdown"] if "breakdown" in rows.columns else [])
    seen = rows.select(*by, "date").filter(plausible)
    if scope:
        seen = seen.drop_nulls(scope)
    if "breakdown" in by:
        seen = seen.with_columns(pl.col("breakdown").fill_null(""))
    return _find_ends(seen, by)


def _find_ends(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    if not by:
        return rows.select(_ENDS).drop_nulls()
    return rows.group_by(by).agg(_ENDS).sort(by)
