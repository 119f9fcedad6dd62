"""Rows that no contract lets pass, and rows that are written twice."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Fact
from pipeline.generate.messy.form import Form


def _keep_cells(form: Form, fact: Fact) -> Mapping[str, str]:  # noqa: ARG001 - as all
    return {}


def _keep_record(form: Form, record: str) -> str:  # noqa: ARG001 - as all
    return record


class Damage(NamedTuple):
    """What becomes of a row.

    Attributes:
        change: The cells that are no longer what they were.
        tear: Its text, without a line end, as it is written then; one line stays one.
        loses_day: Whether nobody can tell any more of which day the row is.
    """

    change: Callable[[Form, Fact], Mapping[str, str]] = _keep_cells
    tear: Callable[[Form, str], str] = _keep_record
    loses_day: bool = False


WHOLE: Final = Damage()
"""Nothing becomes of it."""

_DAMAGED_PERCENT: Final = 30
_MOST_PERCENT: Final = 3
"""Less than the share from which on a delivery is held."""

_FEWEST_ROWS: Final = 4
_REPEATED_PERCENT: Final = 15


def draw_damage(dice: Dice, facts: Sequence[Fact]) -> dict[int, Damage]:
    """Draws which rows of a file are damaged, and how.

    Cheap rows only, and never many: the file is meant to be taken with what is left of it.

    Args:
        dice: Of the file.
        facts: Its rows.

    Returns:
        By the place of the row.
    """
    if len(facts) < _FEWEST_ROWS or not dice.happens(_DAMAGED_PERCENT):
        return {}
    count = 1 + dice.roll(max(1, _MOST_PERCENT * len(facts) // 100))
    by_cost = sorted(range(len(facts)), key=lambda place: (facts[place].cost, place))
    cheap = dice.shuffle(by_cost[: len(by_cost) // 2])
    return {place: dice.pick(_DAMAGES) for place in cheap[:count]}


def draw_repeated(dice: Dice, whole: Sequence[int]) -> list[int]:
    """Draws which row of a file is written once more below all others; most files have none.

    Args:
        dice: Of the file.
        whole: The places of its rows that are not damaged.
    """
    return [dice.pick(whole)] if whole and dice.happens(_REPEATED_PERCENT) else []


def _break_number(form: Form, fact: Fact) -> Mapping[str, str]:  # noqa: ARG001 - as all
    return {"cost": "#VALUE!"}


def _lose_cost(form: Form, fact: Fact) -> Mapping[str, str]:  # noqa: ARG001 - as all
    return {"cost": form.missing}


def _break_day(form: Form, fact: Fact) -> Mapping[str, str]:  # noqa: ARG001 - as all
    day = f"{fact.day.year}-02-30"
    return {"date": day, "starts": day, "ends": day}


def _click_too_often(form: Form, fact: Fact) -> Mapping[str, str]:
    return {"clicks": form.style.write_count(fact.impressions + 1)}


def _add_cell(form: Form, record: str) -> str:
    return record + form.style.delimiter


def _add_quote(form: Form, record: str) -> str:  # noqa: ARG001 - as all
    # Behind a blank: right behind the quotes of a last cell it would open them again, and take
    # the next rows in.
    return record + ' "'


_DAMAGES: Final = (
    Damage(_break_number),
    Damage(_lose_cost),
    Damage(_break_day, loses_day=True),
    Damage(_click_too_often),
    # Where one cell ends and the next begins is not known any more, so neither is the day.
    Damage(tear=_add_cell, loses_day=True),
    Damage(tear=_add_quote, loses_day=True),
)
