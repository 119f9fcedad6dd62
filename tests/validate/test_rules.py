"""Each rule names itself, its column, what was found and what would have been right."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from pipeline.contracts import Column, Contract, Headers
from pipeline.contracts.model import ColumnType
from pipeline.schema import Fault
from pipeline.validate.cast import Faults
from pipeline.validate.rules import (
    judge_campaign,
    judge_clicks,
    judge_column,
    judge_dates,
    judge_one_day,
    judge_segment,
    note,
)


def make_column(name: str, kind: ColumnType = "text") -> Column:
    return Column(name=name, headers=Headers({}), type=kind)


CONTRACT = Contract(
    name="x",
    description="",
    source="x",
    formats=("csv",),
    mode="replace_window",
    rules=("clicks_le_impressions",),
    columns=(make_column("campaign_id"), make_column("campaign_name")),
)


@pytest.mark.parametrize(
    ("column", "found", "fault"),
    [
        (
            replace(make_column("campaign_id"), required=True, identifier=True),
            None,
            ("missing_id", "", "a value"),
        ),
        (
            replace(make_column("account"), required=True, identifier=True),
            None,
            ("missing_account", "", "a value"),
        ),
        (
            replace(make_column("campaign_id"), required=True),
            None,
            ("missing_campaign_id", "", "a value"),
        ),
        (
            replace(make_column("clicks", "integer"), minimum=0),
            -1,
            ("negative_clicks", "-1", "at least 0"),
        ),
        (
            replace(make_column("clicks", "integer"), minimum=5),
            4,
            ("out_of_range", "4", "at least 5"),
        ),
        (
            replace(make_column("platform"), values=("a", "b")),
            "c",
            ("unknown_platform", "c", "one of a, b"),
        ),
        (
            replace(make_column("platform"), values=("a", "b", "c", "d", "e")),
            "f",
            ("unknown_platform", "f", "one of a, b, c and 2 more"),
        ),
        (
            replace(make_column("platform"), values=("a", "b", "c", "d")),
            "f",
            ("unknown_platform", "f", "one of a, b, c and 1 more"),
        ),
        (make_column("currency"), "eur", ("unknown_currency", "eur", "three capital letters")),
        (
            replace(make_column("campaign_name"), max_length=3),
            "four",
            ("text_too_long", "four", "at most 3 characters"),
        ),
        (
            replace(make_column("campaign_id"), max_length=3, identifier=True),
            "four",
            ("id_too_long", "four", "at most 3 characters"),
        ),
        (
            replace(make_column("campaign_id"), identifier=True),
            "a\u200db",
            ("control_char", "a\u200db", "no invisible characters"),
        ),
    ],
)
def test_a_column_s_rules(column: Column, found: object, fault: tuple[str, str, str]) -> None:
    kind = pl.Int64 if column.type == "integer" else pl.String
    good = {"integer": 7}.get(column.type, (*column.values, "EUR")[0])
    faults: Faults = {}
    judge_column(faults, pl.Series([good, found], dtype=kind), column)
    rule, value, expected = fault
    assert faults == {1: Fault(rule, column.name, value, expected)}


def test_the_longest_and_the_least_that_pass() -> None:
    faults: Faults = {}
    judge_column(faults, pl.Series(["abc"]), replace(make_column("account"), max_length=3))
    judge_column(faults, pl.Series([0]), replace(make_column("clicks", "integer"), minimum=0))
    judge_column(faults, pl.Series(["a\u200db"]), make_column("account"))
    judge_column(faults, pl.Series([None], dtype=pl.String), make_column("account"))
    assert faults == {}


def test_a_row_keeps_its_first_fault_and_a_long_text_is_cut() -> None:
    first = Fault("first", "a", "1", "2")
    faults: Faults = {0: first}
    note(faults, pl.Series(["x", "y" * 300, None]), pl.Series([True, True, True]), ("late", "b"))
    assert faults == {
        0: first,
        1: Fault("late", "b", "y" * 200, "a value"),
        2: Fault("late", "b", "", "a value"),
    }


def test_a_segment_that_is_empty_is_missing() -> None:
    faults: Faults = {}
    judge_segment(faults, pl.Series(["18-24", ""]))
    assert faults == {1: Fault("missing_segment", "segment", "", "what the row is of")}


def test_a_row_needs_one_of_the_campaign_s_columns() -> None:
    rows = pl.DataFrame(
        {"campaign_id": ["1", None, None], "campaign_name": [None, "spring", None]},
        schema_overrides={"campaign_id": pl.String, "campaign_name": pl.String},
    )
    faults: Faults = {}
    judge_campaign(faults, rows, CONTRACT)
    assert faults == {2: Fault("missing_id", "campaign_id", "", "campaign_id or campaign_name")}

    faults = {}
    judge_campaign(faults, rows.drop("campaign_id"), CONTRACT)
    assert sorted(faults) == [0, 2]
    faults = {}
    judge_campaign(faults, rows, replace(CONTRACT, constants={"campaign_name": "all"}))
    judge_campaign(faults, rows, replace(CONTRACT, columns=()))
    required = replace(CONTRACT.columns[0], required=True)
    judge_campaign(faults, rows, replace(CONTRACT, columns=(required, CONTRACT.columns[1])))
    assert faults == {}


def test_dates_have_bounds_that_pass_themselves() -> None:
    first, last = date(2024, 3, 1), date(2024, 3, 31)
    days = pl.Series([date(2024, 2, 29), first, last, date(2024, 4, 1)])
    faults: Faults = {}
    judge_dates(faults, days, (first, last), (first, first))
    assert faults == {
        0: Fault("date_out_of_range", "date", "2024-02-29", "2024-03-01 to 2024-03-31"),
        2: Fault("outside_period", "date", "2024-03-31", "2024-03-01 to 2024-03-01"),
        3: Fault("date_out_of_range", "date", "2024-04-01", "2024-03-01 to 2024-03-31"),
    }


def test_a_last_day_has_to_be_the_row_s_date() -> None:
    day = date(2024, 3, 1)
    faults: Faults = {}
    judge_one_day(
        faults,
        pl.Series([day, day, day, None], dtype=pl.Date),
        pl.Series([day, date(2024, 3, 2), None, day], dtype=pl.Date),
        pl.Series(["2024-03-01", "2024-03-02", "later", "2024-03-01"]),
    )
    expected = "a last day that is the row's date"
    assert faults == {
        1: Fault("not_one_day", "date", "2024-03-02", expected),
        2: Fault("not_one_day", "date", "later", expected),
    }


def test_clicks_are_at_most_the_impressions() -> None:
    rows = pl.DataFrame({"clicks": [5, 6, None, 7], "impressions": [5, 5, 5, None]})
    faults: Faults = {}
    judge_clicks(faults, rows, CONTRACT)
    assert faults == {1: Fault("clicks_gt_impressions", "clicks", "6", "at most the 5 impressions")}
    faults = {}
    judge_clicks(faults, rows, replace(CONTRACT, rules=()))
    judge_clicks(faults, rows.drop("clicks"), CONTRACT)
    judge_clicks(faults, rows.drop("impressions"), CONTRACT)
    assert faults == {}
