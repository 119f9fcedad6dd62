"""Rows as the KPIs give them, for pages that need no lake."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipeline.report.content import Row
from pipeline.report.english import ENGLISH
from pipeline.report.figures import Figures
from pipeline.report.html import render_html
from pipeline.report.language import Language
from pipeline.report.measures import MEASURES, SUMS
from pipeline.report.page import build_page
from pipeline.report.period import choose_period
from pipeline.report.summary import Report, build_report

DAY = date(2024, 3, 1)
ACCOUNT = dict.fromkeys(
    ("files", "rows_in", "accepted", "quarantined", "duplicates", "superseded"), 2
)


def make_cell(**columns: Any) -> dict[str, Any]:
    """A row of sql/report/cells.sql with a spend of 1 and nothing else."""
    row: dict[str, Any] = dict.fromkeys(SUMS)
    row |= {"currency": "USD", "date": DAY, "platform": "P", "target_audience": "A", "cut": False}
    return {**row, "spend": Decimal(1), **columns}


def make_measures(**columns: Any) -> dict[str, Any]:
    """A row of a KPI with a spend of 1 and nothing else."""
    return {"currency": "USD", **dict.fromkeys(MEASURES), "spend": Decimal(1), **columns}


def make_campaign(name: str | None, *, roas: float | None = 1.5, **columns: Any) -> dict[str, Any]:
    """A row of the KPI `campaign`, or of `unconverted`."""
    named = {"campaign_name": name, "campaign_id": name, "spend_without_conversions": False}
    return make_measures(**{**named, "roas": roas, **columns})


def make_figures(names: Sequence[str] = ("A",), **parts: Any) -> Figures:
    """Figures with each name in each field of text, on one day."""
    cells = [make_cell(platform=name, target_audience=name) for name in names]
    given: dict[str, Any] = {
        "version": 3,
        "filters": {},
        "cells": cells,
        "cut": False,
        "period": choose_period(DAY, DAY),
        "totals": [make_measures()],
        "totals_before": [],
        "platforms": [make_measures(platform=name) for name in names],
        "audiences": [make_measures(target_audience=name) for name in names],
        "days": [make_measures(day=DAY)],
        "shares": [],
        "campaigns": [make_campaign(name) for name in names],
        "unconverted": [make_campaign(name, spend_without_conversions=True) for name in names],
        "account": ACCOUNT,
        "sources": [
            {
                **dict.fromkeys(("source", "time_zone", "attribution"), name),
                "last_delivered_at": datetime(2024, 3, 2, tzinfo=UTC),
                "last_date": DAY,
                **dict.fromkeys(("days_behind", "missing_days", "files"), 1),
                **dict.fromkeys(("refused_files", "held_files", "rows_in", "quarantined"), 0),
            }
            for name in names
        ],
        "reasons": [
            {"rule": name, "source": name, "refused_rows": 1, "files": 1, "example": name}
            for name in names
        ],
    }
    return Figures(**{**given, **parts})


def make_report(
    *,
    platforms: Sequence[Row] = (),
    audiences: Sequence[Row] = (),
    language: Language = ENGLISH,
    start: date | None = None,
    **parts: Any,
) -> Report:
    """What a terminal shows: rows of the two KPIs of all days, and a page of `make_figures`."""
    page = build_page(make_figures(**parts), language)
    return build_report(page, platforms=platforms, audiences=audiences, days=page.days, start=start)


def render(figures: Figures, language: Language = ENGLISH) -> str:
    """The page as text."""
    return render_html(build_page(figures, language)).decode()
