"""The KPI dictionary, read out of the statements: what a header and the comments say.

A statement begins with `-- Purpose:`, `-- Grain:`, `-- Reads:` and `-- Params:`; a line that is
indented goes on with what the line above says. A column that needs a definition has a comment
before it, `-- UNIT: DEFINITION`, which may go on likewise.
"""

import re
from typing import Final, NamedTuple

UNITS: Final = frozenset(
    {
        "count",
        "count, money for revenue",
        "date",
        "days",
        "fraction",
        "fraction, money for revenue",
        "minutes",
        "minutes a view",
        "money",
        "ratio",
        "text",
        "time, UTC",
        "yes or no",
    }
)

_FIELD: Final = re.compile(r"^-- (Purpose|Grain|Reads|Params): (.*)$")
_UNIT: Final = re.compile(r"^\s*-- ([a-zA-Z, ]+): (.*)$")
_GOES_ON: Final = re.compile(r"^\s*--   (.*)$")
_COLUMN: Final = re.compile(r"^\s*(?:'(\w+)': .*|.*\) as (\w+),?)$")


class Header(NamedTuple):
    """What a statement says of itself.

    Attributes:
        purpose: One or more sentences.
        grain: What one row is.
        reads: The relations that it reads.
        params: Names of its parameters, without the mark.
    """

    purpose: str
    grain: str
    reads: str
    params: tuple[str, ...]


class Definition(NamedTuple):
    """What a column means.

    Attributes:
        name: Of the column.
        unit: One of `UNITS`.
        meaning: The formula and what to know of it, in one line.
    """

    name: str
    unit: str
    meaning: str


def parse_header(statement: str) -> Header:
    """Reads the header; a field that is not there is empty.

    >>> parse_header("-- Params: start, end." + chr(10) + "select 1").params
    ('start', 'end')
    """
    fields: dict[str, str] = {}
    current = ""
    for line in statement.splitlines():
        if not line.startswith("--"):
            break
        if found := _FIELD.match(line):
            current = found[1]
            fields[current] = found[2]
        elif (more := _GOES_ON.match(line)) and current:
            fields[current] += f" {more[1]}"
    listed = fields.get("Params", "").rstrip(".")
    return Header(
        purpose=_begin_large(fields.get("Purpose", "")),
        grain=fields.get("Grain", "").rstrip("."),
        reads=fields.get("Reads", ""),
        params=tuple(name for name in listed.split(", ") if name not in {"", "none"}),
    )


def _begin_large(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def parse_definitions(statement: str) -> tuple[Definition, ...]:
    """Reads the definitions of columns, in the order of the statement.

    >>> parse_definitions("-- money: sum(cost)" + chr(10) + "'spend': sum(facts.spend),")
    (Definition(name='spend', unit='money', meaning='sum(cost)'),)
    """
    found: list[Definition] = []
    unit = meaning = ""
    for line in statement.splitlines():
        if (begins := _UNIT.match(line)) and begins[1] in UNITS:
            unit, meaning = begins[1], begins[2]
        elif unit and (more := _GOES_ON.match(line)):
            meaning += f" {more[1]}"
        elif unit and (column := _COLUMN.match(line)):
            found.append(Definition(column[1] or column[2], unit, meaning))
            unit = ""
    return tuple(found)
