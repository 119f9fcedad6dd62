"""How KPIs moved between two versions."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import EmptyLakeError
from pipeline.kpi.diff import compare_rows
from pipeline.kpi.selection import Selection
from pipeline.settings import Settings
from pipeline.steps.diff import diff
from tests.lakes import build_lake, commit_rows, make_row

SETTINGS = Settings(workers=1)


def test_only_what_moved_is_listed_with_exact_changes(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row(cost="10", clicks=4)])
    commit_rows(lake, [make_row(campaign_id="c2", cost="0.10", date=date(2024, 2, 1))])

    rows = diff(lake, 1, 2, Selection(), settings=SETTINGS).to_dicts()

    spends = [row for row in rows if row["measure"] == "spend"]
    assert [(row["kpi"], row["row"]) for row in spends] == [
        ("total", "all"),
        ("platform", "Google ADS"),
        ("audience", "Mujer 18-25"),
        ("month", "2024-02"),
    ]
    assert spends[0]["change"] == Decimal("0.10")
    assert spends[0]["change_relative"] == 0.01
    assert (spends[3]["before"], spends[3]["change"]) == (None, None)
    assert {row["measure"] for row in rows} == {"spend", "cpc"}


def test_the_same_version_and_what_filters_leave_out_has_not_moved(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row(cost="10")])
    commit_rows(lake, [make_row(campaign_id="c2", cost="1", date=date(2024, 2, 1))])

    assert diff(lake, 2, 2, Selection(), settings=SETTINGS).rows == ()
    january = Selection(end=date(2024, 1, 31))
    assert diff(lake, 1, 2, january, settings=SETTINGS).rows == ()


def test_an_unknown_version_is_said(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row()])

    with pytest.raises(EmptyLakeError, match="no readable version 9; the newest is 1"):
        diff(lake, 1, 9, Selection(), settings=SETTINGS)


def test_a_change_from_zero_has_no_relative_change() -> None:
    before = [{"platform": None, "currency": "USD", "spend": Decimal(0)}]
    after = [{"platform": None, "currency": "USD", "spend": Decimal(2)}]

    [row] = compare_rows("platform", before, after)

    assert row == ("platform", None, "USD", "spend", 0, 2, 2, None)


def test_rows_come_in_order_and_one_that_has_no_name_comes_last() -> None:
    def make(name: str | None) -> dict[str, object]:
        return {"platform": name, "currency": "USD", "clicks": 1}

    moved = compare_rows("platform", [make(None), make("b")], [make("a")])
    assert [(row[1], row[4], row[5]) for row in moved] == [
        ("a", None, 1),
        ("b", 1, None),
        (None, 1, None),
    ]
