"""Rows that say parts of one thing are added up; what cannot be added stays where all agree."""

from decimal import Decimal
from typing import Any

import polars as pl

from pipeline.merge.fold import fold_rows
from pipeline.schema import AD_DAY, ADDITIVE
from tests.lakes import make_row

KEY = ["campaign_id"]
ORDER = ["line"]


def fold(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    frame = pl.DataFrame([make_row(**row) for row in rows], schema=pl.Schema(AD_DAY))
    folded = fold_rows(frame, KEY, ORDER)
    assert folded.schema == frame.schema
    return folded.to_dicts()


def test_every_measure_that_can_be_added_is_added() -> None:
    [sums] = fold(dict.fromkeys(ADDITIVE, 2), dict.fromkeys(ADDITIVE, 3))
    assert {name: sums[name] for name in ADDITIVE} == dict.fromkeys(ADDITIVE, 5)


def test_a_sum_is_missing_only_where_it_is_missing_in_all_rows() -> None:
    [sums] = fold(
        {"clicks": None, "impressions": None, "conversions": 0},
        {"clicks": 4, "impressions": None, "conversions": None},
    )
    assert (sums["clicks"], sums["impressions"], sums["conversions"]) == (4, None, 0)


def test_a_mean_stays_where_all_rows_say_it_and_is_missing_elsewhere() -> None:
    [means] = fold(
        {"video_view_time": "1.5", "reported_ctr": "0.1", "reported_cpc": "2"},
        {"video_view_time": "1.5", "reported_ctr": "0.2", "reported_cpc": None},
    )
    names = ("video_view_time", "reported_ctr", "reported_cpc")
    assert [means[name] for name in names] == [Decimal("1.5"), None, None]


def test_the_last_row_in_the_order_gives_the_rest() -> None:
    [last] = fold(
        {"line": 9, "campaign_name": "newest", "segment": "b"},
        {"line": 3, "campaign_name": "older", "segment": "a"},
    )
    assert (last["line"], last["campaign_name"], last["segment"]) == (9, "newest", "b")


def test_each_key_has_a_row_in_the_order_of_first_sight() -> None:
    rows = fold(
        {"line": 4, "campaign_id": "a", "clicks": 1},
        {"line": 2, "campaign_id": None, "clicks": 2},
        {"line": 3, "campaign_id": "b", "clicks": 3},
        {"line": 5, "campaign_id": None, "clicks": 4},
    )
    assert [(row["campaign_id"], row["clicks"]) for row in rows] == [(None, 6), ("b", 3), ("a", 1)]
