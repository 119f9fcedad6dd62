"""Resolves rows: which of the current and the incoming ones the master holds afterwards.

The master is a pure function of the set of deliveries: in each register the highest rank wins,
whatever order they arrive in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.merge.windows import REGISTER
from pipeline.schema import AD_DAY

FILE_NO = "file_no"
"""Number of the incoming file, ascending by (rank, sha256); -1 for a row of the master."""

CURRENT = -1
RANK = ("delivered_at", "delivery_id")
_ROW = "row"
_ORDER = (*RANK, FILE_NO, "line")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The rows of one source in one partition after a merge.

    Attributes:
        rows: What the master holds now: columns of AD_DAY and `file_no`, unordered.
        lost: Incoming rows that it does not hold: `file_no`, `duplicate` (whether the row that
            won says the same).
        removed: How many rows of the master went.
        added: How many incoming rows came.
    """

    rows: pl.DataFrame
    lost: pl.DataFrame
    removed: int
    added: int


def resolve(
    current: pl.DataFrame,
    incoming: pl.DataFrame,
    *,
    key: Sequence[str],
    winners: pl.DataFrame | None = None,
    reread: pl.DataFrame | None = None,
) -> Resolved:
    """Resolves the rows of one source.

    Args:
        current: The master's rows of this source; columns of AD_DAY.
        incoming: Accepted rows of new files; columns of AD_DAY and `file_no`.
        key: The columns in which one row wins.
        winners: Where a delivery replaces all before it: `REGISTER`, `delivered_at`,
            `delivery_id`, for every register that the new files touch.
        reread: Deliveries that grew and are read again as a whole: `delivered_at`, `delivery_id`
            and each `date` on which their rows in `current` are void.
    """
    numbered = pl.concat(
        [current.with_columns(pl.lit(CURRENT, pl.Int32).alias(FILE_NO)), incoming]
    ).with_row_index(_ROW)
    void = _find_void(numbered, reread)
    outranked = _find_outranked(numbered, winners)
    alive = _leave_out(numbered, pl.concat([void, outranked.select(_ROW)]))
    won = alive.sort(_ORDER).unique(key, keep="last", maintain_order=True)
    beaten = _leave_out(alive, won.select(_ROW))
    kept = won.filter(_is_current()).height
    return Resolved(
        rows=won.drop(_ROW),
        lost=pl.concat([_name_beaten(beaten, won, key), _name_outranked(outranked)]),
        removed=len(current) - kept,
        added=won.height - kept,
    )


def _is_current() -> pl.Expr:
    return pl.col(FILE_NO) == CURRENT


def _leave_out(rows: pl.DataFrame, out: pl.DataFrame) -> pl.DataFrame:
    return rows.join(out, on=_ROW, how="anti", maintain_order="left") if len(out) else rows


def _find_void(rows: pl.DataFrame, reread: pl.DataFrame | None) -> pl.DataFrame:
    """The master's rows of deliveries that are read again; column `_ROW`."""
    if reread is None:
        return rows.select(_ROW).clear()
    return rows.filter(_is_current()).join(reread, on=[*RANK, "date"], how="semi").select(_ROW)


def _find_outranked(rows: pl.DataFrame, winners: pl.DataFrame | None) -> pl.DataFrame:
    """Rows in a touched register that are not of the delivery that won it."""
    if winners is None:
        return rows.clear()
    pairs = rows.join(winners, on=REGISTER, how="inner", suffix="_won", nulls_equal=True)
    other = [pl.col(name) != pl.col(f"{name}_won") for name in RANK]
    return pairs.filter(pl.any_horizontal(other)).select(rows.columns)


def _name_beaten(beaten: pl.DataFrame, won: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    said = [name for name in AD_DAY.names if name not in (*RANK, "line", *key)]
    pairs = beaten.filter(~_is_current()).join(
        won, on=key, how="left", suffix="_won", nulls_equal=True
    )
    same = [pl.col(name).eq_missing(pl.col(f"{name}_won")) for name in said]
    return pairs.select(FILE_NO, duplicate=pl.all_horizontal(same))


def _name_outranked(outranked: pl.DataFrame) -> pl.DataFrame:
    incoming = outranked.filter(~_is_current())
    return incoming.select(FILE_NO, duplicate=pl.lit(value=False))
