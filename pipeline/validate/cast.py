"""Casts a column of text exactly.

Almost all cells of a clean file pass a strict vectorised cast; those that do not are judged one
by one, so that a fault costs only its own row.
"""

from collections.abc import Callable
from typing import Any

import polars as pl

from pipeline.contracts import Column, Dialect
from pipeline.schema import Fault
from pipeline.validate.judge import SCALE, Refused, judge_date, judge_decimal, judge_integer

DECIMAL = pl.Decimal(18, SCALE)
DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "date": pl.Date(),
    "integer": pl.Int64(),
    "decimal": DECIMAL,
}

_FAST_DECIMAL = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"
_FAST_DATE = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"

Faults = dict[int, Fault]
Judge = Callable[[str], Any]


class Casting:
    """The typed values of one column, with its faults by row and a count of noise taken off."""

    def __init__(self, values: pl.Series) -> None:
        self.values = values
        self.faults: Faults = {}
        self.noise = 0


def cast_column(texts: pl.Series, column: Column, dialect: Dialect) -> Casting:
    """Casts a column.

    Args:
        texts: String, no nulls, outer blanks removed; '' is an empty cell.
        column: What the texts must be.
        dialect: Which words mean missing, and how numbers are written.

    Returns:
        Values of `DTYPES[column.type]`, null where the cell is missing or at fault. Missing
        cells are no faults here: whether they may be is a rule.
    """
    if column.type == "text":
        return Casting(_blank_null_words(texts, dialect.null_words))
    fast = _cast_fast(texts, column.type)
    casting = Casting(fast)
    rest = fast.is_null().arg_true()
    if len(rest):
        _judge_rest(casting, texts, rest, column, dialect)
    return casting


def _cast_fast(texts: pl.Series, kind: str) -> pl.Series:
    if kind == "integer":
        values = texts.cast(pl.Int64, strict=False)
        # `+5` and `007` parse too; only the canonical form is beyond doubt
        return _keep_where(values, values.cast(pl.String) == texts)
    if kind == "decimal":
        return _keep_where(texts, texts.str.contains(_FAST_DECIMAL)).cast(DECIMAL, strict=False)
    regular = _keep_where(texts, texts.str.contains(_FAST_DATE))
    return regular.str.to_date("%Y-%m-%d", strict=False)


def _keep_where(values: pl.Series, condition: pl.Series) -> pl.Series:
    if condition.all():
        return values
    return pl.select(pl.when(condition).then(values)).to_series().alias(values.name)


def _judge_rest(
    casting: Casting, texts: pl.Series, rest: pl.Series, column: Column, dialect: Dialect
) -> None:
    judge = _choose_judge(casting, column, dialect)
    rows: list[int] = []
    values: list[Any] = []
    for row, text in zip(rest.to_list(), texts.gather(rest).to_list(), strict=True):
        if text.lower() in dialect.null_words:
            continue
        try:
            value = judge(text)
        except Refused as refusal:
            casting.faults[row] = Fault(refusal.rule, column.name, text, refusal.expected)
        else:
            rows.append(row)
            values.append(value)
    if rows:
        judged = pl.Series(values, dtype=casting.values.dtype)
        casting.values = casting.values.scatter(rows, judged)


def _choose_judge(casting: Casting, column: Column, dialect: Dialect) -> Judge:
    def judge_decimal_cell(text: str) -> Any:
        value, noisy = judge_decimal(text, exponents=dialect.exponents)
        casting.noise += noisy
        return value

    judges: dict[str, Judge] = {
        "integer": judge_integer,
        "decimal": judge_decimal_cell,
        "date": judge_date,
    }
    return judges[column.type]


def _blank_null_words(texts: pl.Series, null_words: tuple[str, ...]) -> pl.Series:
    short = texts.str.len_bytes() <= max(map(len, null_words), default=-1)
    if not short.any():
        return texts
    missing = short & texts.str.to_lowercase().is_in(null_words)
    return _keep_where(texts, ~missing)
