"""A counter-based hash: the same number in, the same well-mixed number out, in any order.

Source: splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

U64: TypeAlias = npt.NDArray[np.uint64]

GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
"""The step between a counter's draws; odd, so that multiples of it do not repeat."""

_MULTIPLIER_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2: Final = np.uint64(0x94D049BB133111EB)


def mix(values: U64) -> U64:
    """Maps each number to another, one to one, so that near inputs give unrelated outputs."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= _MULTIPLIER_1
    mixed ^= mixed >> np.uint64(27)
    mixed *= _MULTIPLIER_2
    mixed ^= mixed >> np.uint64(31)
    return mixed


def count_from(key: int, *, first: int, count: int) -> U64:
    """Hashes the counters `first` .. `first + count - 1` under a key of 0 .. 2**64 - 1."""
    start = mix(np.array([key], dtype=np.uint64) + GOLDEN)
    counters = np.arange(first, first + count, dtype=np.uint64)
    counters *= GOLDEN
    counters += start
    return mix(counters)


def to_unit(values: U64, *, shift: int = 0) -> npt.NDArray[np.float64]:
    """Sixteen bits of each number, from bit `shift` on, as a place in (0, 1): a cell's middle."""
    cells = ((values >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float64)
    cells += 0.5
    cells *= 2.0**-16
    return cells
