"""Puts rows in order by whole numbers, which is far cheaper than to compare their texts."""

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import polars as pl

_LARGEST: Final = 1 << 64


class _Ranks(NamedTuple):
    """Numbers that are in the order of a column's values.

    Attributes:
        numbers: UInt64, without nulls; those of nulls are the highest.
        bound: All of them are below it.
    """

    numbers: pl.Series
    bound: int


def find_order(rows: pl.DataFrame, by: Sequence[str]) -> pl.Series:
    """Finds what `rows.sort(by, nulls_last=True)` finds.

    Args:
        rows: At least the columns of `by`, which are texts, whole numbers, dates or times.
        by: The most significant column first.

    Returns:
        The indices of the rows in their order.
    """
    ranks = [_rank(rows[name]) for name in by]
    keys = _pack([one for one in ranks if one is not None])
    if len(keys) == 1:
        return keys[0].arg_sort()  # on one column it is several times as fast as by many
    frame = pl.DataFrame([key.alias(str(place)) for place, key in enumerate(keys)])
    order = pl.arg_sort_by(frame.columns) if keys else pl.int_range(rows.height)
    return frame.select(order).to_series()


def _rank(values: pl.Series) -> _Ranks | None:
    """The ranks of a column's values; None where they are all the same."""
    if values.is_empty() or values.eq_missing(values[0]).all():
        return None
    if values.dtype == pl.String:
        texts = values.unique().drop_nulls().sort()
        numbers, bound = values.cast(pl.Enum(texts)).to_physical(), len(texts)
    else:
        physical = values.to_physical()
        least, most = cast(int, physical.min()), cast(int, physical.max())
        # Without a sign and wrapped round, as the numbers may be further apart than Int64 reaches.
        unsigned = physical.cast(pl.UInt64, wrap_numerical=True)
        numbers = unsigned - pl.Series([least % _LARGEST], dtype=pl.UInt64)
        bound = most - least + 1
    ranks = _Ranks(numbers.cast(pl.UInt64), bound)
    return ranks if not values.null_count() else _Ranks(ranks.numbers.fill_null(bound), bound + 1)


def _pack(columns: Sequence[_Ranks]) -> list[pl.Series]:
    """As few numbers as hold all columns, like digits: the most significant first."""
    keys: list[_Ranks] = []
    for numbers, bound in columns:
        if keys and keys[-1].bound * bound <= _LARGEST:
            last = keys.pop()
            keys.append(_Ranks(last.numbers * bound + numbers, last.bound * bound))
        else:
            keys.append(_Ranks(numbers, bound))
    return [key.numbers for key in keys]
