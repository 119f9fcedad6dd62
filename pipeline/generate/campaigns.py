"""Which campaign runs where on a day, and what it is like.

A **slot** hosts one campaign after another without a gap. Its length of 28 .. 120 days and its
phase come from a hash of the seed and the slot's number, so which campaign a slot hosts on a day
is one division, and no day needs another day's state. Every attribute is a hash of the seed, the
slot and the campaign's number in the slot: it stays the same for the campaign's whole life.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.generate.hashing import GOLDEN, U64, count_from, mix, to_unit

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

PLATFORMS: Final = ("Facebook ADS", "Google ADS")
AUDIENCES: Final = (
    "Mujer 18-25",
    "Mujer 26-35",
    "Mujer 36-45",
    "Mujer +46",
    "Hombre 18-25",
    "Hombre 26-35",
    "Hombre 36-45",
    "Hombre +46",
)
OBJECTIVES: Final = ("Ventas", "Leads", "Trafico", "Alcance", "Video")
TARGETINGS: Final = (
    (0, 1, 2, 3),  # all women
    (4, 5, 6, 7),  # all men
    (0, 1, 4, 5),  # the younger half
    (2, 3, 6, 7),  # the older half
)
"""Which audiences, as indices of `AUDIENCES`, a campaign may speak to."""

AUDIENCES_EACH: Final = 4
"""Audiences of one campaign, so rows of one slot on one day."""

SHORTEST_DAYS: Final = 28
LONGEST_DAYS: Final = 120

_RANKS: Final = 4
_OTHER_STEP: Final = np.uint64(0xD1342543DE82EF95)
_FACEBOOK_SHARE: Final = 0.58
_OBJECTIVE_STEPS: Final = np.array([0.40, 0.58, 0.78, 0.90])  # shares of `OBJECTIVES`, added up


@dataclass(frozen=True, slots=True)
class Campaigns:
    """The campaigns that run on one day in neighbouring slots; an entry of each array a slot.

    Attributes:
        slot: Number of the slot, from 0.
        age: Days since the campaign's first day, 0 .. days - 1.
        days: Days from first to last, 28 .. 120.
        id_high: Upper half of a random 128-bit number that belongs to the campaign alone.
        id_low: Its lower half.
        advertiser: Index of the advertiser.
        theme: Index of the theme.
        objective: Index of `OBJECTIVES`.
        platform: Index of `PLATFORMS`.
        targeting: Index of `TARGETINGS`.
        ranks: Shape (4, slots), uniform in (0, 1): where the campaign stands among all by daily
            budget, appeal, price of a click, and attention to its videos.
        quality: Uniform in (0, 1): how well its clicks turn into orders.
    """

    slot: I64
    age: I64
    days: I64
    id_high: U64
    id_low: U64
    advertiser: I64
    theme: I64
    objective: I64
    platform: I64
    targeting: I64
    ranks: F32
    quality: F64


def find_campaigns(
    *, seed: int, day: int, first_slot: int, slots: int, advertisers: int, themes: int
) -> Campaigns:
    """Finds the campaigns of the slots `first_slot` .. `first_slot + slots - 1` on a day.

    Args:
        seed: 0 .. 2**63 - 1.
        day: Ordinal of the day (`date.toordinal`).
        first_slot: From 0.
        slots: How many, at least 1.
        advertisers: How many there are to choose from, 1 .. 2**15.
        themes: Likewise.
    """
    rhythm = count_from(seed, first=first_slot, count=slots)
    days = SHORTEST_DAYS + _choose(rhythm, shift=0, count=LONGEST_DAYS - SHORTEST_DAYS + 1)
    # A phase of up to 2**15 days for lengths of at most 120: no day of a slot is favoured.
    shifted = day + _choose(rhythm, shift=16, count=2**15)
    number = shifted // days
    # Two keys that step differently: they could only both repeat for the same slot and number.
    step = number.astype(np.uint64)
    key = mix(rhythm + step * GOLDEN)
    other_key = mix(rhythm + step * _OTHER_STEP)
    choices = mix(key + GOLDEN)
    chances = mix(other_key + GOLDEN)
    ranks = mix(key + GOLDEN + GOLDEN)
    return Campaigns(
        slot=np.arange(first_slot, first_slot + slots, dtype=np.int64),
        age=shifted % days,
        days=days,
        id_high=key,
        id_low=other_key,
        advertiser=_choose(choices, shift=0, count=advertisers),
        theme=_choose(choices, shift=16, count=themes),
        targeting=_choose(choices, shift=32, count=len(TARGETINGS)),
        platform=(to_unit(choices, shift=48) >= _FACEBOOK_SHARE).astype(np.int64),
        objective=np.searchsorted(_OBJECTIVE_STEPS, to_unit(chances)),
        ranks=np.array(
            [to_unit(ranks, shift=16 * measure) for measure in range(_RANKS)], dtype=np.float32
        ),
        quality=to_unit(chances, shift=16),
    )


def _choose(values: U64, *, shift: int, count: int) -> I64:
    """An index of 0 .. count - 1 from sixteen bits of each number."""
    bits = (values >> np.uint64(shift)) & np.uint64(0xFFFF)
    return ((bits * np.uint64(count)) >> np.uint64(16)).astype(np.int64)
