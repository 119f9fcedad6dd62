"""What the report says, cell by cell."""

from decimal import Decimal
from typing import Any

import pytest

from pipeline.report.content import (
    DASH,
    Report,
    build_report,
    format_amount,
    format_count,
    format_name,
    format_percent,
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
    given = {"platforms": [], "audiences": [], "account": ACCOUNT, "version": 7}
    return build_report(**{**given, **parts})


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
