"""Parquet's types as canonical text, and which of them a contract's column may have.

Text, because then each rule has one implementation, whatever a delivery's format. No value is
ever rounded or cut off on the way: what has no exact text is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import types

from pipeline.contracts.model import ColumnType
from pipeline.errors import BadFileError

Values: TypeAlias = "pa.Array[Any]"

_UTC: Final = frozenset({"UTC", "Etc/UTC", "Z", "+00:00", "+0000"})
_TICKS_A_DAY: Final = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400 * 10**9}
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31
_EXACT_FLOAT: Final = 2.0**63
_WHOLE: Final = pa.decimal256(76, 0)

_EXPECTED: Final[Mapping[ColumnType, str]] = {
    "text": "text",
    "date": "a date, or a timestamp at midnight without a time zone or in UTC",
    "integer": "whole numbers",
    "decimal": "numbers",
}


class WantedColumn:
    """What a column of a Parquet file must be.

    Attributes:
        name: Canonical, for rules and messages.
        kind: What its texts must be.
        digits: Whether whole numbers may stand for text, as in ids.
    """

    __slots__ = ("digits", "kind", "name")

    def __init__(self, name: str, kind: ColumnType, *, digits: bool = False) -> None:
        self.name = name
        self.kind: ColumnType = kind
        self.digits = digits

    def refuse(self, found: str) -> BadFileError:
        """The error for a column that is something else."""
        return BadFileError(
            f"schema_type:{self.name}",
            f"column {self.name!r} holds {found}; expected {_EXPECTED[self.kind]}",
        )


def check_type(data_type: pa.DataType, wanted: WantedColumn) -> None:
    """Refuses a type that never holds what is wanted.

    Raises:
        BadFileError: `schema_type:<column>`.
    """
    plain = data_type.value_type if types.is_dictionary(data_type) else data_type
    if types.is_null(plain):
        return
    if wanted.kind == "text":
        fits = _is_text(plain) or (wanted.digits and types.is_integer(plain))
    elif wanted.kind == "date":
        zone_fits = types.is_timestamp(plain) and (plain.tz is None or plain.tz in _UTC)
        fits = types.is_date(plain) or zone_fits
    else:
        fits = types.is_integer(plain) or types.is_floating(plain) or types.is_decimal(plain)
    if not fits:
        raise wanted.refuse(str(data_type))


def write_texts(values: Values, wanted: WantedColumn) -> pl.Series:
    """The canonical texts of some values.

    Args:
        values: Of a type that `check_type` takes.
        wanted: What they must be.

    Returns:
        String, as long as `values`; null where a value is missing.

    Raises:
        BadFileError: `schema_type:<column>`: fractions in a whole number's column, a time of
            day in a date's; `encoding`: text that is not UTF-8.
    """
    if types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if types.is_null(values.type):
        return pl.Series([None] * len(values), dtype=pl.String)
    if _is_text(values.type):
        return _write_text(values, wanted)
    if wanted.kind == "date":
        return _write_dates(values, wanted)
    return _choose_writer(values.type)(values, wanted)


def _choose_writer(data_type: pa.DataType) -> Callable[[Values, WantedColumn], pl.Series]:
    if types.is_floating(data_type):
        return _write_floats
    return _write_decimals if types.is_decimal(data_type) else _write_integers


def _is_text(data_type: pa.DataType) -> bool:
    return (
        types.is_string(data_type)
        or types.is_large_string(data_type)
        or types.is_string_view(data_type)
    )


def _write_text(values: Values, wanted: WantedColumn) -> pl.Series:
    try:
        values.validate(full=True)  # the reader does not look whether it is UTF-8
    except pa.ArrowInvalid as error:
        raise BadFileError(
            "encoding", f"column {wanted.name!r} holds text that is not UTF-8: {error}"
        ) from error
    return _to_series(values.cast(pa.large_string()))


def _write_integers(values: Values, _: WantedColumn) -> pl.Series:
    return _to_series(values).cast(pl.String)


def _write_floats(values: Values, wanted: WantedColumn) -> pl.Series:
    if types.is_float16(values.type):
        values = values.cast(pa.float32())
    numbers = _to_series(values)
    if wanted.kind == "integer":
        return _write_whole_floats(numbers.cast(pl.Float64), wanted)
    # The shortest text that means this very number; what a person wrote, nearly always.
    return numbers.cast(pl.String).str.to_lowercase()


def _write_whole_floats(numbers: pl.Series, wanted: WantedColumn) -> pl.Series:
    finite = numbers.is_finite()
    fractions = (finite & (numbers != numbers.floor())).fill_null(value=False).arg_true()
    if len(fractions):
        raise wanted.refuse(f"fractions, first {numbers[int(fractions[0])]!r}")
    small = numbers.abs() < _EXACT_FLOAT
    texts = pl.select(pl.when(small).then(numbers)).to_series().cast(pl.Int64).cast(pl.String)
    large = (~small).fill_null(value=False).arg_true().to_list()
    if large:
        texts = texts.scatter(large, [_write_large(numbers[row]) for row in large])
    return texts


def _write_large(number: float) -> str:
    return str(int(number)) if np.isfinite(number) else str(number)


def _write_decimals(values: Values, wanted: WantedColumn) -> pl.Series:
    if wanted.kind == "integer":
        try:
            values = values.cast(_WHOLE)
        except pa.ArrowInvalid as error:
            raise wanted.refuse(f"fractions ({error})") from error
    elif not (types.is_decimal128(values.type) or types.is_decimal256(values.type)):
        values = values.cast(pa.decimal128(values.type.precision, values.type.scale))
    return _to_series(values.cast(pa.large_string()))


def _write_dates(values: Values, wanted: WantedColumn) -> pl.Series:
    if types.is_date32(values.type):
        days = _to_series(values.cast(pa.int32())).cast(pl.Int64)
    else:
        unit = "ms" if types.is_date64(values.type) else values.type.unit
        ticks = _to_series(values.view(pa.int64()))
        days = ticks // _TICKS_A_DAY[unit]
        late = (ticks != days * _TICKS_A_DAY[unit]).fill_null(value=False).arg_true()
        if len(late):
            raise wanted.refuse(f"times of day ({values.type}), first in row {late[0] + 1}")
    plain = days.is_between(_FIRST_DAY, _LAST_DAY)
    calendar = pl.select(pl.when(plain).then(days)).to_series().cast(pl.Int32).cast(pl.Date)
    texts = calendar.dt.to_string("%Y-%m-%d")
    odd = (~plain).fill_null(value=False).arg_true().to_list()
    if odd:
        texts = texts.scatter(odd, [f"day {days[row]} after 1970-01-01" for row in odd])
    return texts


def is_exact_int96(fine: Values, coarse: Values) -> bool:
    """Whether int96 timestamps were read without overflow.

    Args:
        fine: Read as nanoseconds, which silently overflow beyond the years 1677 to 2262.
        coarse: The same values read as milliseconds, which do not.
    """
    shorter = _to_series(fine.view(pa.int64())) // 1_000_000
    return bool((shorter == _to_series(coarse.view(pa.int64()))).all())


def _to_series(values: Values) -> pl.Series:
    series = pl.from_arrow(values)
    assert isinstance(series, pl.Series)  # noqa: S101 - an array is never read as a frame
    return series
