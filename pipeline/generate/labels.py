"""Campaign ids and names as Arrow arrays, without a Python string a row."""

import functools
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.generate.arrays import (
    Texts,
    join_texts,
    pick,
    to_integers,
    to_texts,
    to_texts_of_width,
)
from pipeline.generate.campaigns import LONGEST_DAYS, OBJECTIVES, Campaigns
from pipeline.generate.hashing import U64
from pipeline.generate.vocabulary import Vocabulary

_EPOCH: Final = date(1970, 1, 1)
_BLOCK_DAYS: Final = 512
_UUID_CHARS: Final = 36
_GROUP_BYTES: Final = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 16))
_HEX: Final = np.frombuffer(
    "".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint8
).reshape(256, 2)
_VERSION_4: Final = (np.uint64(0xFFFFFFFFFFFF0FFF), np.uint64(0x0000000000004000))
_VARIANT: Final = (np.uint64(0x3FFFFFFFFFFFFFFF), np.uint64(0x8000000000000000))


def format_uuids(high: U64, low: U64) -> Texts:
    """Writes pairs of random 64-bit numbers as version 4 UUIDs.

    Source: RFC 9562, section 5.4: six of the 128 bits say version and variant.
    """
    halves = np.empty((len(high), 2), dtype=">u8")
    halves[:, 0] = high & _VERSION_4[0] | _VERSION_4[1]
    halves[:, 1] = low & _VARIANT[0] | _VARIANT[1]
    digits = _HEX.take(halves.view(np.uint8), axis=0).reshape(len(high), -1)
    text = np.full((len(high), _UUID_CHARS), ord("-"), dtype=np.uint8)
    for group, (first, last) in enumerate(_GROUP_BYTES):
        text[:, 2 * first + group : 2 * last + group] = digits[:, 2 * first : 2 * last]
    return to_texts_of_width(text)


def list_prefixes(vocabulary: Vocabulary) -> Texts:
    """The part of a name that says what is advertised: advertiser, objective and theme.

    Returns:
        Theme counts fastest, then objective, then advertiser.
    """
    return to_texts(
        f"{advertiser} | {objective} | {theme} | "
        for advertiser in vocabulary.advertisers
        for objective in OBJECTIVES
        for theme in vocabulary.themes
    )


def list_first_days(day: date) -> Texts:
    """The part of a name that says since when a campaign runs, for ages of 0, 1, .. days."""
    number = (day - _EPOCH).days
    block, inside = divmod(number, _BLOCK_DAYS)
    return pick(_list_block(block), inside + LONGEST_DAYS - 1 - np.arange(LONGEST_DAYS))


@functools.lru_cache(maxsize=8)
def _list_block(block: int) -> Texts:
    """The same texts for the days of a block and those just before it, oldest first.

    Most runs make many days of one year, and each of them names campaigns of the days before.
    """
    first = block * _BLOCK_DAYS - LONGEST_DAYS + 1
    numbers = np.arange(first, (block + 1) * _BLOCK_DAYS, dtype=np.int32)
    dates = to_integers(numbers).cast(pa.date32()).cast(pa.string())
    return join_texts(dates, to_texts(["#"] * len(numbers)), between=" ")


def name_campaigns(
    campaigns: Campaigns, *, prefixes: Texts, themes: int, first_days: Texts
) -> Texts:
    """Names campaigns as an account's naming convention does.

    First day and slot number stand at the end and make a name unique.

    Args:
        campaigns: Those that run on a day.
        prefixes: From `list_prefixes`.
        themes: How many themes it was made of.
        first_days: From `list_first_days` of that day.
    """
    kind = (campaigns.advertiser * len(OBJECTIVES) + campaigns.objective) * themes + campaigns.theme
    number = to_integers(campaigns.slot + 1).cast(pa.string())
    return join_texts(pick(prefixes, kind), pick(first_days, campaigns.age), number)
