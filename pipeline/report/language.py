"""What a language is to the report: its words, and how it writes numbers and days; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Self

_WORD: Final = re.compile(r"\w+")
_OF_COLUMNS: Final = "sum("


@dataclass(frozen=True, slots=True)
class Language:
    """A language.

    Attributes:
        code: As HTML has it.
        marks: Turns numbers with `,` for thousands and `.` for decimals into the language's.
        months: Short names of the twelve months.
        day: How a day is written; {day}, {month} and {year}.
        words: The page's texts by key.
        measures: By measure: its name, and what it means, without a full stop.
        phrases: What stands in the KPI dictionary's formulas beside names of measures.
    """

    code: str
    marks: Mapping[str, str]
    months: tuple[str, ...]
    day: str
    words: Mapping[str, str]
    measures: Mapping[str, tuple[str, str]]
    phrases: Mapping[str, str]

    def write_number(self, text: str) -> str:
        """A number as the language writes it, from the English form."""
        return text.translate({ord(mark): own for mark, own in self.marks.items()})

    def write_day(self, day: date) -> str:
        """A day as the language writes it."""
        return self.day.format(day=day.day, month=self.months[day.month - 1], year=day.year)

    def describe_numbers(self) -> dict[str, Any]:
        """The numbers of the axes of charts, as Vega takes a locale."""
        decimal, thousands = self.write_number("."), self.write_number(",")
        return {
            "decimal": decimal,
            "thousands": thousands,
            "grouping": [3],
            "currency": ["", ""],
        }

    def add_formulas(self, formulas: Mapping[str, str]) -> Self:
        """The language with formulas after the meanings of measures.

        Args:
            formulas: By measure, as the KPI dictionary has it: over names of measures. What names
                columns of the lake instead is left out: it tells a reader nothing.
        """
        measures = {
            key: (name, f"{meaning}: {self._translate(formulas[key])}")
            if key in formulas and _OF_COLUMNS not in formulas[key]
            else (name, meaning)
            for key, (name, meaning) in self.measures.items()
        }
        return replace(self, measures=measures)

    def _translate(self, formula: str) -> str:
        for phrase, own in self.phrases.items():
            formula = formula.replace(phrase, own)
        return _WORD.sub(
            lambda found: self._name_part(found[0]) if found[0] in self.measures else found[0],
            formula,
        )

    def _name_part(self, measure: str) -> str:
        name = self.name(measure)
        return name if name[:2].isupper() else name.lower()

    def name(self, measure: str) -> str:
        """The name of a measure."""
        return self.measures[measure][0]

    def define(self, measure: str) -> str:
        """What a measure means, as a sentence."""
        return f"{self.measures[measure][1]}."
