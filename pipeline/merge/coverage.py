"""For which dates a file speaks. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from pipeline.merge.place import Period


class Window(NamedTuple):
    """One entry of schema.COVERAGE.

    Attributes:
        account: For which it speaks.
        platform: Likewise, where it is in the contract's scope; else None.
        breakdown: Likewise.
        first_date: The first date.
        last_date: The last, included.
        is_primary: Whether the breakdown is the contract's preferred one.
    """

    account: str
    platform: str | None
    breakdown: str
    first_date: date
    last_date: date
    is_primary: bool = False


def join_windows(
    seen: Sequence[pl.DataFrame],
    *,
    constants: dict[str, str | None],
    primary: str,
    period: Period | None,
) -> list[Window]:
    """One window for each account, platform and breakdown that a file has rows of.

    Args:
        seen: Of each block: those of the three that are columns, `first_date`, `last_date`.
        constants: Those that are the same in all rows.
        primary: The preferred breakdown.
        period: The declared dates, which count instead of those of the rows.
    """
    frames = [frame for frame in seen if len(frame)]
    if not frames:
        return []
    names = ["account", "platform", "breakdown"]
    rows = pl.concat(
        frame.with_columns(
            pl.lit(constants.get(name), pl.String()).alias(name)
            for name in names
            if name not in frame.columns
        ).select(*names, "first_date", "last_date")
        for frame in frames
    )
    dates = (pl.col("first_date").min(), pl.col("last_date").max())
    if period is not None:
        dates = (pl.lit(period[0]).alias("first_date"), pl.lit(period[1]).alias("last_date"))
    windows = rows.group_by(names).agg(*dates).sort(names, nulls_last=True)
    return [
        Window(account, platform, breakdown, first, last, is_primary=breakdown == primary != "")
        for account, platform, breakdown, first, last in windows.iter_rows()
    ]
