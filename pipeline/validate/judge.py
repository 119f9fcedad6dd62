"""What one cell's text means: the truth that the fast casts must agree with."""

import re
from datetime import date
from decimal import Decimal
from typing import Final

SCALE: Final = 6
NOISE: Final = Decimal("1e-9")
DECIMAL_LIMIT: Final = Decimal(10) ** 12
INTEGER_LIMIT: Final = 2**63

_INTEGER = re.compile(r"-?[0-9]+(\.0*)?")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_EXPONENT = re.compile(r"-?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,3}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_LONGEST_INTEGER = 100
_STEP = Decimal(1).scaleb(-SCALE)


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


def judge_integer(text: str) -> int:
    """A whole number; `1000.0` is one.

    Raises:
        Refused: `not_finite`, `not_integer` or `out_of_range` (beyond 64 bits).
    """
    if _NOT_FINITE.fullmatch(text):
        raise Refused("not_finite", "a whole number")
    if not _INTEGER.fullmatch(text):
        raise Refused("not_integer", "a whole number, digits only")
    # Python refuses to read a text of thousands of digits at all.
    value = int(text.split(".", 1)[0]) if len(text) <= _LONGEST_INTEGER else INTEGER_LIMIT
    if not -INTEGER_LIMIT <= value < INTEGER_LIMIT:
        raise Refused("out_of_range", "a whole number of at most 63 bits")
    return value


def judge_decimal(text: str, *, exponents: bool) -> tuple[Decimal, bool]:
    """A decimal number of at most six places, and whether binary noise was taken off it.

    A float that was printed in full, as 0.30000000000000004, lies within 1e-9 of the six places
    that were meant; anything finer than that is a figure we must not round.

    Args:
        text: The cell.
        exponents: Whether `1e-05` is a number.

    Raises:
        Refused: `not_finite`, `not_number`, `out_of_range` (1e12 and more) or `too_precise`.
    """
    if _NOT_FINITE.fullmatch(text):
        raise Refused("not_finite", "a number")
    if not _DECIMAL.fullmatch(text) and not (exponents and _EXPONENT.fullmatch(text)):
        raise Refused("not_number", "a number with a decimal point and no thousands mark")
    exact = Decimal(text)
    if abs(exact) >= DECIMAL_LIMIT:
        raise Refused("out_of_range", "a number below 1e12")
    value = exact.quantize(_STEP)
    if abs(value) >= DECIMAL_LIMIT:  # rounded up to it
        raise Refused("out_of_range", "a number below 1e12")
    if value == exact:
        return value, False
    if abs(value - exact) > NOISE:
        raise Refused("too_precise", f"at most {SCALE} decimals")
    return value, True


def judge_date(text: str) -> date:
    """An ISO date, `2024-02-29`.

    Raises:
        Refused: `bad_date`, or `not_a_date` where the text goes on after a date.
    """
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Refused("bad_date", "a day of the calendar") from None
    if _DATE.match(text):
        raise Refused("not_a_date", "YYYY-MM-DD without a time")
    raise Refused("bad_date", "YYYY-MM-DD")
