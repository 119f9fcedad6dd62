"""The numbers of the imagined market: how figures are distributed, and what clicks bring."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.generate.campaigns import Campaigns
from pipeline.generate.hashing import count_from, to_unit
from pipeline.generate.sampling import Measure

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

# For each audience of `campaigns.AUDIENCES`.
_REACH: Final = (1.15, 1.25, 1.05, 0.80, 1.05, 1.15, 0.95, 0.75)
_APPEAL: Final = (1.12, 1.08, 1.00, 0.92, 1.04, 1.00, 0.94, 0.86)
_PRICE: Final = (0.85, 1.05, 1.15, 1.00, 0.80, 1.00, 1.10, 0.95)
_ATTENTION: Final = (0.80, 0.92, 1.10, 1.30, 0.75, 0.90, 1.05, 1.22)
_CONVERSION: Final = (0.80, 1.15, 1.20, 1.00, 0.70, 1.00, 1.10, 0.95)

# For each platform of `campaigns.PLATFORMS`: a social feed is cheap, a search click means more.
_CONVERSION_BY_PLATFORM: Final = (0.85, 1.30)

# For each objective of `campaigns.OBJECTIVES`.
_CONVERSION_BY_OBJECTIVE: Final = (0.017, 0.013, 0.009, 0.005, 0.004)
_VIEWS_BY_OBJECTIVE: Final = (0.22, 0.20, 0.25, 0.35, 0.70)

_CHEAPEST_ORDER: Final = 1_200  # cents
_DEAREST_ORDER: Final = 9_000
_STREAM: Final = 2**63  # sets advertisers apart from slots, whose hash is keyed by the seed alone


def _by_cell(platforms: tuple[float, ...], audiences: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(platform * audience for platform in platforms for audience in audiences)


MEASURES: Final = (
    # impressions; the seed's bounds, here and below
    Measure(1_000, 1_000_000, 1.25, _by_cell((26_000, 17_000), _REACH), season=1.0),
    # click-through rate, a fraction
    Measure(0.01, 0.05, 0.45, _by_cell((0.019, 0.025), _APPEAL), season=0.15),
    # price of a click, dollars
    Measure(0.01, 0.50, 0.75, _by_cell((0.105, 0.165), _PRICE), season=0.6),
    # minutes a video is watched
    Measure(0.1, 10.0, 0.80, _by_cell((1.7, 2.5), _ATTENTION), season=0.0),
)
"""In the order in which the model draws them; a cell is a platform and an audience."""


@dataclass(frozen=True, slots=True)
class Results:
    """What rows brought; an entry of each array a row.

    Attributes:
        conversions: Orders, at most as many as clicks.
        revenue_cents: What they were worth.
        video_views: At most as many as impressions.
    """

    conversions: I64
    revenue_cents: I64
    video_views: I64


@dataclass(frozen=True, slots=True)
class Economy:
    """What the advertisers of a seed sell.

    Attributes:
        order_cents: Mean value of an order, for each advertiser.
        order_ease: Factor on the share of clicks that order; dear orders are rarer.
    """

    order_cents: F64
    order_ease: F64

    def settle(
        self, campaigns: Campaigns, cell: I64, *, impressions: I64, clicks: I64, chances: F32
    ) -> Results:
        """Works out what the clicks of rows brought.

        Args:
            campaigns: The campaigns of the rows.
            cell: Platform and audience of each row; rows are blocks of one row a campaign.
            impressions: Of each row.
            clicks: Of each row.
            chances: Uniform in [0, 1); shape (3, blocks, campaigns).
        """
        blocks = chances.shape[1:]
        rounding, luck, viewing = chances
        ease = _CONVERSION_TABLE.take(campaigns.objective) * self.order_ease.take(
            campaigns.advertiser
        )
        ease *= 0.3 + 1.4 * campaigns.quality
        expected = clicks.reshape(blocks) * _CELL_CONVERSION.take(cell).reshape(blocks)
        expected *= ease
        # Rounded up as often as the fraction says, so that small rows convert now and then.
        expected += rounding
        conversions = expected.astype(np.int64)
        revenue = conversions * self.order_cents.take(campaigns.advertiser)
        revenue *= 0.6 + 0.8 * luck
        views = impressions.reshape(blocks) * _VIEWS_TABLE.take(campaigns.objective)
        views *= 0.4 + 0.6 * viewing
        return Results(
            conversions=conversions.ravel(),
            revenue_cents=np.rint(revenue).astype(np.int64).ravel(),
            video_views=views.astype(np.int64).ravel(),
        )


def build_economy(*, seed: int, advertisers: int) -> Economy:
    """Gives each advertiser of a seed its orders, mostly small ones."""
    dearness = to_unit(count_from(_STREAM + seed, first=0, count=advertisers))
    dearness *= dearness
    order_cents = _CHEAPEST_ORDER + (_DEAREST_ORDER - _CHEAPEST_ORDER) * dearness
    return Economy(
        order_cents=np.rint(order_cents),
        order_ease=np.sqrt(2_400 / order_cents),
    )


_CONVERSION_TABLE: Final = np.array(_CONVERSION_BY_OBJECTIVE)
_VIEWS_TABLE: Final = np.array(_VIEWS_BY_OBJECTIVE)
_CELL_CONVERSION: Final = np.array(_by_cell(_CONVERSION_BY_PLATFORM, _CONVERSION))
