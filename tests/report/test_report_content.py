"""What the report says, cell by cell."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.report.content import (
    DASH,
    format_amount,
    format_count,
    format_name,
    format_percent,
)
from pipeline.report.english import ENGLISH
from pipeline.report.page import build_page
from pipeline.report.period import Period
from pipeline.report.summary import CAMPAIGNS_PRINTED, Report
from tests.report.pages import (
    DAY,
    make_campaign,
    make_cell,
    make_figures,
    make_measures,
    make_report,
)

ACCOUNT = {
    "files": 50,
    "rows_in": 500_000,
    "accepted": 499_990,
    "quarantined": 10,
    "duplicates": 0,
    "superseded": 0,
}


def make_platform(**columns: Any) -> dict[str, Any]:
    names = ("spend", "clicks", "impressions", "cpc", "ctr", "roas", "roi")
    return {"platform": "Google ADS", "currency": "USD", **dict.fromkeys(names), **columns}


def make_audience(**columns: Any) -> dict[str, Any]:
    names = ("avg_view_time", "avg_view_time_weighted")
    return {"target_audience": "Mujer 18-25", **make_platform(), **dict.fromkeys(names), **columns}


def build(**parts: Any) -> Report:
    return make_report(**{"account": ACCOUNT, "version": 7, **parts})


def test_figures_are_ready_to_be_read() -> None:
    row = make_platform(
        spend=Decimal("956123456.780000"),
        clicks=3751234567,
        impressions=Decimal(125123456789),
        cpc=0.25488,
        ctr=0.029999,
        roas=3.125,
        roi=2.135,
    )

    platforms = build(platforms=[row]).sections[0]

    assert [column.heading for column in platforms.columns] == [
        "Platform",
        "Spend USD",
        "Clicks",
        "Impressions",
        "CPC",
        "CTR %",
        "ROAS",
        "ROI",
    ]
    assert platforms.rows == (
        (
            "Google ADS",
            "956,123,456.78",
            "3,751,234,567",
            "125,123,456,789",
            "0.25",
            "3.00",
            "3.12",
            "2.14",
        ),
    )


def test_what_is_not_known_is_a_dash() -> None:
    report = build(platforms=[make_platform(platform=None)], audiences=[make_audience()])

    assert report.sections[0].rows == (("(none)", *[DASH] * 7),)
    assert report.sections[1].rows == (("Mujer 18-25", *[DASH] * 7),)


def test_two_currencies_are_two_lines_that_each_name_theirs() -> None:
    rows = [make_platform(currency=currency, spend=1) for currency in ("EUR", "USD")]

    platforms = build(platforms=rows).sections[0]

    assert [column.heading for column in platforms.columns][:3] == ["Platform", "Currency", "Spend"]
    assert [row[:3] for row in platforms.rows] == [
        ("Google ADS", "EUR", "1.00"),
        ("Google ADS", "USD", "1.00"),
    ]


def test_the_account_of_rows_and_the_version_are_told() -> None:
    report = build()

    assert report.title == "Advertising report, table version 7"
    account = report.sections[2]
    assert [column.heading for column in account.columns] == [
        "Files",
        "Rows in",
        "Accepted",
        "Quarantined",
        "Duplicates",
        "Superseded",
    ]
    assert account.rows == (("50", "500,000", "499,990", "10", "0", "0"),)


def test_after_the_account_of_rows_comes_what_the_page_says_of_its_period() -> None:
    parts: dict[str, Any] = {
        "cells": [make_cell(), make_cell(date=DAY - timedelta(days=1))],
        "period": Period(DAY, DAY),
        "totals": [make_measures(clicks=1100, impressions=10_000, ctr=0.11)],
        "totals_before": [make_measures(clicks=1000)],
        "campaigns": [make_campaign(f"c{roas}", roas=roas) for roas in range(20)],
    }
    page = build_page(make_figures(**parts), ENGLISH)

    headline, funnel, *others, sources, reasons = build(**parts).sections[3:]

    days = "1 Mar 2024 to 1 Mar 2024"
    assert headline.title == f"At a glance: {days}, compared with 29 Feb 2024 to 29 Feb 2024"
    rows = {row[0]: row[1:] for row in headline.rows}
    assert rows["Clicks"] == ("1,100", "1,000", "\u25b2 +10.0 %")
    assert rows["Spend USD"] == ("1.00", "1.00", "0.0 %")
    assert rows["ROAS"] == (DASH, DASH, DASH)
    assert f"{DASH} ROAS: No value: Revenue is not known" in headline.note
    assert (funnel.title, funnel.rows) == (f"Funnel: {days}", page.funnel.rows)
    for printed, shown in zip(others, page.campaigns, strict=True):
        assert printed.title == f"{shown.title}: {days}"
        names = [[row[0] for row in table.rows] for table in (printed, shown)]
        assert names[0] == names[1][:CAMPAIGNS_PRINTED]
    assert [column.heading for column in sources.columns][:4] == [
        "Source",
        "Newest delivery",
        "Newest day",
        "Days behind",
    ]
    assert [row[:2] for row in reasons.rows] == [("A", "A")]


def test_without_a_row_it_has_the_two_tables_and_the_account_of_rows() -> None:
    content = build(cells=[], period=None, sources=[], reasons=[])

    titles = [section.title for section in content.sections]

    assert titles == ["Platforms", "Audiences", "Account of rows"]


def test_of_several_currencies_it_says_which_one_it_goes_on_with() -> None:
    cells = [make_cell(currency=name) for name in ("USD", "EUR", "USD")]

    report = build(cells=cells)

    assert report.sections[3].note.startswith("Money of two currencies is never added. Shown is US")
    assert report.sections[3].rows[0][0] == "Spend USD"


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (format_amount, Decimal("1234567.125"), "1,234,567.12"),
        (format_amount, Decimal("1234567.135"), "1,234,567.14"),
        (format_amount, Decimal(10**32 - 1), "99,999,999,999,999,999,999,999,999,999,999.00"),
        (format_amount, 1e-07, "0.00"),
        (format_amount, -2.5, "-2.50"),
        (format_percent, 0.03, "3.00"),
        (format_percent, 1.5, "150.00"),
        (format_count, 27 * 10**18, "27,000,000,000,000,000,000"),
        (format_count, 0, "0"),
        (format_name, "a\x1b[31m\nb", "a\\x1b[31m\\nb"),
        (format_name, "", "(none)"),
        (format_name, "ñ 東京", "ñ 東京"),
    ],
)
def test_each_form_of_a_value(form: Any, value: object, text: str) -> None:
    assert form(value) == text
