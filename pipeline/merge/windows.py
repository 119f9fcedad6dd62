"""Which delivery speaks for a date, where a delivery replaces all before it (replace_window)."""

from collections.abc import Sequence

import polars as pl

REGISTER = ("source", "account", "breakdown", "date")
"""The unit in which one delivery wins."""

WINDOWS = pl.Schema(
    {
        "source": pl.String(),
        "account": pl.String(),
        "breakdown": pl.String(),
        "first_date": pl.Date(),
        "last_date": pl.Date(),
        "delivered_at": pl.Datetime("us", "UTC"),
        "delivery_id": pl.String(),
    }
)
"""What a delivery covers; both dates included."""


def read_windows(ledger: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    """The windows of all deliveries of some sources so far; columns `WINDOWS`."""
    spoken = ledger.filter(
        pl.col("source").is_in(sources) & pl.col("outcome").is_in(["merged", "no_rows"])
    )
    return (
        spoken.select("source", "coverage", "delivered_at", "delivery_id")
        .explode("coverage", empty_as_null=False)
        .unnest("coverage")
        .select(list(WINDOWS))
        .cast(WINDOWS)
    )


def pick_winners(before: pl.DataFrame, incoming: pl.DataFrame) -> pl.DataFrame:
    """The highest-ranking delivery of each register that the incoming deliveries touch.

    Args:
        before: Windows of the deliveries in the ledger.
        incoming: Windows of the new ones.

    Returns:
        Columns `REGISTER`, `delivered_at`, `delivery_id`; one row a touched register.
    """
    touched = _spread(incoming)
    among = pl.concat([touched, _spread(before).join(touched, on=REGISTER, how="semi")])
    ranked = among.sort("delivered_at", "delivery_id")
    return ranked.unique(REGISTER, keep="last", maintain_order=True)


def _spread(windows: pl.DataFrame) -> pl.DataFrame:
    """One row a date of each window."""
    return (
        windows.with_columns(date=pl.date_ranges("first_date", "last_date"))
        .explode("date")
        .select(*REGISTER, "delivered_at", "delivery_id")
    )
