"""One day of ad figures as Arrow record batches: a pure function of seed, vocabulary and day.

A day is cut into parts of `PART_ROWS` rows. A part is made alone, from its own counter-based
generator, so parts can be made in any order and by any number of workers. Inside a part, chunks of
`CHUNK_ROWS` rows keep memory flat and the arrays in the processor's cache.

In a chunk the first rows are the first audience of each campaign, then come the second audiences
and so on: whole arrays of campaigns then repeat four times, which is quick to make and packs well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.generate.arrays import (
    Column,
    Texts,
    to_decimals,
    to_dictionary,
    to_integers,
    to_texts,
)
from pipeline.generate.calendar import season_shift
from pipeline.generate.campaigns import (
    AUDIENCES,
    AUDIENCES_EACH,
    PLATFORMS,
    TARGETINGS,
    Campaigns,
    find_campaigns,
)
from pipeline.generate.economy import MEASURES, Economy, build_economy
from pipeline.generate.labels import format_uuids, list_first_days, list_prefixes, name_campaigns
from pipeline.generate.sampling import Sampler, build_sampler, mix_ranks
from pipeline.generate.vocabulary import Vocabulary
from pipeline.schema import AD_DAY

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

PART_ROWS: Final = 2**18
"""Rows of a full part, so of a full file."""

CHUNK_ROWS: Final = 2**15
"""Rows that are made at once; part of what a seed means, like every other number here."""

COLUMNS: Final = (
    "campaign_id",
    "campaign_name",
    "platform",
    "target_audience",
    "impressions",
    "clicks",
    "cost",
    "revenue",
    "conversions",
    "video_view_time",
    "video_views",
    "reported_ctr",
    "reported_cpc",
)
"""What a generated file holds; the date stands in its path, the rest in its manifest."""

RAW: Final = pa.schema([AD_DAY.field(name) for name in COLUMNS])
"""A generated file's columns; grain (campaign_id, target_audience)."""

_PLATFORM_TEXTS: Final = to_texts(PLATFORMS)
_AUDIENCE_TEXTS: Final = to_texts(AUDIENCES)
_AUDIENCES_OF: Final = np.array(TARGETINGS).T.copy()


class Part(NamedTuple):
    """A part of a day.

    Attributes:
        day: The day.
        number: From 0.
        rows: 1 .. `PART_ROWS`; only a day's last part has fewer.
    """

    day: date
    number: int
    rows: int


@dataclass(frozen=True, slots=True)
class Market:
    """What all days of a seed share.

    Attributes:
        seed: 0 .. 2**63 - 1.
        vocabulary: The words.
        prefixes: Beginnings of campaign names.
        economy: What clicks bring.
    """

    seed: int
    vocabulary: Vocabulary
    prefixes: Texts
    economy: Economy


def open_market(*, seed: int, vocabulary: Vocabulary) -> Market:
    """Prepares a seed for making days."""
    return Market(
        seed=seed,
        vocabulary=vocabulary,
        prefixes=list_prefixes(vocabulary),
        economy=build_economy(seed=seed, advertisers=len(vocabulary.advertisers)),
    )


def cut_day(day: date, *, rows: int) -> Iterator[Part]:
    """Cuts a day of `rows` rows, which may be 0, into its parts."""
    for number, first in enumerate(range(0, rows, PART_ROWS)):
        yield Part(day, number, min(PART_ROWS, rows - first))


def stream_day(
    market: Market, day: date, *, rows: int, batch_rows: int = CHUNK_ROWS
) -> Iterator[pa.RecordBatch]:
    """Makes a day in batches.

    Args:
        market: The seed and its words.
        day: From 1970-01-01 on.
        rows: How many, at least 0.
        batch_rows: Most rows in a batch, at least 1; batches end where chunks do, so more than
            `CHUNK_ROWS` makes no difference.

    Returns:
        Batches of the columns of `RAW`, with texts as dictionaries and decimals in 64 bits (a
        `cast(RAW)` gives the plain types). One row a campaign and audience; nothing is null.
    """
    for part in cut_day(day, rows=rows):
        yield from stream_part(market, part, batch_rows=batch_rows)


def stream_part(
    market: Market, part: Part, *, batch_rows: int = CHUNK_ROWS
) -> Iterator[pa.RecordBatch]:
    """Makes one part of a day in batches, as `stream_day` does."""
    stream = np.array([market.seed, part.day.toordinal() << 32 | part.number], dtype=np.uint64)
    today = _Today(
        sampler=build_sampler(MEASURES, shift=season_shift(part.day)),
        first_days=list_first_days(part.day),
        generator=np.random.Generator(np.random.Philox(key=stream)),
    )
    first_row = part.number * PART_ROWS
    for begin in range(0, part.rows, CHUNK_ROWS):
        rows = min(CHUNK_ROWS, part.rows - begin)
        campaigns = find_campaigns(
            seed=market.seed,
            day=part.day.toordinal(),
            first_slot=(first_row + begin) // AUDIENCES_EACH,
            slots=-(-rows // AUDIENCES_EACH),
            advertisers=len(market.vocabulary.advertisers),
            themes=len(market.vocabulary.themes),
        )
        chunk = _make_chunk(market, today, campaigns).slice(0, rows)
        for first in range(0, rows, batch_rows):
            yield chunk.slice(first, batch_rows)


class _Today(NamedTuple):
    """What the chunks of a part share."""

    sampler: Sampler
    first_days: Texts
    generator: np.random.Generator


def _make_chunk(market: Market, today: _Today, campaigns: Campaigns) -> pa.RecordBatch:
    """All audiences of some campaigns on a day, in four blocks of one row a campaign."""
    slots = len(campaigns.slot)
    shape = (AUDIENCES_EACH, slots)
    audience = _AUDIENCES_OF.take(campaigns.targeting, axis=1)
    cell = (audience + campaigns.platform * len(AUDIENCES)).ravel()
    own = today.generator.random((len(MEASURES), *shape), dtype=np.float32)
    ranks = mix_ranks(campaigns.ranks[:, None, :], own).reshape(len(MEASURES), -1)
    reach, ctr, cpc, minutes = today.sampler.draw(ranks, cell)

    impressions = reach.astype(np.int64)
    clicks = (impressions * ctr).astype(np.int64)
    results = market.economy.settle(
        campaigns,
        cell,
        impressions=impressions,
        clicks=clicks,
        chances=today.generator.random((3, *shape), dtype=np.float32),
    )
    return pa.RecordBatch.from_arrays(
        [
            _repeat(format_uuids(campaigns.id_high, campaigns.id_low)),
            _repeat(
                name_campaigns(
                    campaigns,
                    prefixes=market.prefixes,
                    themes=len(market.vocabulary.themes),
                    first_days=today.first_days,
                )
            ),
            to_dictionary(
                np.tile(campaigns.platform.astype(np.int8), AUDIENCES_EACH), _PLATFORM_TEXTS
            ),
            to_dictionary(audience.astype(np.int8).ravel(), _AUDIENCE_TEXTS),
            to_integers(impressions),
            to_integers(clicks),
            to_decimals(_round(clicks * cpc * 100), places=2),
            to_decimals(results.revenue_cents, places=2),
            to_decimals(results.conversions, places=0),
            to_decimals(_round(minutes * 100), places=2),
            to_integers(results.video_views),
            to_decimals(_round(ctr * 10_000), places=4),
            to_decimals(_round(cpc * 100), places=2),
        ],
        names=list(COLUMNS),
    )


def _round(values: F64) -> I64:
    return np.rint(values, out=values).astype(np.int64)


def _repeat(texts: Texts) -> Column:
    """The texts of campaigns, once for each block of audiences."""
    return to_dictionary(np.tile(np.arange(len(texts), dtype=np.int32), AUDIENCES_EACH), texts)
