"""How the year moves advertising, and how a total of rows is shared over days."""

import math
from datetime import date, timedelta
from typing import Final

from pipeline.generate.hashing import count_from, to_unit

_WEEKDAY_SHIFT: Final = (0.04, 0.05, 0.03, 0.02, 0.0, -0.08, -0.06)  # Monday first
_YEAR_SHIFT: Final = 0.16
_PEAK_DAY: Final = 335  # day of the year: the sales season before the holidays
_DAILY_NOISE: Final = 0.06
_WEIGHT_UNIT: Final = 1_000_000


def list_days(start: date, end: date) -> list[date]:
    """The days from `start` to `end`, both included; `end` is not before `start`."""
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]


def season_shift(day: date) -> float:
    """What the week and the year add to the logarithm of a day's figures, within -0.24 .. 0.21.

    Rounded, so that the last bit of a machine's cosine cannot reach the bytes of a file.
    """
    turn = 2 * math.pi * (day.timetuple().tm_yday - _PEAK_DAY) / 365.25
    return round(_WEEKDAY_SHIFT[day.weekday()] + _YEAR_SHIFT * math.cos(turn), 6)


def share_rows(start: date, end: date, rows: int, seed: int) -> list[int]:
    """Shares a total over days by season, week and a little noise.

    Args:
        start: First day.
        end: Last day, included; not before `start`.
        rows: The total, at least 0.
        seed: Of the noise, 0 .. 2**63 - 1.

    Returns:
        Rows for each day from `start` to `end`; they add up to `rows` exactly (largest
        remainder, earlier days first among equals). A day may get 0.
    """
    weights = _weigh_days(list_days(start, end), seed)
    total = sum(weights)
    shares = [rows * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(rows * weights[i] % total))
    for index in by_remainder[: rows - sum(shares)]:
        shares[index] += 1
    return shares


def _weigh_days(days: list[date], seed: int) -> list[int]:
    # Whole numbers, so that shares are exact however long the range.
    noise = to_unit(count_from(seed, first=days[0].toordinal(), count=len(days)))
    return [
        round(_WEIGHT_UNIT * math.exp(season_shift(day)) * (1 + _DAILY_NOISE * (unit - 0.5)))
        for day, unit in zip(days, noise.tolist(), strict=True)
    ]
