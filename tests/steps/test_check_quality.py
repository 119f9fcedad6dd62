"""The quality of a day, read from a real lake."""

import logging
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import QualityError
from pipeline.report.quality import Finding, Limits
from pipeline.steps.merge import MergeOutcome
from pipeline.steps.quality import check_quality, settle
from tests.lakes import build_lake, make_ledger_row, make_row
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS, Home

DAY = date(2024, 3, 5)


def check(home: Home, merged: MergeOutcome, *, day: date = DAY) -> list[tuple[str, str]]:
    findings = check_quality(
        home.lake,
        home.lake.take_snapshot(merged.version),
        day=day,
        transaction=merged.transaction,
        limits=Limits(),
        settings=SETTINGS,
    )
    return [(finding.check, finding.detail.partition(";")[0]) for finding in findings]


def deliver(home: Home, name: str, *lines: str) -> None:
    write_lot(home.root / "landing/lots" / name, lines)


def test_a_day_like_the_one_before_has_no_findings(home: Home) -> None:
    lines = [make_line(campaign_id=f"c{day}", date=f"2024-03-0{day}") for day in (4, 5)]
    deliver(home, "a.csv", *lines)
    assert check(home, home.merge()) == []


def test_rows_and_files_that_were_refused_by_this_merge_are_found(home: Home) -> None:
    good = make_line(date="2024-03-05")
    deliver(home, "delivered=2024-03-20/a.csv", good, make_line(campaign_id="c2", clicks=-1))
    deliver(home, "b.csv", "not a row of this contract")
    (home.root / "landing/lots/c.csv").write_text("x;y\n1;2\n")
    merged = home.merge()
    found = check(home, merged)
    assert ("refused_files", "lots: 1 files were refused whole or held back") in found
    assert ("quarantine_share", "lots: 2 of 3 rows are in quarantine") in found

    again = home.merge()
    assert again.transaction is None
    assert check(home, again) == []  # the files came long after the day, and by another merge


def test_files_delivered_on_the_day_after_count_whichever_merge_took_them(home: Home) -> None:
    lines = [make_line(date="2024-03-05"), make_line(campaign_id="c2", clicks=-1)]
    deliver(home, "delivered=2024-03-06T23:59:59Z/a.csv", *lines)
    home.merge()
    found = [("quarantine_share", "lots: 1 of 2 rows are in quarantine")]
    assert check(home, home.merge()) == found
    assert check(home, home.merge(), day=date(2024, 3, 7)) == []


def test_a_source_that_stopped_and_spend_that_jumped_are_found(home: Home) -> None:
    deliver(home, "a.csv", make_line(date="2024-02-28"))
    other = home.root / "landing/other/a.csv"
    write_lot(other, [make_line(date="2024-03-04"), make_line(date="2024-03-05", costo_total=99)])
    assert check(home, home.merge()) == [
        ("freshness", "lots: the newest row before 2024-03-05 is of 2024-02-28, 6 days ago"),
        (
            "spend",
            "other: 99.00 USD were spent on 2024-03-05, 49.50 times the 2.00 of the day before",
        ),
    ]


def test_rows_that_do_not_add_up_are_found(tmp_path: Path) -> None:
    row = make_row(date=DAY)
    lake = build_lake(tmp_path / "lake", [row], ledger=[make_ledger_row(rows_in=2, accepted=1)])
    snapshot = lake.take_snapshot()
    findings = check_quality(
        lake, snapshot, day=DAY, transaction=None, limits=Limits(), settings=SETTINGS
    )
    assert [finding.check for finding in findings] == ["row_account"]


def test_findings_warn_or_stop(caplog: pytest.LogCaptureFixture) -> None:
    findings = [Finding("spend", "too much"), Finding("spend", "too little")]
    with caplog.at_level(logging.WARNING):
        assert settle(findings, day=DAY, stop=False) == {"spend": 2}
    assert caplog.messages == ["spend: too much", "spend: too little"]
    with pytest.raises(QualityError, match="2024-03-05 break 2 limits:\nspend: too much") as caught:
        settle(findings, day=DAY, stop=True)
    assert not caught.value.retryable
    assert settle([], day=DAY, stop=True) == {}
