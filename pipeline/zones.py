"""Time zones: which names are zones, and whether a report's words may mean one. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import polars as pl

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+_-]*(?:/[A-Za-z0-9+_-]+){0,3}", re.ASCII)
_STANDARD: Final = re.compile(r"\((?:GMT|UTC)(?:([+-])(\d\d?):(\d\d))?\)\s*", re.ASCII)
"""How words such as `(GMT+01:00) Madrid, Paris` begin: with the offset of standard time."""

_SEASON_DAYS: Final = 60
"""What lasts as long in a year is a season of its clocks."""

_FIRST: Final = datetime(2010, 1, 1, 12, tzinfo=UTC)
_LAST: Final = datetime(2029, 12, 31, 12, tzinfo=UTC)
"""The noons whose clocks are compared are fixed, so that it does not matter when that is done."""


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether a text is an IANA name, as it is written there: `Europe/Madrid`, `UTC`."""
    return _NAME.fullmatch(name) is not None and _list_offsets(name) is not None


def may_mean(words: str, zone: str, names: Mapping[str, str]) -> bool:
    """Whether a report whose own words are these may have its days in a zone.

    Only what says another zone is against it: a name whose clocks differ, or an offset of
    standard time that the zone never has. Words that say neither cannot be compared.

    Args:
        words: Of the report: an IANA name, or words such as `Eastern Time (US & Canada)`.
        zone: An IANA name.
        names: The zone that some words mean, by the words as `simplify` gives them.
    """
    named, clocks = names.get(simplify(words), words), _list_offsets(zone)
    if named == zone or clocks is None:
        return True
    if is_zone(named):
        other = _list_offsets(named)
        return other is not None and other["offset"].equals(clocks["offset"])
    said = _STANDARD.match(words)
    if not said:
        return True
    minutes = int(said[2] or 0) * 60 + int(said[3] or 0)
    return (-minutes if said[1] == "-" else minutes) in _list_standard(clocks)


def simplify(words: str) -> str:
    """Words for a zone as they are compared: without case and what leads them, an offset."""
    return _STANDARD.sub("", words, count=1).strip().casefold()


def _list_standard(clocks: pl.DataFrame) -> pl.Series:
    """The least offset of each year; Morocco's of Ramadan is a shorter exception from its own."""
    days = clocks.group_by("year", "offset").len()
    lasting = days.filter(pl.col("len") >= _SEASON_DAYS)
    return lasting.group_by("year").agg(pl.col("offset").min())["offset"]


@lru_cache(maxsize=64)
def _list_offsets(zone: str) -> pl.DataFrame | None:
    """Each noon's year and minutes ahead of UTC; None where the zone is not known."""
    noons = pl.datetime_range(_FIRST, _LAST, "1d", eager=True)
    try:
        clocks = noons.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    except pl.exceptions.ComputeError:
        return None
    ahead = (clocks - noons.dt.replace_time_zone(None)).dt.total_minutes()
    return pl.DataFrame({"year": noons.dt.year(), "offset": ahead})
