"""Which delivery speaks for a date, where a delivery replaces all before it (replace_window)."""

from collections.abc import Sequence

import polars as pl

from pipeline.merge.delivery import pick_judged

_PLACE = ("source", "account", "platform", "breakdown")

REGISTER = (*_PLACE, "date")
"""The unit in which one delivery wins; `platform` is null where it is not in the scope."""

WINDOWS = pl.Schema(
    {
        "source": pl.String(),
        "account": pl.String(),
        "platform": pl.String(),
        "breakdown": pl.String(),
        "first_date": pl.Date(),
        "last_date": pl.Date(),
        "delivered_at": pl.Datetime("us", "UTC"),
        "delivery_id": pl.String(),
    }
)
"""What a delivery covers; both dates included."""

_ASKED_FOR = (
    *("n", "path", "sha256", "outcome"),
    *("source", "contract", "coverage", "delivered_at", "delivery_id"),
)
"""Of a file's row in the ledger."""


def read_windows(ledger: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    """The windows of all deliveries of some sources so far; columns `WINDOWS`.

    The newest judgement of a file counts: one that was withdrawn covers nothing.
    """
    return _list_spoken(ledger, sources).select(list(WINDOWS)).cast(WINDOWS)


def read_contracts(ledger: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    """By which contract each delivery speaks for an account and breakdown of some sources.

    Returns:
        Columns source, account, breakdown, delivered_at, delivery_id and contract, of which the
        first five are a key: of several contracts of one place the first by name stands.
    """
    place = ("source", "account", "breakdown", "delivered_at", "delivery_id")
    return _list_spoken(ledger, sources).group_by(place).agg(pl.col("contract").min())


def _list_spoken(ledger: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    files = ledger.filter(pl.col("source").is_in(sources)).select(_ASKED_FOR)
    spoken = pick_judged(files).filter(pl.col("outcome") == "merged")
    return (
        spoken.select("source", "contract", "coverage", "delivered_at", "delivery_id")
        .explode("coverage", empty_as_null=False)
        .unnest("coverage")
    )


def pick_winners(before: pl.DataFrame, incoming: pl.DataFrame) -> pl.DataFrame:
    """The highest-ranking delivery of each register that the incoming deliveries touch.

    Args:
        before: Windows of the deliveries in the ledger.
        incoming: Windows of the new ones.

    Returns:
        Columns `REGISTER`, `delivered_at`, `delivery_id`; one row a touched register.
    """
    touched = spread(incoming)
    known = spread(find_near(before, incoming))
    known = known.join(touched, on=REGISTER, how="semi", nulls_equal=True)
    return pick_newest(pl.concat([touched, known]))


def find_near(before: pl.DataFrame, incoming: pl.DataFrame) -> pl.DataFrame:
    """Those windows of earlier deliveries that may have a register of the incoming ones."""
    spans = incoming.group_by(_PLACE).agg(
        start=pl.col("first_date").min(), end=pl.col("last_date").max()
    )
    met = before.join(spans, on=_PLACE, nulls_equal=True)
    near = met.filter(pl.col("first_date") <= pl.col("end"), pl.col("start") <= pl.col("last_date"))
    return near.select(before.columns)


def pick_newest(registers: pl.DataFrame) -> pl.DataFrame:
    """Of each register the row of the highest rank; columns as `spread` gives them."""
    ranked = registers.sort("delivered_at", "delivery_id")
    return ranked.unique(REGISTER, keep="last", maintain_order=True)


def spread(windows: pl.DataFrame) -> pl.DataFrame:
    """One row a date of each window; columns `REGISTER`, `delivered_at`, `delivery_id`."""
    return (
        windows.with_columns(date=pl.date_ranges("first_date", "last_date"))
        .explode("date")
        .select(*REGISTER, "delivered_at", "delivery_id")
    )
