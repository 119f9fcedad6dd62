"""How a difference is explained where all files are as they were generated."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipeline.care.truth import Difference, find_differences
from pipeline.generate.messy.truth import AD_DAY_TRUTH, DELIVERIES
from pipeline.schema import AD_DAY, LEDGER

DAY = date(2024, 3, 1)
OLD, NEW = "landing/s/delivered=1/a.csv", "landing/s/delivered=2/a.csv"


def make_row(delivery: int = 2, **changed: Any) -> dict[str, Any]:
    row = {
        "source": "s",
        "account": "a",
        "campaign_id": None,
        "campaign_name": "x",
        "platform": "P",
        "currency": "EUR",
        "breakdown": "",
        "segment": "",
        "date": DAY,
        "impressions": 10,
        "clicks": 1,
        "cost": Decimal("1.00"),
        "revenue": Decimal("2.00"),
        "conversions": Decimal(1),
        "delivered_at": datetime(2024, 3, 1 + delivery, tzinfo=UTC),
        "delivery_id": str(delivery),
        "path": {1: OLD, 2: NEW}.get(delivery, "landing/s/other.csv"),
    }
    return {**row, **changed}


def find(master: list[dict[str, Any]], truth: list[dict[str, Any]]) -> list[Difference]:
    """The differences where the ledger holds both files as they were generated."""
    files = [
        {
            "path": path,
            "source": "s",
            "account": "a",
            "delivery_id": delivery,
            "first_date": DAY,
            "last_date": DAY,
            "quarantined": 0,
            "sha256": delivery,
        }
        for path, delivery in ((OLD, "1"), (NEW, "2"))
    ]
    judged = [{**file, "n": 1, "outcome": "merged"} for file in files]
    rows = pl.DataFrame(
        [{name: row.get(name) for name in AD_DAY.names} for row in master], schema=pl.Schema(AD_DAY)
    )
    ledger = pl.DataFrame(
        [{name: row.get(name) for name in LEDGER.names} for row in judged],
        schema=pl.Schema(LEDGER),
    )
    return find_differences(
        rows,
        pl.DataFrame(
            [{name: row.get(name) for name in AD_DAY_TRUTH} for row in truth], schema=AD_DAY_TRUTH
        ),
        pl.DataFrame(
            [{name: file.get(name) for name in DELIVERIES} for file in files], schema=DELIVERIES
        ),
        ledger,
    )


def test_equal_rows_are_no_difference() -> None:
    assert find([make_row()], [make_row()]) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("cost", Decimal("1.01")),
        ("revenue", None),
        ("conversions", Decimal("1.000001")),
        ("impressions", 11),
        ("clicks", 0),
        ("currency", "USD"),
    ],
)
def test_each_figure_is_compared(column: str, value: object) -> None:
    (one,) = find([make_row(**{column: value})], [make_row()])
    assert (one.kind, one.column, one.master) == ("differs", column, value)
    assert one.truth == make_row()[column]
    assert one.why == f"{NEW} was merged as it was generated"


@pytest.mark.parametrize("cost", [Decimal("1.00"), None])
def test_a_row_that_is_there_twice_is_one_too_many(cost: Decimal | None) -> None:
    row = make_row(cost=cost)
    (one,) = find([row, row], [row])
    assert (one.kind, one.column, one.truth, one.master) == ("too_many", "cost", None, cost)
    (one,) = find([row], [row, row])
    assert (one.kind, one.column, one.truth, one.master) == ("missing", "cost", cost, None)
    assert one.why == "another row of the same campaign and day is there already"


@pytest.mark.parametrize("cost", [Decimal("1.00"), None])
def test_a_row_that_is_not_there_is_missing_whatever_it_costs(cost: Decimal | None) -> None:
    row, other = make_row(cost=cost), make_row(campaign_name="y")
    assert [one.kind for one in find([other], [row, other])] == ["missing"]
    assert [one.kind for one in find([row, other], [other])] == ["too_many"]


def test_equal_figures_of_an_older_file_are_a_difference() -> None:
    (one,) = find([make_row(1)], [make_row()])
    assert (one.kind, one.column, one.truth, one.master) == ("differs", "delivery_id", "2", "1")
    assert one.why == f"the row is of {OLD} and must be of {NEW}"


def test_a_new_name_is_another_figure_by_id_and_another_row_without() -> None:
    named = make_row(campaign_id="1"), make_row(campaign_id="1", campaign_name="y")
    (one,) = find([named[1]], [named[0]])
    assert (one.kind, one.column, one.truth, one.master) == ("differs", "campaign_name", "x", "y")
    found = find([make_row(campaign_name="y")], [make_row()])
    assert sorted(one.kind for one in found) == ["missing", "too_many"]


def test_the_row_of_an_older_file_is_said_to_stand_where_a_newer_one_should() -> None:
    (one,) = find([make_row(1, cost=Decimal("0.50"))], [make_row()])
    assert one.why == f"the row is of {OLD} and must be of {NEW}"


def test_a_row_on_a_day_of_which_nothing_is_true_is_said_to_be_left_over() -> None:
    other = make_row(campaign_id="1", account="b")
    (one,) = find([make_row(1), other], [other])
    assert (one.kind, one.truth, one.master) == ("too_many", None, Decimal(1))
    assert one.why == f"{OLD} speaks for a day of which the newest delivery has no row"


def test_a_row_of_a_delivery_that_no_ledger_knows_is_named_by_it() -> None:
    (one,) = find([make_row(7), make_row(campaign_name="y")], [make_row(campaign_name="y")])
    assert one.why == "delivery 7 was not generated"
