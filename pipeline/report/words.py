"""The languages that the report knows; pure."""

from typing import Final

from pipeline.errors import UsageError
from pipeline.report.english import ENGLISH
from pipeline.report.language import Language
from pipeline.report.spanish import SPANISH

LANGUAGES: Final = {language.code: language for language in (ENGLISH, SPANISH)}


def find_language(code: str) -> Language:
    """The language of a code.

    Raises:
        UsageError: There is none.
    """
    if code not in LANGUAGES:
        raise UsageError(f"--lang is {code!r}; expected {' or '.join(LANGUAGES)}")
    return LANGUAGES[code]
