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
        rows: At least the columns of `by`, which are texts, whole numbers, dates or times; one with
            nulls does not hold both the least and the largest number of 64 bits.
        by: The most significant column first.

    Returns:
        The indices of the rows in their order.
    """
    keys: list[_Ranks] = []
    for name in by:
        if (ranks := _rank(rows[name])) is not None:
            _pack(keys, ranks)
            if _tells_apart(keys, rows.height):
                break
    if len(keys) == 1:
        return keys[0].numbers.arg_sort()  # on one column it is several times as fast as by many
    frame = pl.DataFrame([key.numbers.alias(str(place)) for place, key in enumerate(keys)])
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


def _pack(keys: list[_Ranks], ranks: _Ranks) -> None:
    """Adds the next column to as few numbers as hold all, like a digit to those before it."""
    if keys and keys[-1].bound * ranks.bound <= _LARGEST:
        last = keys.pop()
        ranks = _Ranks(last.numbers * ranks.bound + ranks.numbers, last.bound * ranks.bound)
    keys.append(ranks)


def _tells_apart(keys: Sequence[_Ranks], rows: int) -> bool:
    """Whether no two rows are alike in what is packed: then no further column has a say."""
    if len(keys) != 1 or keys[0].bound < rows:  # fewer numbers than rows
        return False
    return keys[0].numbers.n_unique() == rows
