"""The forms in which dates are written, and the days that a text in such a form means.

A form consists of `yyyy`, one of `mm`, `m`, `month`, one of `dd`, `d`, and what stands between
them. `mm` and `dd` are two digits, `m` and `d` one or two, `month` a month's name. `time` is a time
of that day: hours and minutes, with or without seconds and their fraction.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

MONTHS: Final[Mapping[str, Sequence[str]]] = {
    "en": (
        *("january", "february", "march", "april", "may", "june", "july"),
        *("august", "september", "october", "november", "december"),
    ),
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio"),
        *("agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
    "pt": (
        *("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho"),
        *("agosto", "setembro", "outubro", "novembro", "dezembro"),
    ),
}
"""The months' names by language, lower case."""

_LONGER: Final = {"september": "sept", "septiembre": "sept"}
"""Abbreviations of more than three letters."""

_PIECES: Final = {
    "yyyy": r"(?P<year>[0-9]{4})",
    "month": r"(?P<name>[^\W\d_]{3,12}\.?)",
    "mm": r"(?P<month>[0-9]{2})",
    "m": r"(?P<month>[0-9]{1,2})",
    "dd": r"(?P<day>[0-9]{2})",
    "d": r"(?P<day>[0-9]{1,2})",
    "time": r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?",
}
_TOKENS: Final = re.compile(r"(?<![a-z])(yyyy|month|mm|m|dd|d|time)(?![a-z])|(yyyymmdd)")


def is_date_format(form: str, *, with_names: bool = False) -> bool:
    """Whether a form says year, month and day once each, and a time at most once."""
    tokens = _list_tokens(form)
    if has_time(form):
        tokens.remove("time")
    found = sorted(map(_kind, tokens))
    kinds = [["day", "month", "year"], ["day", "name", "year"]]
    return found in kinds[: 2 if with_names else 1]


def has_time(form: str) -> bool:
    """Whether texts in this form say a time as well, so that a day may have many rows."""
    return "time" in _list_tokens(form)


def swap_day_and_month(form: str) -> str | None:
    """The form with day and month in each other's place, of one digit or two.

    None where the year comes first or the month has a name: nobody takes these for another form.
    """
    kinds = [kind for kind in map(_kind, _list_tokens(form)) if kind != "time"]
    if kinds[0] == "year" or "name" in kinds:
        return None
    others = {"dd": "m", "d": "m", "mm": "d", "m": "d"}
    return _TOKENS.sub(lambda match: others.get(match[0], match[0]), form)


def match_date(text: str, form: str, languages: Sequence[str] = ()) -> date | None:
    """The day that a text in this form means; None where it is not in this form.

    Args:
        text: Without outer blanks.
        form: As the module says.
        languages: Of a month's name, full or as it is abbreviated; empty: all.

    Raises:
        ValueError: It is in this form and no day of the calendar.
    """
    match = _compile(form).fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    month = int(parts["month"]) if "month" in parts else _find_month(parts["name"], languages)
    if month is None:
        return None
    return date(int(parts["year"]), month, int(parts["day"]))


def _list_tokens(form: str) -> list[str]:
    if form == "yyyymmdd":
        return ["yyyy", "mm", "dd"]
    return [match.group(1) for match in _TOKENS.finditer(form) if match.group(1)]


def _kind(token: str) -> str:
    if token[0] in "yd":
        return "year" if token[0] == "y" else "day"
    return {"month": "name", "time": "time"}.get(token, "month")


@lru_cache(maxsize=256)
def _compile(form: str) -> re.Pattern[str]:
    if form == "yyyymmdd":
        return re.compile("".join(_PIECES[token] for token in ("yyyy", "mm", "dd")))
    pattern, position = "", 0
    for match in _TOKENS.finditer(form):
        pattern += re.escape(form[position : match.start()]) + _PIECES[match.group(1)]
        position = match.end()
    return re.compile(pattern + re.escape(form[position:]), re.IGNORECASE)


def _find_month(name: str, languages: Sequence[str]) -> int | None:
    word = name.lower().removesuffix(".")
    for language in languages or MONTHS:
        for number, month in enumerate(MONTHS.get(language, ()), start=1):
            if word in {month, month[:3], _LONGER.get(month)}:
                return number
    return None
