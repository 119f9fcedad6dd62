"""Adds up rows that say parts of one thing: segments, hours, or what an appending source brings."""

from collections.abc import Sequence

import polars as pl

from pipeline.schema import ADDITIVE

_MEANS = ("video_view_time", "reported_ctr", "reported_cpc")
"""What may not be added up: it stays where all rows say the same, and is missing elsewhere."""


def fold_rows(rows: pl.DataFrame, key: Sequence[str], order: Sequence[str]) -> pl.DataFrame:
    """One row for each key, in the order of first sight.

    Args:
        rows: Columns of AD_DAY and others.
        key: What the rows of one group have in common.
        order: The columns by which the last row of a group is found; it gives the rest.
    """
    # A sum is missing where it is missing in all rows.
    sums = [
        pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).cast(dtype).alias(name)
        for name in ADDITIVE
        for dtype in [rows.schema[name]]
    ]
    means = [
        # Null counts among the values.
        pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).alias(name)
        for name in _MEANS
    ]
    given = {*key, *ADDITIVE, *_MEANS}
    rest = [pl.col(name).last() for name in rows.columns if name not in given]
    folded = rows.sort(order).group_by(key, maintain_order=True).agg(*sums, *means, *rest)
    return folded.select(rows.columns)
