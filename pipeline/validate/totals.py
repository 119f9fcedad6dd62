"""Sums up rows of text, as a file's own rows of totals do."""

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from pipeline.contracts import Column, Contract, Dialect
from pipeline.schema import ADDITIVE
from pipeline.validate.judge import SCALE
from pipeline.validate.parts import cast_parts


def sum_up(texts: pl.DataFrame, contract: Contract, dialect: Dialect) -> dict[str, Decimal | int]:
    """The exact sums of the additive measures.

    Args:
        texts: String columns, no nulls, outer blanks removed.
        contract: Whose columns are summed.
        dialect: How they are written.

    Returns:
        By canonical column, in the columns' own type; cells that are missing or at fault are
        left out, and so is a measure without any other cell.
    """
    columns: Mapping[str, Column] = {column.name: column for column in contract.columns}
    sums: dict[str, Decimal | int] = {}
    for name in ADDITIVE:
        if name in columns and name in texts.columns:
            values = cast_parts(texts, columns[name], dialect).values.drop_nulls()
            if len(values):
                sums[name] = _add_up(values)
    return sums


def _add_up(values: pl.Series) -> Decimal | int:
    # 128 bits hold the sum of any rows that fit into memory.
    total = int(values.to_physical().cast(pl.Int128).sum())
    return Decimal(total).scaleb(-SCALE) if values.dtype == pl.Decimal else total
