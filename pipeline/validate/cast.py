"""Casts a column of text exactly.

Almost all cells of a clean file pass a strict vectorised cast; those that do not are judged one
by one, so that a fault costs only its own row.
"""

import re
from collections.abc import Callable, Container, Mapping
from typing import Any, Final

import polars as pl

from pipeline.contracts import Column, Dialect
from pipeline.schema import Fault
from pipeline.validate.judge import (
    DIVISORS,
    SCALE,
    STEP_LIMIT,
    Figure,
    Refused,
    judge_date,
    judge_decimal,
    judge_integer,
)
from pipeline.validate.notation import PERCENT_SIGN, Notation, get_notation

DECIMAL = pl.Decimal(18, SCALE)
DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "date": pl.Date(),
    "integer": pl.Int64(),
    "decimal": DECIMAL,
}

# Where the pattern fits, Polars reads the text as the judge does.
_FAST_DATES: Final[Mapping[str, tuple[str, str]]] = {
    "yyyy-mm-dd": (r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$", "%Y-%m-%d"),
    "yyyymmdd": (r"^[1-9][0-9]{3}[0-9]{2}[0-9]{2}$", "%Y%m%d"),
    "dd/mm/yyyy": (r"^[0-9]{2}/[0-9]{2}/[1-9][0-9]{3}$", "%d/%m/%Y"),
    "d/m/yyyy": (r"^[0-9]{1,2}/[0-9]{1,2}/[1-9][0-9]{3}$", "%d/%m/%Y"),
}

GROUPED_DIGITS: Final = "^[0-9]+(?:-[0-9]+)+$"
"""Digits in groups, which `Column.join_digits` joins."""

Faults = dict[int, Fault]
Judge = Callable[[str], Any]


class Casting:
    """The typed values of one column.

    Attributes:
        values: Null where the cell is missing or at fault.
        faults: By row.
        taken: The rows whose value is not exactly what was written, by `noise` and `rounded`.
    """

    def __init__(self, values: pl.Series) -> None:
        self.values = values
        self.faults: Faults = {}
        self.taken: dict[str, list[int]] = {}

    def note(self, taken: str, rows: list[int]) -> None:
        """Notes what was done to the values of some rows."""
        if rows:
            self.taken.setdefault(taken, []).extend(rows)


def cast_column(
    texts: pl.Series, column: Column, dialect: Dialect, *, skip: Container[int] = ()
) -> Casting:
    """Casts a column.

    Args:
        texts: String, no nulls, outer blanks removed; '' is an empty cell.
        column: What the texts must be.
        dialect: Which words mean missing, and how numbers and dates are written.
        skip: Rows that nobody needs: they are null where they are not plain to read.

    Returns:
        Values of `DTYPES[column.type]`, null where the cell is missing or at fault. Missing
        cells are no faults here: whether they may be is a rule.
    """
    if column.type == "text":
        values = _blank_null_words(texts, dialect.null_words)
        return Casting(_join_digits(values) if column.join_digits else values)
    casting = _cast_fast(texts, column, dialect)
    if casting.values.null_count():
        _judge_rest(casting, texts, column, dialect, skip)
    return casting


def _cast_fast(texts: pl.Series, column: Column, dialect: Dialect) -> Casting:
    notation = get_notation(dialect)
    if column.type == "date":
        return Casting(_cast_dates(texts, dialect.date_formats[0]))
    if column.type == "integer":
        return Casting(_cast_integers(texts, notation))
    if column.unit == "micros":
        steps = _cast_integers(texts, notation)
        return Casting(_make_decimals(_keep_where(steps, steps.abs() < STEP_LIMIT)))
    casting = Casting(_cast_decimals(texts, notation, percent=column.unit == "percent"))
    if DIVISORS[column.unit] != 1:
        _divide(casting, DIVISORS[column.unit], rounds=column.round)
    return casting


def _cast_dates(texts: pl.Series, form: str) -> pl.Series:
    if form not in _FAST_DATES:
        return pl.repeat(None, len(texts), dtype=pl.Date, eager=True).alias(texts.name)
    pattern, parts = _FAST_DATES[form]
    regular = _keep_where(texts, texts.str.contains(pattern))
    return regular.str.to_date(parts, strict=False)


def _cast_integers(texts: pl.Series, notation: Notation) -> pl.Series:
    if notation.thousands:
        grouped = texts.str.contains(f"^-?{notation.grouped}$")
        if grouped.any():
            plain = texts.str.replace_all(notation.marks, "")
            texts = plain.zip_with(grouped, texts)
    values = texts.cast(pl.Int64, strict=False)
    # `+5` and `007` parse too; only the canonical form is beyond doubt
    return _keep_where(values, values.cast(pl.String) == texts)


def _cast_decimals(texts: pl.Series, notation: Notation, *, percent: bool) -> pl.Series:
    point = re.escape(notation.decimal)
    digits = "[0-9]{1,12}"
    if notation.thousands:
        digits = f"(?:{digits}|{notation.grouped})"
    sign = f"(?:{PERCENT_SIGN})?" if percent else ""
    pattern = f"^-?{digits}(?:{point}[0-9]{{1,6}})?{sign}$"
    regular = _keep_where(texts, texts.str.contains(pattern))
    if percent:
        regular = regular.str.replace(f"{PERCENT_SIGN}$", "")
    if notation.thousands:
        regular = regular.str.replace_all(notation.marks, "")
    if notation.decimal != ".":
        regular = regular.str.replace(notation.decimal, ".", literal=True)
    return regular.cast(DECIMAL, strict=False)


def _divide(casting: Casting, divisor: int, *, rounds: bool) -> None:
    """Divides exactly, and rounds half to even where that may be."""
    steps = casting.values.to_physical().cast(pl.Int64)
    size = steps.abs()
    whole, over = size // divisor, size % divisor
    if rounds:
        up = (over * 2 > divisor) | ((over * 2 == divisor) & (whole % 2 == 1))
        casting.note("rounded", (over != 0).arg_true().to_list())
        whole += up.cast(pl.Int64)
    else:
        # Six places divided by 60 or 100 are never near enough to six others to be noise.
        whole = _keep_where(whole, over == 0)
    casting.values = _make_decimals(whole * steps.sign())


def _make_decimals(steps: pl.Series) -> pl.Series:
    """Decimals from their count of 1e-6."""
    return steps.cast(pl.Int128).reinterpret(dtype=DECIMAL)


def _keep_where(values: pl.Series, condition: pl.Series) -> pl.Series:
    if condition.all(ignore_nulls=False):
        return values
    return pl.select(pl.when(condition).then(values)).to_series().alias(values.name)


def _judge_rest(
    casting: Casting, texts: pl.Series, column: Column, dialect: Dialect, skip: Container[int]
) -> None:
    left = casting.values.is_null()
    missing = _find_null_words(texts, dialect.null_words)
    rest = (left if missing is None else left & ~missing).arg_true()
    judge = _choose_judge(column, dialect)
    said: dict[str, Any] = {}
    rows: list[int] = []
    values: list[Any] = []
    for row, text in zip(rest.to_list(), texts.gather(rest).to_list(), strict=True):
        if row in skip:
            continue
        if text not in said:
            said[text] = _ask(judge, text, column.name)
        verdict = said[text]
        if isinstance(verdict, Fault):
            casting.faults[row] = verdict
            continue
        if isinstance(verdict, Figure):
            if verdict.taken != "exact":
                casting.note(verdict.taken, [row])
            verdict = verdict.value
        rows.append(row)
        values.append(verdict)
    if rows:
        judged = pl.Series(values, dtype=casting.values.dtype)
        casting.values = casting.values.scatter(rows, judged)


def _ask(judge: Judge, text: str, name: str) -> Any:
    try:
        return judge(text)
    except Refused as refusal:
        return Fault(refusal.rule, name, text, refusal.expected)


def _choose_judge(column: Column, dialect: Dialect) -> Judge:
    notation = get_notation(dialect)
    if column.type == "integer":
        return lambda text: judge_integer(text, notation)
    if column.type == "date":
        return lambda text: judge_date(text, dialect.date_formats)
    return lambda text: judge_decimal(
        text, notation, exponents=dialect.exponents, unit=column.unit, rounds=column.round
    )


def _join_digits(texts: pl.Series) -> pl.Series:
    grouped = texts.str.contains(GROUPED_DIGITS)
    return texts.zip_with(~grouped, texts.str.replace_all("-", "", literal=True))


def _blank_null_words(texts: pl.Series, null_words: tuple[str, ...]) -> pl.Series:
    missing = _find_null_words(texts, null_words)
    return texts if missing is None else _keep_where(texts, ~missing)


def _find_null_words(texts: pl.Series, null_words: tuple[str, ...]) -> pl.Series | None:
    """Which texts mean missing; None where none does."""
    longest = max(len(word.encode()) for word in null_words)
    short = texts.str.len_bytes() <= longest
    if not short.any():
        return None
    missing = short & texts.str.to_lowercase().is_in(null_words)
    return missing if missing.any() else None
