"""The report's sums in the form that its page carries: whole numbers, column by column; pure.

A decimal becomes a whole number and its column's number of places, so nothing is rounded; what
JavaScript's numbers cannot hold is written as text.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Context, Decimal
from typing import Any, Final

from pipeline.report.content import NO_NAME, Row, format_name
from pipeline.report.measures import SUMS

MAX_CELLS: Final = 40_000
"""More rows would make a page that a phone is slow with."""

PLACES: Final = 6
"""Of a decimal in the lake."""

_LARGEST_SAFE: Final = 2**53 - 1
_EXACT: Final = Context(prec=80)


def pack_cells(rows: Sequence[Row], *, no_name: str = NO_NAME) -> dict[str, Any]:
    """Packs the rows of sql/report/cells.sql.

    Args:
        rows: In the statement's order; may be empty.
        no_name: Stands for a name that is none.

    Returns:
        `first` (a day), names by column, for each row the place of each of its names and its day's
        distance from `first`, and the sums as `{"places": n, "values": [...]}`.
    """
    first = min((_read_day(row) for row in rows), default=None)
    packed: dict[str, Any] = {
        "first": first and first.isoformat(),
        "day": [(_read_day(row) - first).days for row in rows] if first else [],
        "sums": {key: _pack_sums([row[key] for row in rows]) for key in SUMS},
    }
    for key in ("currency", "platform", "target_audience"):
        names, places = _number([row[key] for row in rows])
        shown = [format_name(name, no_name=no_name) for name in names]
        packed[key] = {"names": shown, "places": places}
    return packed


def _read_day(row: Row) -> date:
    day = row["date"]
    if not isinstance(day, date):
        raise TypeError(f"a cell's date is {day!r}")
    return day


def order_names(values: Iterable[object]) -> list[object]:
    """The different values, sorted, null last."""
    return sorted(set(values), key=lambda value: (value is None, str(value)))


def _number(values: Sequence[object]) -> tuple[list[object], list[int]]:
    """The different values in their order, and for each value its place among them."""
    names = order_names(values)
    places = {name: place for place, name in enumerate(names)}
    return names, [places[value] for value in values]


def _pack_sums(values: Sequence[object]) -> dict[str, Any]:
    whole = [None if value is None else _to_millionths(value) for value in values]
    spare = next(
        (
            spare
            for spare in range(PLACES, 0, -1)
            if not any(value and value % 10**spare for value in whole)
        ),
        0,
    )
    return {
        "places": PLACES - spare,
        "values": [None if value is None else _make_safe(value // 10**spare) for value in whole],
    }


def _to_millionths(value: object) -> int:
    if isinstance(value, int):
        return value * 10**PLACES
    if not isinstance(value, Decimal):
        raise TypeError(f"a cell's sum is {value!r}")
    scaled = value.scaleb(PLACES, _EXACT)
    if scaled != (whole := int(scaled)):
        raise ValueError(f"{value} has more than {PLACES} places")
    return whole


def _make_safe(value: int) -> int | str:
    return value if abs(value) <= _LARGEST_SAFE else str(value)
