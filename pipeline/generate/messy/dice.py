"""Chance that depends on a seed and on what it is for, and on nothing else."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws for one purpose; the same labels throw the same."""

    def __init__(self, *labels: object) -> None:
        self._label = "/".join(map(str, labels))
        self._throws = 0

    def roll(self, sides: int) -> int:
        """A number of 0 .. sides - 1."""
        self._throws += 1
        text = f"{self._label}#{self._throws}"
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % sides

    def happens(self, percent: int) -> bool:
        """Whether something happens that does so in so many of a hundred cases."""
        return self.roll(100) < percent

    def pick(self, items: Sequence[T]) -> T:
        """One of some things."""
        return items[self.roll(len(items))]

    def shuffle(self, items: Sequence[T]) -> list[T]:
        """The things in another order."""
        rest = list(items)
        return [rest.pop(self.roll(len(rest))) for _ in items]
