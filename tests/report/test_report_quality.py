"""Which figures break a limit, and how it is said."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.report.quality import (
    Account,
    Arrived,
    Figures,
    Finding,
    Limits,
    Newest,
    Spend,
    count_by_check,
    judge,
)

DAY = date(2024, 3, 5)
GOOD: dict[str, Any] = {
    "arrived": [Arrived("google", 1000, 50, 0)],
    "newest": [Newest("google", DAY)],
    "spends": [Spend("google", "EUR", Decimal(300), Decimal(100))],
    "account": Account(0, 1000, 1000),
}


def find(*, limits: Limits | None = None, **figures: Any) -> list[Finding]:
    return judge(Figures(**GOOD | figures), day=DAY, limits=limits or Limits())


def list_checks(**figures: Any) -> list[str]:
    return [finding.check for finding in find(**figures)]


def test_figures_that_just_keep_the_limits_are_good() -> None:
    assert find() == []
    assert find(spends=[Spend("google", "EUR", Decimal(100), Decimal(300))]) == []
    assert find(newest=[Newest("google", DAY - timedelta(days=3))]) == []


def test_each_limit_is_found_when_it_breaks_by_the_least() -> None:
    assert list_checks(arrived=[Arrived("a", 1000, 51, 0)]) == ["quarantine_share"]
    assert list_checks(arrived=[Arrived("a", 1000, 0, 1)]) == ["refused_files"]
    assert list_checks(newest=[Newest("a", DAY - timedelta(days=4))]) == ["freshness"]
    assert list_checks(account=Account(1, 5, 5)) == ["row_account"]
    assert list_checks(account=Account(0, 5, 4)) == ["row_account"]
    for spend, before in (("300.01", 100), (100, "300.01"), (0, 1)):
        spends = [Spend("a", "EUR", Decimal(spend), Decimal(before))]
        assert list_checks(spends=spends) == ["spend"], (spend, before)


@pytest.mark.parametrize(
    "figures",
    [
        {"arrived": []},
        {"arrived": [Arrived("a", 0, 0, 0)]},
        {"spends": []},
        {"spends": [Spend("a", "EUR", None, Decimal(1)), Spend("a", "EUR", Decimal(1), None)]},
        {"spends": [Spend("a", "EUR", Decimal(1), Decimal(0))]},
        {"account": Account(0, 5, None)},
    ],
)
def test_what_cannot_be_compared_is_not_judged(figures: dict[str, Any]) -> None:
    assert find(**figures) == []


def test_a_master_without_rows_around_the_day_is_not_fresh() -> None:
    assert list_checks(newest=[]) == ["freshness"]


def test_a_finding_says_what_was_found_and_what_was_expected() -> None:
    spends = [Spend("goo\x1bgle", "EUR", Decimal("450.5"), Decimal(100))]
    (finding,) = find(spends=spends, limits=Limits(max_spend_change=2))
    assert finding.detail == (
        "goo\\x1bgle: 450.50 EUR were spent on 2024-03-05, 4.50 times the 100.00 of the day "
        "before; expected 0.50 to 2.00 times"
    )
    (finding,) = find(arrived=[Arrived("", 3, 1, 0)])
    assert finding.detail.startswith(
        "(no source): 1 of 3 rows are in quarantine; expected at most 5.00%"
    )


def test_findings_are_counted_by_check() -> None:
    findings = find(newest=[], arrived=[Arrived("a", 1, 1, 1), Arrived("b", 1, 1, 0)])
    assert count_by_check(findings) == {"freshness": 1, "quarantine_share": 2, "refused_files": 1}
