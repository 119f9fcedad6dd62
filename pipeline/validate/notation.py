"""How a dialect writes numbers: the patterns that its texts have, and their plain form."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipeline.contracts import Dialect

BLANKS: Final = (" ", "\u00a0", "\u202f")
"""A space that stands in a number may be one that does not break."""

PERCENT_SIGN: Final = "[" + "".join(BLANKS) + "]?%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """The marks of a dialect and what follows from them.

    A pattern is read by Python and by Polars alike, so that both mean the same texts.

    Attributes:
        decimal: The decimal mark.
        thousands: The thousands marks, each of the blanks where one of them is a mark.
        grouped: Pattern of digits in groups of three, `1,234`; '' without thousands marks. The
            first group does not begin with 0: `0,123` is a fraction of another dialect. One
            number has one mark.
        marks: Pattern of any thousands mark; '' without.
        integer: A whole number; a fraction of zeros is none, but for one of exactly three: there
            it could be a thousands mark of another language.
        number: A number without an exponent.
        exponent: A number with an exponent, as `1e-05`.
    """

    decimal: str
    thousands: tuple[str, ...]
    grouped: str
    marks: str
    integer: re.Pattern[str]
    number: re.Pattern[str]
    exponent: re.Pattern[str]

    def make_plain(self, text: str) -> str:
        """A number of this notation with a decimal point and without thousands marks."""
        for mark in self.thousands:
            text = text.replace(mark, "")
        return text.replace(self.decimal, ".")

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as computers do."""
        return self.decimal == "." and not self.thousands

    @property
    def words(self) -> str:
        """How a number is written, for people."""
        mark = "point" if self.decimal == "." else "comma"
        shown = " or ".join(repr(mark) for mark in self.thousands if mark not in BLANKS[1:])
        groups = f"thousands in groups of three by {shown}" if shown else "no thousands mark"
        return f"a decimal {mark} and {groups}"


def get_notation(dialect: Dialect) -> Notation:
    """The notation of a dialect."""
    return _make_notation(dialect.decimal, dialect.thousands)


@lru_cache(maxsize=64)
def _make_notation(decimal: str, thousands: tuple[str, ...]) -> Notation:
    marks = [mark for one in thousands for mark in (BLANKS if one in BLANKS else (one,))]
    marks = list(dict.fromkeys(marks))
    groups = "|".join(f"[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+" for mark in marks)
    grouped = f"(?:{groups})" if marks else ""
    digits = f"(?:[0-9]+|{grouped})" if marks else "[0-9]+"
    point = re.escape(decimal)
    # `122.000` may as well be 122 thousands of another language.
    zeros = "(?!000$)0*"
    return Notation(
        decimal=decimal,
        thousands=tuple(marks),
        grouped=grouped,
        marks=f"(?:{'|'.join(map(re.escape, marks))})" if marks else "",
        integer=re.compile(f"-?{digits}({point}{zeros})?"),
        number=re.compile(f"-?{digits}({point}[0-9]+)?"),
        exponent=re.compile(f"-?[0-9]+({point}[0-9]+)?[eE][+-]?[0-9]{{1,3}}"),
    )


PLAIN: Final = get_notation(Dialect())
"""A decimal point and no thousands mark."""
