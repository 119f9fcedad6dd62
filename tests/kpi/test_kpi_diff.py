"""How KPIs moved between two versions."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import EmptyLakeError
from pipeline.kpi.diff import compare_rows
from pipeline.kpi.rates import RATES
from pipeline.kpi.selection import Selection
from pipeline.settings import Settings
from pipeline.steps.diff import diff
from tests.lakes import build_lake, commit_rows, make_row

SETTINGS = Settings(workers=1)


def test_only_what_moved_is_listed_with_exact_changes(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row(cost="10", clicks=4)])
    commit_rows(lake, [make_row(campaign_id="c2", cost="0.10", date=date(2024, 2, 1))])

    rows = diff(lake, 1, 2, Selection(), settings=SETTINGS).result.to_dicts()

    spends = [row for row in rows if row["measure"] == "spend"]
    assert [(row["kpi"], row["row"]) for row in spends] == [
        ("total", "all"),
        ("platform", "Google ADS"),
        ("audience", "Mujer 18-25"),
        ("month", "2024-02"),
        ("campaign", "lots/main/c2"),
    ]
    assert spends[0]["change"] == Decimal("0.10")
    assert spends[0]["change_relative"] == 0.01
    assert (spends[3]["before"], spends[3]["change"]) == (None, None)
    assert {row["measure"] for row in rows} == {"spend", "cpc"}


def test_the_same_version_and_what_filters_leave_out_has_not_moved(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row(cost="10")])
    commit_rows(lake, [make_row(campaign_id="c2", cost="1", date=date(2024, 2, 1))])

    assert diff(lake, 2, 2, Selection(), settings=SETTINGS).result.rows == ()
    january = Selection(end=date(2024, 1, 31))
    assert diff(lake, 1, 2, january, settings=SETTINGS).result.rows == ()


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


def test_campaigns_whose_joined_names_are_alike_stay_apart(tmp_path: Path) -> None:
    keys = [
        {"account": "a", "campaign_id": "b/c"},
        {"account": "a/b", "campaign_id": "c"},
        {"account": "", "campaign_id": "Brand"},
        {"account": "", "campaign_id": None, "campaign_name": "Brand"},
    ]
    lake = build_lake(tmp_path, [make_row(**key, cost=1) for key in keys])
    commit_rows(lake, [make_row(**key, cost=2, date=date(2024, 2, 1)) for key in keys])

    rows = diff(lake, 1, 2, Selection(), settings=SETTINGS).result.rows
    spends = [row for row in rows if row[0] == "campaign" and row[3] == "spend"]
    assert [(row[4], row[5]) for row in spends] == [(1, 3)] * len(keys)


def test_the_campaigns_that_moved_the_most_are_listed_and_the_others_counted(
    tmp_path: Path,
) -> None:
    # Those that spend the most move the least.
    rows = [make_row(campaign_id=f"c{number:02d}", cost=900 - 9 * number) for number in range(15)]
    named = make_row(campaign_id=None, campaign_name="only a name", cost=1, currency="EUR")
    lake = build_lake(tmp_path, [*rows, named])
    moved = [{**row, "cost": row["cost"] + number} for number, row in enumerate(rows)]
    old = lake.take_snapshot().files
    commit_rows(lake, [*moved, {**named, "cost": Decimal(3)}], replaces=old)

    moves = diff(lake, 1, 2, Selection(), settings=SETTINGS)

    campaigns = [row for row in moves.result.to_dicts() if row["kpi"] == "campaign"]
    assert {row["row"]: row["change"] for row in campaigns if row["measure"] == "spend"} == {
        **{f"lots/main/c{number:02d}": number for number in range(5, 15)},
        "lots/main/only a name": 2,
    }
    assert moves.campaigns_left_out == 4  # of 14, as the spend of c00 stayed the same


def test_money_is_compared_in_one_currency(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row(cost="10")])
    commit_rows(lake, [make_row(campaign_id="c2", cost="4", currency="EUR")])
    lake.storage.create(RATES, b"date,from,to,rate\n2024-01-01,USD,EUR,0.5\n")

    rows = diff(lake, 1, 2, Selection(), settings=SETTINGS, currency="EUR").result.to_dicts()

    [total] = [row for row in rows if row["kpi"] == "total" and row["measure"] == "spend"]
    assert (total["currency"], total["before"], total["after"]) == ("EUR", 5, 9)
