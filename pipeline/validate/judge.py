"""What one cell's text means: the truth that the fast casts must agree with."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Context, Decimal
from typing import Final, Literal, NamedTuple

from pipeline.contracts.dates import match_date
from pipeline.contracts.model import Unit
from pipeline.validate.notation import PERCENT_SIGN, PLAIN, Notation

SCALE: Final = 6
NOISE: Final = Decimal("1e-9")
DECIMAL_LIMIT: Final = Decimal(10) ** 12
STEP_LIMIT: Final = 10 ** (12 + SCALE)
INTEGER_LIMIT: Final = 2**63
DIVISORS: Final[Mapping[Unit, int]] = {"one": 1, "percent": 100, "seconds": 60}
"""By what a number of a unit is divided; `micros` are whole numbers of our smallest step."""

Taken = Literal["exact", "noise", "rounded"]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_PERCENT_SIGN = re.compile(PERCENT_SIGN + r"\Z")
_LONGEST_INTEGER = 100
_STEP = Decimal(1).scaleb(-SCALE)
# Wider than any cell, so that nothing is rounded on the way.
_WIDE = Context(prec=500_000)


class Refused(Exception):  # noqa: N818 - a verdict on a cell, not an error of the program
    """The text means nothing that the column allows.

    Attributes:
        rule: Short name of the rule it breaks.
        expected: What would have been right.
    """

    def __init__(self, rule: str, expected: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.expected = expected


class Figure(NamedTuple):
    """A decimal that a text means.

    Attributes:
        value: Of at most `SCALE` places.
        taken: Whether it is the text's exact value, or what was done to it.
    """

    value: Decimal
    taken: Taken


def judge_integer(text: str, notation: Notation = PLAIN) -> int:
    """A whole number; `1000.0` is one.

    Raises:
        Refused: `not_finite`, `not_integer` or `out_of_range` (beyond 64 bits).
    """
    if _NOT_FINITE.fullmatch(text):
        raise Refused("not_finite", "a whole number")
    if not notation.integer.fullmatch(text):
        groups = "" if notation.is_plain else f" (numbers have {notation.words})"
        raise Refused("not_integer", f"a whole number, digits only{groups}")
    plain = notation.make_plain(text)
    # Python refuses to read a text of thousands of digits at all.
    value = int(plain.split(".", 1)[0]) if len(plain) <= _LONGEST_INTEGER else INTEGER_LIMIT
    if not -INTEGER_LIMIT <= value < INTEGER_LIMIT:
        raise Refused("out_of_range", "a whole number of at most 63 bits")
    return value


def judge_decimal(
    text: str,
    notation: Notation = PLAIN,
    *,
    exponents: bool = False,
    unit: Unit = "one",
    rounds: bool = False,
) -> Figure:
    """A decimal number, divided by its unit, of at most six places then.

    A float that was printed in full, as 0.30000000000000004, lies within 1e-9 of the six places
    that were meant; anything finer than that is rounded only where the contract says so.

    Args:
        text: The cell.
        notation: How numbers are written.
        exponents: Whether `1e-05` is a number.
        unit: What it counts. A percent sign may follow a `percent`, after a blank or not;
            `micros` are whole numbers.
        rounds: Whether what is finer is rounded, half to even.

    Raises:
        Refused: `not_finite`, `not_number`, `out_of_range` (1e12 and more), `too_precise`; for
            micros also `not_integer`.
    """
    if unit == "micros":
        return _judge_micros(text, notation)
    if _NOT_FINITE.fullmatch(text):
        raise Refused("not_finite", "a number")
    number = _PERCENT_SIGN.sub("", text) if unit == "percent" else text
    if not notation.number.fullmatch(number) and not (
        exponents and notation.exponent.fullmatch(number)
    ):
        sign = ", a percent sign or none" if unit == "percent" else ""
        raise Refused("not_number", f"a number with {notation.words}{sign}")
    return _divide(Decimal(notation.make_plain(number)), DIVISORS[unit], rounds=rounds)


def judge_date(text: str, forms: Sequence[str] = ("yyyy-mm-dd",)) -> date:
    """The day of a text in one of some forms.

    The first form that the text has decides, so that no day is guessed from a later one.

    Raises:
        Refused: `bad_date`, or `not_a_date` where the text goes on after an ISO date.
    """
    for form in forms:
        try:
            day = match_date(text, form)
        except ValueError:
            raise Refused("bad_date", "a day of the calendar") from None
        if day is not None:
            return day
    expected = " or ".join(form.upper() for form in forms)
    begin = _DATE.match(text)
    if begin and begin.end() < len(text):
        raise Refused("not_a_date", f"{expected} without a time")
    raise Refused("bad_date", expected)


def _judge_micros(text: str, notation: Notation) -> Figure:
    steps = judge_integer(text, notation)
    if abs(steps) >= STEP_LIMIT:
        raise Refused("out_of_range", "a number of micros below 1e18")
    return Figure(Decimal(steps).scaleb(-SCALE), "exact")


def _divide(number: Decimal, divisor: int, *, rounds: bool) -> Figure:
    """Counts the steps of 1e-6 in a quotient, which itself may have no last decimal."""
    size = number.copy_abs()
    if size >= DECIMAL_LIMIT * divisor:
        raise Refused("out_of_range", "a number below 1e12")
    step = _STEP * divisor
    whole, over = _WIDE.divmod(size, step)
    steps, under = int(whole), _WIDE.subtract(step, over)
    if over > under or (over == under and steps % 2 == 1):
        steps += 1
    if steps >= STEP_LIMIT:
        raise Refused("out_of_range", "a number below 1e12")
    value = Decimal(steps if number >= 0 else -steps).scaleb(-SCALE)
    if not over:
        return Figure(value, "exact")
    if min(over, under) <= NOISE * divisor:
        return Figure(value, "noise")
    if not rounds:
        raise Refused("too_precise", f"at most {SCALE} decimals" + _name_divisor(divisor))
    return Figure(value, "rounded")


def _name_divisor(divisor: int) -> str:
    return "" if divisor == 1 else f" after division by {divisor}"
