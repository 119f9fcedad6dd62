"""Rows that no contract lets pass."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Fact
from pipeline.generate.messy.form import Form

Damage = Callable[[Form, Fact], Mapping[str, str]]
"""The cells of a row that are no longer what they were."""

_DAMAGED_PERCENT: Final = 30
_MOST_PERCENT: Final = 3
"""Less than the share from which on a delivery is held."""

_FEWEST_ROWS: Final = 4


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


def _break_number(form: Form, fact: Fact) -> Mapping[str, str]:  # noqa: ARG001 - as all
    return {"cost": "#VALUE!"}


def _lose_cost(form: Form, fact: Fact) -> Mapping[str, str]:  # noqa: ARG001 - as all
    return {"cost": form.missing}


def _break_day(form: Form, fact: Fact) -> Mapping[str, str]:  # noqa: ARG001 - as all
    day = f"{fact.day.year}-02-30"
    return {"date": day, "starts": day, "ends": day}


def _click_too_often(form: Form, fact: Fact) -> Mapping[str, str]:
    return {"clicks": form.style.write_count(fact.impressions + 1)}


def loses_day(damage: Damage) -> bool:
    """Whether nobody can tell any more of which day the row is."""
    return damage is _break_day


_DAMAGES: Final[Sequence[Damage]] = (_break_number, _lose_cost, _break_day, _click_too_often)
