"""Figures between hard bounds: log-normal, cut at the bounds, drawn by the inverse distribution.

A row's figure is high or low partly because its campaign's figures are, partly by chance: the mean
of two uniform numbers, made uniform again by the triangular distribution. So rows of a campaign
resemble each other and the distribution over all rows stays exactly the one asked for.

Only sums, products and table look-ups touch a row: their results are the same to the last bit on
every processor, which exponentials and logarithms are not.
"""

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_KNOTS: Final = 8192
_DIGITS: Final = 9  # of a table's numbers; fewer than any two maths libraries differ in


@dataclass(frozen=True, slots=True)
class Measure:
    """The distribution of one figure.

    Attributes:
        low: Smallest value, above 0.
        high: Largest value.
        sigma: Standard deviation of the logarithm.
        medians: Median before the cut, for each cell (a platform and audience).
        season: How much of the season's shift reaches the logarithm; 0 is none.
    """

    low: float
    high: float
    sigma: float
    medians: tuple[float, ...]
    season: float


@dataclass(frozen=True, slots=True)
class Sampler:
    """The distributions of a day: for each measure and cell, which part of the knots' table counts.

    Attributes:
        base: Position in the table of the lower bound; shape (measures, cells), as the next two.
        width: From there to the upper bound.
        scale: The median.
        low: Lower bound; shape (measures, 1).
        high: Upper bound; shape (measures, 1).
        knots: Quantiles of each measure with median 1, one measure after the other.
        slopes: From each knot to the next.
    """

    base: F64
    width: F64
    scale: F64
    low: F64
    high: F64
    knots: F64
    slopes: F64

    def draw(self, ranks: F32, cell: I64) -> F64:
        """Turns ranks into figures.

        Args:
            ranks: Uniform in [0, 1]; shape (measures, rows).
            cell: The cell of each row; shape (rows,).

        Returns:
            Figures within the bounds; shape (measures, rows).
        """
        position = self.width.take(cell, axis=1)
        position *= ranks
        position += self.base.take(cell, axis=1)
        knot = position.astype(np.int64)
        position -= knot
        position *= self.slopes.take(knot)
        position += self.knots.take(knot)
        position *= self.scale.take(cell, axis=1)
        # Between two knots the line lies a hair above the curve, so also above the bound.
        np.clip(position, self.low, self.high, out=position)
        return position


def build_sampler(measures: tuple[Measure, ...], *, shift: float) -> Sampler:
    """Prepares the distributions of a day whose season shifts the logarithms by `shift`."""
    base, width, scale = [], [], []
    for index, measure in enumerate(measures):
        factor = math.exp(shift * measure.season)
        medians = [median * factor for median in measure.medians]
        bottoms = [_share_below(measure.low, median, measure.sigma) for median in medians]
        tops = [_share_below(measure.high, median, measure.sigma) for median in medians]
        offset = index * (_KNOTS + 1)
        base.append([offset + _KNOTS * bottom for bottom in bottoms])
        width.append([_KNOTS * (top - low) for low, top in zip(bottoms, tops, strict=True)])
        scale.append([round(median, _DIGITS) for median in medians])
    knots, slopes = _tabulate(tuple(measure.sigma for measure in measures))
    return Sampler(
        base=np.array(base),
        width=np.array(width),
        scale=np.array(scale),
        low=np.array([[measure.low] for measure in measures]),
        high=np.array([[measure.high] for measure in measures]),
        knots=knots,
        slopes=slopes,
    )


def mix_ranks(shared: F32, own: F32) -> F32:
    """Combines two independent uniform numbers of [0, 1) into one of [0, 1], each half of it.

    `own` is overwritten; `shared` has a shape that broadcasts to it.
    """
    # With s = a + b - 1 the distribution function of the sum is 1/2 + s - s|s|/2.
    own += shared
    own -= 1.0
    bend = np.abs(own)
    bend *= -0.5
    bend += 1.0
    own *= bend
    own += 0.5
    return own


def _share_below(value: float, median: float, sigma: float) -> float:
    return round(0.5 * (1 + math.erf(math.log(value / median) / (sigma * math.sqrt(2)))), 12)


@functools.cache
def _tabulate(sigmas: tuple[float, ...]) -> tuple[F64, F64]:
    # The ends stand for the outer half of the first and last interval, which reach to infinity.
    shares = [0.25 / _KNOTS, *(knot / _KNOTS for knot in range(1, _KNOTS)), 1 - 0.25 / _KNOTS]
    normal = NormalDist()
    deviates = [normal.inv_cdf(share) for share in shares]
    knots = np.array([[round(math.exp(sigma * z), _DIGITS) for z in deviates] for sigma in sigmas])
    slopes = np.diff(knots, axis=1, append=knots[:, -1:])
    return knots.ravel(), slopes.ravel()
