"""Rows found and replaced by their source and day, however many other days there are. Pure."""

from collections.abc import Iterable
from datetime import date

import polars as pl

_PLACE = ("source", "date")

Place = tuple[str, date]
"""Source and day."""


class ByDay:
    """A table in parts by source and day: a few are found without a look at the rest.

    Args:
        rows: The table; it has at least the columns source and date.
    """

    def __init__(self, rows: pl.DataFrame) -> None:
        self._none = rows.clear()
        self._parts = _split(rows)

    def find(self, places: Iterable[Place]) -> pl.DataFrame:
        """The rows of some sources and days."""
        parts = (self._parts.get(place) for place in places)
        return pl.concat([self._none, *(part for part in parts if part is not None)])

    def replace(self, places: Iterable[Place], rows: pl.DataFrame) -> None:
        """Puts rows in the place of all that there are of these sources and days."""
        for place in places:
            self._parts.pop(place, None)
        self._parts |= _split(rows)


def _split(rows: pl.DataFrame) -> dict[Place, pl.DataFrame]:
    # As a dict, Polars would look up the key of each part by a query of its own.
    parts = rows.partition_by(_PLACE)
    return {(part["source"][0], part["date"][0]): part for part in parts}
