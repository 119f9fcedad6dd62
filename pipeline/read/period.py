"""The dates that the lines before a header say a report is of. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from pipeline.contracts.dates import match_date
from pipeline.errors import BadFileError
from pipeline.read.header import read_names

Period = tuple[date, date]

# A hyphen stands inside dates too: as a mark it has its blanks, or stands before a month's name or
# after a year.
_BETWEEN: Final = re.compile(
    r"\s*[\N{EN DASH}\N{EM DASH}]\s*|\s+-\s+|-(?=[^\W\d_])|(?<=[0-9]{4})-(?=[0-9]{1,2} )|"
    r"\s+(?:to|a|al|até|hasta)\s+|\s*\.\.\.?\s*",
    re.IGNORECASE,
)


def find_period(
    lines: Sequence[str], forms: Sequence[str], *, languages: Sequence[str], delimiter: str
) -> Period | None:
    """The first and the last day that a preamble names; None where it names none.

    Args:
        lines: Those before the header.
        forms: How a date may be written (`pipeline.contracts.dates`).
        languages: Of the months' names; empty: all.
        delimiter: For a line that is a row of cells.

    Raises:
        BadFileError: `bad_period`: a day that is none, an end before its start, or two periods.
    """
    found: list[tuple[int, Period]] = []
    for number, line in enumerate(lines, start=1):
        for text in _list_texts(line, delimiter):
            if period := _read_period(text, forms, languages, number):
                found.append((number, period))
                break
    if not found:
        return None
    first = found[0][1]
    for number, period in found[1:]:
        if period != first:
            raise BadFileError(
                "bad_period",
                f"line {found[0][0]} says {_say(first)} and line {number} {_say(period)}; "
                "expected one period a file",
            )
    return first


def _list_texts(line: str, delimiter: str) -> Iterator[str]:
    """The line as a whole, and each of its cells."""
    yield _clean(line.rstrip(delimiter + " "))
    for cell in read_names(line, delimiter):
        if cell.strip():
            yield _clean(cell)


def _clean(text: str) -> str:
    return " ".join(text.split())


def _read_period(
    text: str, forms: Sequence[str], languages: Sequence[str], number: int
) -> Period | None:
    impossible = False
    for form in forms:
        try:
            period = _match_period(text, form, languages)
        except ValueError:
            # Another form may still read it: 01/31/2024 is no day of dd/mm/yyyy.
            impossible = True
            continue
        if period is None:
            continue
        if period[1] < period[0]:
            raise BadFileError(
                "bad_period", f"line {number} says {text!r}, which ends before it starts"
            )
        return period
    if impossible:
        raise BadFileError(
            "bad_period", f"line {number} says {text!r}; expected days of the calendar"
        )
    return None


def _match_period(text: str, form: str, languages: Sequence[str]) -> Period | None:
    """The period that a text in this form means.

    Raises:
        ValueError: It is in this form, and a day is none of the calendar.
    """
    if day := match_date(text, form, languages):
        return day, day
    for between in _BETWEEN.finditer(text):
        first = match_date(text[: between.start()], form, languages)
        last = match_date(text[between.end() :], form, languages) if first else None
        if first and last:
            return first, last
    return None


def _say(period: Period) -> str:
    return f"{period[0]} to {period[1]}"
