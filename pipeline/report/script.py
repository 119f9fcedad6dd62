"""What the page's script works with; pure."""

from typing import Any, Final

from pipeline.report.charts import ROW_HEIGHT, make_charts
from pipeline.report.content import explain
from pipeline.report.language import Language
from pipeline.report.measures import MEASURES
from pipeline.report.tables import GROUP_COLUMNS, TIME_COLUMNS

_WORDS: Final = (
    *("all", "none", "chosen", "shown", "compared", "not_compared", "before", "no_change"),
    *("no_rows", "no_value", "by_day", "by_week", "by_month"),
)


def make_data(cells: dict[str, Any], currency: int, language: Language) -> dict[str, Any]:
    """All of it, as JSON takes it.

    Args:
        cells: Of `pack_cells`.
        currency: The place of the currency that is shown at first.
        language: Of words and numbers.
    """
    return {
        "cells": cells,
        "charts": make_charts(),
        "currency": currency,
        "day": language.day,
        "locale": language.describe_numbers(),
        "marks": dict(language.marks),
        "measures": {
            key: {**measure.describe(), "why": explain(key, language)}
            for key, measure in MEASURES.items()
        },
        "months": list(language.months),
        "names": {key: language.name(key) for key in MEASURES},
        "row_height": ROW_HEIGHT,
        "tables": {**GROUP_COLUMNS, "time": TIME_COLUMNS},
        "words": {key: language.words[key] for key in _WORDS},
    }
