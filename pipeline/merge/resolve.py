"""Resolves rows: which of the current and the incoming ones the master holds afterwards.

The master is a pure function of the set of deliveries: in each register the highest rank wins,
whatever order they arrive in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.merge.fold import fold_rows
from pipeline.merge.windows import REGISTER
from pipeline.schema import AD_DAY, PART_CELL

FILE_NO = "file_no"
"""Number of the incoming file, ascending by (rank, sha256); -1 for a row of the master."""

CURRENT = -1
RANK = ("delivered_at", "delivery_id")
_ROW = "row"
_FOLDS = "folds"
CAMPAIGN = "campaign"
"""The column that `name_campaign` makes."""

_ORDER = (*RANK, FILE_NO, "line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the deliveries of a source mean.

    Attributes:
        key: The columns in which one row wins. Where both names of a campaign are among them,
            `campaign_name` counts only without `campaign_id`.
        scope: Of the columns of `REGISTER`, those for whose values a delivery speaks.
        appends: Whether rows of one key are added up over all deliveries.
        folding: Files in which rows of one key are added up.
    """

    key: Sequence[str]
    scope: Sequence[str] = ("account",)
    appends: bool = False
    folding: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """The rows of one source in one partition after a merge.

    Attributes:
        rows: What the master holds now: columns of AD_DAY and `file_no`, unordered.
        lost: Incoming rows that it does not hold: `file_no`, `duplicate` (whether the row that
            won says the same).
        removed: How many rows of the master went.
        added: How many rows came.
    """

    rows: pl.DataFrame
    lost: pl.DataFrame
    removed: int
    added: int


def resolve(
    current: pl.DataFrame,
    incoming: pl.DataFrame,
    *,
    rules: Rules,
    winners: pl.DataFrame | None = None,
    void: pl.DataFrame | None = None,
) -> Resolved:
    """Resolves the rows of one source.

    Args:
        current: The master's rows of this source; columns of AD_DAY.
        incoming: Accepted rows of new files; columns of AD_DAY, `file_no`, and `PART_CELL`, null
            where a row is no part of others or nobody knows of which.
        rules: What they mean.
        winners: Where a delivery replaces all before it: `REGISTER`, `delivered_at`,
            `delivery_id`, for every register that the new files touch.
        void: Deliveries whose rows in `current` do not count any more, as they were withdrawn or
            are read again as a whole: `delivered_at`, `delivery_id` and each `date`.
    """
    known = current.with_columns(
        pl.lit(CURRENT, pl.Int32).alias(FILE_NO), pl.lit(None, pl.String).alias(PART_CELL)
    )
    rows = pl.concat([known, incoming])
    # What decides is narrow; the wide rows are touched once, at the end.
    key = list(rules.key)
    places = rows.select({*key, *REGISTER, *_ORDER, PART_CELL}).with_row_index(_ROW)
    if {"campaign_id", "campaign_name"} <= set(key):
        places = places.with_columns(name_campaign())
        key = [*(name for name in key if not name.startswith(CAMPAIGN)), CAMPAIGN]
    out = _find_void(places, void)
    outranked = _find_outranked(places, winners, rules.scope)
    alive = _leave_out(places, pl.concat([out, outranked.select(_ROW)]))
    folding = _mark_folding(alive, rules)
    if folding.any() and alive.select(key).n_unique() < alive.height:
        alive = alive.with_columns(folding)
        if not rules.appends:
            older = _find_older(alive, key)
            outranked = pl.concat([outranked, older.select(outranked.columns)])
            alive = _leave_out(alive, older.select(_ROW))
        return _fold(rows, alive, key, len(current), outranked)
    won, beaten = _pick_newest(alive, key)
    kept = won.filter(_is_current()).height
    return Resolved(
        rows=rows if won.height == rows.height else rows[won[_ROW]],
        lost=pl.concat([_name_beaten(beaten, won, rows, key), _name_outranked(outranked)]),
        removed=len(current) - kept,
        added=won.height - kept,
    )


def leave_void_out(current: pl.DataFrame, void: pl.DataFrame) -> Resolved:
    """What is left of a source's rows where nothing takes the place of those that are void.

    Args:
        current: As for `resolve`.
        void: Likewise.
    """
    rows = current.join(void, on=[*RANK, "date"], how="anti")
    lost = pl.DataFrame(schema={FILE_NO: pl.Int32(), "duplicate": pl.Boolean()})
    return Resolved(
        rows=rows.with_columns(pl.lit(CURRENT, pl.Int32).alias(FILE_NO)),
        lost=lost,
        removed=len(current) - len(rows),
        added=0,
    )


def _is_current() -> pl.Expr:
    return pl.col(FILE_NO) == CURRENT


def name_campaign() -> pl.Expr:
    """What identifies a campaign: its id, else its name; an id and a name are never the same."""
    has_id = pl.col("campaign_id").is_not_null()
    by_name = pl.concat_str(pl.lit("name:"), pl.col("campaign_name"))
    by_id = pl.concat_str(pl.lit("id:"), pl.col("campaign_id"))
    return pl.when(has_id).then(by_id).otherwise(by_name).alias(CAMPAIGN)


def _leave_out(places: pl.DataFrame, out: pl.DataFrame) -> pl.DataFrame:
    return places.join(out, on=_ROW, how="anti", maintain_order="left") if len(out) else places


def _find_void(places: pl.DataFrame, void: pl.DataFrame | None) -> pl.DataFrame:
    """The master's rows that do not count any more; column `_ROW`."""
    if void is None:
        return places.select(_ROW).clear()
    return places.filter(_is_current()).join(void, on=[*RANK, "date"], how="semi").select(_ROW)


def _find_outranked(
    places: pl.DataFrame, winners: pl.DataFrame | None, scope: Sequence[str]
) -> pl.DataFrame:
    """Rows in a touched register that are not of the delivery that won it."""
    if winners is None:
        return places.clear()
    register = [name for name in REGISTER if name != "platform" or name in scope]
    # Which delivery lost which register is a small question; only its answer goes over all rows.
    met = places.select(*register, *RANK).unique()
    won = winners.select(*register, *RANK)
    pairs = met.join(won, on=register, how="inner", suffix="_won", nulls_equal=True)
    other = [pl.col(name) != pl.col(f"{name}_won") for name in RANK]
    lost = pairs.filter(pl.any_horizontal(other)).select(met.columns)
    if lost.is_empty():
        return places.clear()
    return places.join(lost, on=met.columns, how="semi", nulls_equal=True)


def _find_older(alive: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Of keys with rows that fold, those of a lower rank: what is added up is of one delivery."""
    folded = alive.filter(pl.col(_FOLDS)).select(key)
    sharing = alive.join(folded, on=key, how="semi", nulls_equal=True)
    newest = sharing.sort(RANK).unique(key, keep="last").select(*key, *RANK)
    return sharing.join(newest, on=[*key, *RANK], how="anti", nulls_equal=True)


def _mark_folding(alive: pl.DataFrame, rules: Rules) -> pl.Series:
    """For each row, whether it is added to others of its key."""
    if rules.appends:
        return pl.repeat(value=True, n=alive.height, dtype=pl.Boolean, eager=True).alias(_FOLDS)
    return alive[FILE_NO].is_in(list(rules.folding)).alias(_FOLDS)


def _fold(
    rows: pl.DataFrame,
    alive: pl.DataFrame,
    key: Sequence[str],
    current: int,
    outranked: pl.DataFrame,
) -> Resolved:
    """Adds up the rows that fold; of the others, and of the sums, the newest wins."""
    repeats = _find_repeats(alive, key)
    alive = _leave_out(alive, repeats.select(_ROW))
    shared = alive.filter(pl.struct(key).is_duplicated() & pl.col(_FOLDS))
    single = _leave_out(alive, shared.select(_ROW))
    extra = [name for name in key if name not in rows.columns]
    wide = pl.concat([rows[shared[_ROW]], shared.select(extra)], how="horizontal")
    sums = fold_rows(wide, key, _ORDER).select(rows.columns)
    beside = single.join(shared.select(key), on=key, how="semi", nulls_equal=True)
    single = _leave_out(single, beside.select(_ROW))
    won, beaten = _pick_newest(single, key)
    kept = won.filter(_is_current()).height
    lost = beside.filter(~_is_current()).select(FILE_NO, duplicate=pl.lit(value=False))
    return Resolved(
        rows=pl.concat([rows[won[_ROW]], sums]),
        lost=pl.concat(
            [
                _name_beaten(beaten, won, rows, key),
                _name_beaten(repeats, alive, rows, [*key, PART_CELL]),
                _name_outranked(outranked),
                lost,
            ]
        ),
        removed=current - kept,
        added=won.height - kept + sums.height,
    )


def _find_repeats(alive: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Parts that a later row of the delivery says again, as files of overlapping dates do."""
    parts = alive.filter(pl.col(_FOLDS) & pl.col(PART_CELL).is_not_null())
    newest = parts.sort(_ORDER).unique([*key, PART_CELL], keep="last")
    return _leave_out(parts, newest.select(_ROW))


def _pick_newest(places: pl.DataFrame, key: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The row of the highest rank for each key, and the others; both in the order of `places`."""
    # Most keys have one row: only the rows of the others are put in order. Rows of one key have one
    # hash, so those with a hash of their own need not be compared.
    suspects = places.filter(places.select(key).hash_rows().is_duplicated())
    rivals = suspects.filter(pl.struct(key).is_duplicated())
    if rivals.is_empty():
        return places, rivals
    newest = rivals.sort(_ORDER).unique(key, keep="last")
    beaten = _leave_out(rivals, newest.select(_ROW))
    return _leave_out(places, beaten.select(_ROW)), beaten


def _name_beaten(
    beaten: pl.DataFrame, won: pl.DataFrame, rows: pl.DataFrame, key: Sequence[str]
) -> pl.DataFrame:
    """Incoming rows that lost to a newer one of their key, and whether that says the same."""
    lost = beaten.filter(~_is_current()).select(_ROW, FILE_NO, *key)
    if lost.is_empty():
        return lost.select(FILE_NO, duplicate=pl.lit(value=False))
    pairs = lost.join(won.select(*key, winner=_ROW), on=key, how="left", nulls_equal=True)
    said = [name for name in AD_DAY.names if name not in (*RANK, "line", *key)]
    same = [rows[name][pairs[_ROW]].eq_missing(rows[name][pairs["winner"]]) for name in said]
    return pairs.select(FILE_NO, duplicate=pl.all_horizontal(same))


def _name_outranked(outranked: pl.DataFrame) -> pl.DataFrame:
    incoming = outranked.filter(~_is_current())
    return incoming.select(FILE_NO, duplicate=pl.lit(value=False))
