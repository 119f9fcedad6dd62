"""Accepting and rejecting rows by a contract."""

from dataclasses import replace
from datetime import date
from functools import cache

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import Contract, Dates, load_contracts
from pipeline.contracts.model import LARGEST_NUMBER
from pipeline.validate import Verdict, validate_texts, validate_typed
from tests.lots import HEADER, make_line

DELIVERED_ON = date(2025, 1, 1)


@cache
def load(name: str) -> Contract:
    """A contract; not loaded before a test runs, as `make mutants` forks from before the first."""
    return load_contracts()[name]


def make_texts(*lines: str) -> pl.DataFrame:
    by_header = dict(
        zip(HEADER.split(","), zip(*(line.split(",") for line in lines), strict=True), strict=True)
    )
    return pl.DataFrame(
        {column.name: by_header[column.headers.list_names()[0]] for column in load("lots").columns}
    )


def judge(*lines: str) -> Verdict:
    return validate_texts(
        make_texts(*lines), load("lots"), load("lots").dialects[0], delivered_on=DELIVERED_ON
    )


def test_a_good_row_is_accepted_with_its_types() -> None:
    verdict = judge(make_line(impressions="1000.0", clicks=" 20 ".strip()))
    assert verdict.faults == {}
    assert verdict.accepted.schema == {
        "campaign_id": pl.String(),
        "date": pl.Date(),
        "platform": pl.String(),
        "target_audience": pl.String(),
        "impressions": pl.Int64(),
        "reported_ctr": pl.Decimal(18, 6),
        "clicks": pl.Int64(),
        "reported_cpc": pl.Decimal(18, 6),
        "cost": pl.Decimal(18, 6),
        "video_view_time": pl.Decimal(18, 6),
    }
    assert verdict.accepted["impressions"].to_list() == [1000]


@pytest.mark.parametrize(
    ("cells", "rule", "column"),
    [
        ({"campaign_id": ""}, "missing_id", "campaign_id"),
        ({"campaign_id": "NULL"}, "missing_id", "campaign_id"),
        ({"campaign_id": "x" * 300}, "id_too_long", "campaign_id"),
        ({"campaign_id": "a\u200b"}, "control_char", "campaign_id"),
        ({"campaign_id": "Total", "date": ""}, "missing_date", "date"),
        ({"date": "N/A"}, "missing_date", "date"),
        ({"date": "13/01/2024"}, "bad_date", "date"),
        ({"date": "0001-01-01"}, "date_out_of_range", "date"),
        ({"date": "1970-01-01"}, "date_out_of_range", "date"),
        ({"date": "2025-01-02"}, "date_out_of_range", "date"),
        ({"platform": "NA"}, "unknown_platform", "platform"),
        ({"platform": ""}, "missing_platform", "platform"),
        ({"target_audience": "Nadie"}, "unknown_target_audience", "target_audience"),
        ({"impressions": "-"}, "missing_impressions", "impressions"),
        ({"impressions": -1}, "negative_impressions", "impressions"),
        ({"impressions": "NaN"}, "not_finite", "impressions"),
        ({"clicks": 10.7}, "not_integer", "clicks"),
        ({"clicks": -3}, "negative_clicks", "clicks"),
        ({"clicks": 1001}, "clicks_gt_impressions", "clicks"),
        ({"clicks": 2**63}, "out_of_range", "clicks"),
        ({"costo_total": ""}, "missing_cost", "cost"),
        ({"costo_total": "-0.01"}, "negative_cost", "cost"),
        ({"costo_total": "0.1234567"}, "too_precise", "cost"),
        ({"costo_total": "$1.50"}, "not_number", "cost"),
        ({"video_view_time": -1}, "negative_video_view_time", "video_view_time"),
    ],
)
def test_a_bad_row_is_rejected_with_rule_column_and_what_was_expected(
    cells: dict[str, object], rule: str, column: str
) -> None:
    verdict = judge(make_line(), make_line(**cells), make_line())
    assert list(verdict.faults) == [1]
    fault = verdict.faults[1]
    assert (fault.rule, fault.column) == (rule, column)
    assert fault.expected
    assert verdict.kept.to_list() == [True, False, True]
    assert verdict.accepted.height == 2


@pytest.mark.parametrize(
    "cells",
    [
        {"impressions": 0, "clicks": 0},
        {"clicks": 0},
        {"ctr": "", "cpc": "", "video_view_time": ""},
        {"ctr": "0.9", "cpc": "0.01"},
        {"campaign_id": "00123"},
        {"campaign_id": "1E5"},
        {"campaign_id": "9007199254740993"},
        {"campaign_id": "=HYPERLINK(1)"},
        {"date": "2025-01-01"},
        {"date": "2024-02-29"},
    ],
)
def test_what_looks_odd_and_is_right_is_accepted_unchanged(cells: dict[str, object]) -> None:
    verdict = judge(make_line(**cells))
    assert verdict.faults == {}
    if "campaign_id" in cells:
        assert verdict.accepted["campaign_id"].to_list() == [cells["campaign_id"]]


def test_a_missing_figure_is_null_and_not_zero() -> None:
    accepted = judge(make_line(ctr="", video_view_time="-")).accepted
    assert accepted["reported_ctr"].to_list() == [None]
    assert accepted["video_view_time"].to_list() == [None]


def test_only_the_first_fault_of_a_row_is_named() -> None:
    verdict = judge(make_line(date="x", clicks=-1, platform="NA"))
    assert verdict.faults[0].rule == "bad_date"


def test_noise_of_binary_floats_is_taken_and_counted() -> None:
    verdict = judge(make_line(costo_total="0.30000000000000004"), make_line())
    assert verdict.remarks["noise"] == 1
    assert str(verdict.accepted["cost"][0]) == "0.300000"


def test_rejected_rows_still_cover_their_dates_and_implausible_ones_do_not() -> None:
    verdict = judge(
        make_line(date="2024-05-01"),
        make_line(date="2024-06-01", clicks=-1),
        make_line(date="1970-01-01"),
        make_line(date="x"),
    )
    assert verdict.coverage.rows() == [(date(2024, 5, 1), date(2024, 6, 1))]
    assert judge(make_line(date="x")).coverage.is_empty()


def test_typed_rows_are_judged_by_the_same_rules() -> None:
    rows = pl.DataFrame(
        {
            "campaign_id": ["a", "b", None, "d"],
            "campaign_name": ["n", "n", "n", None],
            "platform": ["p"] * 4,
            "target_audience": ["t"] * 4,
            "impressions": [10, 10, 10, 10],
            "clicks": [1, 11, 1, 1],
            "date": [date(2024, 1, 1)] * 4,
            "line": [1, 2, 3, 4],
        }
    ).with_columns(
        pl.lit(1).cast(pl.Decimal(18, 6)).alias(name)
        for name in (
            "cost",
            "revenue",
            "conversions",
            "video_view_time",
            "reported_ctr",
            "reported_cpc",
        )
    )
    rows = rows.with_columns(video_views=pl.lit(1, pl.Int64))
    verdict = validate_typed(rows, load("generated"), delivered_on=DELIVERED_ON)
    assert {row: fault.rule for row, fault in verdict.faults.items()} == {
        1: "clicks_gt_impressions",
        2: "missing_id",
        3: "missing_campaign_name",
    }
    assert verdict.accepted["line"].to_list() == [1]


def test_a_campaign_that_the_contract_names_needs_no_name_in_a_row() -> None:
    columns = tuple(
        replace(column, required=column.required and column.name != "campaign_id")
        for column in load("lots").columns
    )
    nameless = make_texts(make_line(campaign_id=""))
    rules: list[list[str]] = []
    for constants in (load("lots").constants, {**load("lots").constants, "campaign_name": "Brand"}):
        contract = replace(load("lots"), columns=columns, constants=constants)
        verdict = validate_texts(
            nameless, contract, load("lots").dialects[0], delivered_on=DELIVERED_ON
        )
        rules.append([fault.rule for fault in verdict.faults.values()])
    assert rules == [["missing_id"], []]


@pytest.mark.parametrize("day", [date(1000, 1, 1), DELIVERED_ON, date.max])
def test_the_oldest_and_newest_dates_end_with_the_calendar(day: date) -> None:
    dates = Dates(max_age_days=LARGEST_NUMBER, max_ahead_days=LARGEST_NUMBER)
    verdict = validate_texts(
        make_texts(make_line(date=str(day))),
        replace(load("lots"), dates=dates),
        load("lots").dialects[0],
        delivered_on=day,
    )
    assert verdict.faults == {}


cell = st.one_of(
    st.sampled_from(["", "-", "NaN", "0", "1", "-1", "0.5", "1e-05", "2024-01-01", "Google ADS"]),
    st.text(alphabet=st.characters(blacklist_characters=",", blacklist_categories=["Cs"])),
)


@given(rows=st.lists(st.lists(cell, min_size=10, max_size=10), min_size=1, max_size=10))
def test_every_row_is_either_accepted_or_rejected(rows: list[list[str]]) -> None:
    texts = pl.DataFrame(
        rows, schema=dict.fromkeys([c.name for c in load("lots").columns], pl.String), orient="row"
    )
    verdict = validate_texts(
        texts, load("lots"), load("lots").dialects[0], delivered_on=DELIVERED_ON
    )
    assert verdict.accepted.height + len(verdict.faults) == len(rows)
    assert verdict.kept.sum() == verdict.accepted.height
    required = [column.name for column in load("lots").columns if column.required]
    assert verdict.accepted.select(pl.col(required).null_count()).sum_horizontal().sum() == 0
