"""The headline: figures of a period and how they changed; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pipeline.report.content import DASH, FORMS, Row, explain, format_share
from pipeline.report.language import Language
from pipeline.report.measures import MEASURES

HEADLINE: Final = ("spend", "revenue", "roas", "conversions", "cpa", "clicks", "cpc", "ctr")
"""The measures at the head of the page."""

_MONEY: Final = frozenset({"spend", "revenue", "cpa", "cpc"})
_MARKS: Final = {-1: "\N{BLACK DOWN-POINTING TRIANGLE} \N{MINUS SIGN}", 0: ""} | {
    1: "\N{BLACK UP-POINTING TRIANGLE} +"
}


@dataclass(frozen=True, slots=True)
class Card:
    """One figure.

    Attributes:
        key: Of its measure.
        name: Of its measure.
        about: What it means.
        money: Whether it is of a currency.
        value: As shown.
        unit: What stands after it; may be empty.
        why: Why it is a dash; empty where it is none.
        change: Since the period before, as shown.
        no_change: Why there is no change; empty where there is one.
        good: 1 for a change to the better, -1 to the worse, 0 for neither.
        before: The figure of the period before, as shown; empty where there is none.
    """

    key: str
    name: str
    about: str
    money: bool
    value: str
    unit: str
    why: str
    change: str
    no_change: str
    good: int
    before: str


def build_cards(totals: Row, before: Row | None, language: Language) -> tuple[Card, ...]:
    """Makes the headline.

    Args:
        totals: Measures of the period.
        before: Measures of the period before; None where there is none.
        language: Of words and numbers.
    """
    return tuple(_build_card(key, totals, before or {}, language) for key in HEADLINE)


def find_change(value: object, before: object) -> float | None:
    """The change as a fraction of what was before; None where one is not known or that is 0."""
    if value is None or not before:
        return None
    now, then = Decimal(str(value)), Decimal(str(before))
    return float(now - then) / float(then)


def _build_card(key: str, totals: Row, before: Mapping[str, object], language: Language) -> Card:
    measure = MEASURES[key]
    form = FORMS[measure.form]
    value, earlier = totals.get(key), before.get(key)
    change = find_change(value, earlier)
    sign = 0 if change is None else (change > 0) - (change < 0)
    written = "" if change is None else format_share(abs(change))
    return Card(
        key=key,
        name=language.name(key),
        about=language.define(key),
        money=key in _MONEY,
        value=language.write_number(form(value)),
        unit="%" if measure.form == "percent" and value is not None else "",
        why=explain(key, language) if value is None else "",
        change=f"{_MARKS[sign]}{language.write_number(written)} %" if written else DASH,
        no_change=language.words["no_change"] if change is None else "",
        good=sign * measure.better,
        before="" if earlier is None else language.write_number(form(earlier)),
    )
