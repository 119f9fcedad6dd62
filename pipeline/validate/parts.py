"""Casts a column that a file may hold in several parts, whose numbers are added up."""

from collections.abc import Container

import polars as pl

from pipeline.contracts import Column, Dialect
from pipeline.schema import Fault
from pipeline.validate.cast import DTYPES, Casting, cast_column
from pipeline.validate.judge import INTEGER_LIMIT, STEP_LIMIT


def cast_parts(
    texts: pl.DataFrame, column: Column, dialect: Dialect, *, skip: Container[int] = ()
) -> Casting:
    """Casts a column; of one that is added up (`Column.add_up`) all parts.

    Args:
        texts: Holds `<name>`, and `<name>+1` and so on where there are more parts.
        column: What each of them must be.
        dialect: How they are written.
        skip: As for `cast_column`.

    Returns:
        As `cast_column`. A sum is missing where all of its parts are, and at fault where one is.
    """
    casting = cast_column(texts[column.name], column, dialect, skip=skip)
    if column.add_up:
        number = 1
        while f"{column.name}+{number}" in texts.columns:
            part = cast_column(texts[f"{column.name}+{number}"], column, dialect, skip=skip)
            casting = _add(casting, part, column)
            number += 1
    return casting


def _add(first: Casting, second: Casting, column: Column) -> Casting:
    faults = second.faults | first.faults
    # Wide enough for any two numbers that a column may hold.
    physical = [one.values.to_physical().cast(pl.Int128) for one in (first, second)]
    known = first.values.is_not_null() | second.values.is_not_null()
    sums = physical[0].fill_null(0) + physical[1].fill_null(0)
    limit = STEP_LIMIT if column.type == "decimal" else INTEGER_LIMIT
    too_large = sums.abs() >= limit
    for row in too_large.arg_true().to_list():
        fault = Fault("out_of_range", column.name, "", "parts whose sum is in the column's range")
        faults.setdefault(row, fault)
    if faults:
        known = known.scatter(list(faults), values=False)
    values = sums.to_frame("sum").select(pl.when(known).then(pl.col("sum"))).to_series()
    casting = Casting(_restore(values, column).alias(first.values.name))
    casting.faults = faults
    for one in (first, second):
        for taken, rows in one.taken.items():
            casting.note(taken, rows)
    return casting


def _restore(values: pl.Series, column: Column) -> pl.Series:
    if column.type == "integer":
        return values.cast(pl.Int64)
    return values.reinterpret(dtype=DTYPES[column.type])
