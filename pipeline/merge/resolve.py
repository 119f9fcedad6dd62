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
    rows = pl.concat([current.with_columns(pl.lit(CURRENT, pl.Int32).alias(FILE_NO)), incoming])
    # What decides is narrow; the wide rows are touched once, at the end.
    places = rows.select({*key, *REGISTER, *_ORDER}).with_row_index(_ROW)
    void = _find_void(places, reread)
    outranked = _find_outranked(places, winners)
    alive = _leave_out(places, pl.concat([void, outranked.select(_ROW)]))
    won = _pick_newest(alive, key)
    beaten = _leave_out(alive, won.select(_ROW))
    kept = won.filter(_is_current()).height
    return Resolved(
        rows=rows if won.height == rows.height else rows[won[_ROW]],
        lost=pl.concat([_name_beaten(beaten, won, rows, key), _name_outranked(outranked)]),
        removed=len(current) - kept,
        added=won.height - kept,
    )


def _is_current() -> pl.Expr:
    return pl.col(FILE_NO) == CURRENT


def _leave_out(places: pl.DataFrame, out: pl.DataFrame) -> pl.DataFrame:
    return places.join(out, on=_ROW, how="anti", maintain_order="left") if len(out) else places


def _find_void(places: pl.DataFrame, reread: pl.DataFrame | None) -> pl.DataFrame:
    """The master's rows of deliveries that are read again; column `_ROW`."""
    if reread is None:
        return places.select(_ROW).clear()
    return places.filter(_is_current()).join(reread, on=[*RANK, "date"], how="semi").select(_ROW)


def _find_outranked(places: pl.DataFrame, winners: pl.DataFrame | None) -> pl.DataFrame:
    """Rows in a touched register that are not of the delivery that won it."""
    if winners is None:
        return places.clear()
    # Which delivery lost which register is a small question; only its answer goes over all rows.
    met = places.select(*REGISTER, *RANK).unique()
    pairs = met.join(winners, on=REGISTER, how="inner", suffix="_won", nulls_equal=True)
    other = [pl.col(name) != pl.col(f"{name}_won") for name in RANK]
    lost = pairs.filter(pl.any_horizontal(other)).select(met.columns)
    if lost.is_empty():
        return places.clear()
    return places.join(lost, on=met.columns, how="semi", nulls_equal=True)


def _pick_newest(places: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The row of the highest rank for each key."""
    if places.select(key).n_unique() == places.height:
        return places
    return places.sort(_ORDER).unique(key, keep="last", maintain_order=True)


def _name_beaten(
    beaten: pl.DataFrame, won: pl.DataFrame, rows: pl.DataFrame, key: Sequence[str]
) -> pl.DataFrame:
    """Incoming rows that lost to a newer one of their key, and whether that says the same."""
    lost = beaten.filter(~_is_current()).select(_ROW, FILE_NO, *key)
    pairs = lost.join(won.select(*key, winner=_ROW), on=key, how="left", nulls_equal=True)
    said = [name for name in AD_DAY.names if name not in (*RANK, "line", *key)]
    same = [rows[name][pairs[_ROW]].eq_missing(rows[name][pairs["winner"]]) for name in said]
    return pairs.select(FILE_NO, duplicate=pl.all_horizontal(same))


def _name_outranked(outranked: pl.DataFrame) -> pl.DataFrame:
    incoming = outranked.filter(~_is_current())
    return incoming.select(FILE_NO, duplicate=pl.lit(value=False))
