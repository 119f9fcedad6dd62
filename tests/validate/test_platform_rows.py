"""Rows as platforms export them: optional columns, periods, scopes, flags and totals."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from pipeline.contracts import Column, Contract, Dialect, Headers
from pipeline.contracts.model import ColumnType
from pipeline.validate import Verdict, sum_up, validate_texts

DAY = "2024-03-01"


def make_column(name: str, kind: ColumnType = "text", *, required: bool = False) -> Column:
    return Column(name=name, headers=Headers({}), type=kind, required=required, optional=True)


CONTRACT = Contract(
    name="platform",
    description="a platform's export",
    source="platform",
    formats=("csv",),
    mode="replace_window",
    rules=("clicks_le_impressions", "ctr_agrees", "cpc_agrees", "cost_has_clicks"),
    columns=(
        make_column("date", "date", required=True),
        make_column("account", required=True),
        make_column("campaign_id"),
        make_column("campaign_name"),
        make_column("currency", required=True),
        make_column("platform"),
        make_column("breakdown"),
        make_column("impressions", "integer"),
        make_column("clicks", "integer"),
        make_column("reported_ctr", "decimal"),
        make_column("reported_cpc", "decimal"),
        make_column("cost", "decimal"),
        make_column("conversions", "decimal"),
    ),
)
DIALECT = Dialect(null_words=("", "--"))
APRIL = (date(2024, 4, 1), date(2024, 4, 30))


def judge(
    *rows: dict[str, str],
    contract: Contract = CONTRACT,
    period: tuple[date, date] | None = None,
) -> Verdict:
    plain = {"date": DAY, "campaign_name": "spring"}
    texts = pl.DataFrame([plain | row for row in rows]).cast(pl.String)
    return validate_texts(texts, contract, DIALECT, delivered_on=date(2025, 1, 1), period=period)


def find_rules(verdict: Verdict) -> list[str]:
    return [verdict.faults[row].rule for row in sorted(verdict.faults)]


def test_a_file_may_lack_optional_columns_even_required_ones() -> None:
    verdict = judge({"clicks": "3"})
    assert verdict.faults == {}
    assert verdict.accepted.columns == ["date", "campaign_name", "clicks"]


def test_a_row_has_a_campaigns_id_or_its_name() -> None:
    verdict = judge(
        {"campaign_id": "1", "campaign_name": ""},
        {"campaign_id": "", "campaign_name": "a"},
        {"campaign_id": "--", "campaign_name": ""},
    )
    assert {row: fault.rule for row, fault in verdict.faults.items()} == {2: "missing_id"}


@pytest.mark.parametrize("code", ["usd", "US", "USDX", "$", "\u0410BC"])
def test_a_currency_is_three_capital_letters(code: str) -> None:
    assert find_rules(judge({"currency": code}, {"currency": "EUR"})) == ["unknown_currency"]


def test_a_missing_text_other_than_the_campaigns_id_is_named_by_its_column() -> None:
    assert find_rules(judge({"account": ""})) == ["missing_account"]


def test_a_date_outside_the_declared_period_is_rejected_and_covers_nothing() -> None:
    verdict = judge({"date": "2024-04-02"}, {"date": "2024-03-31"}, period=APRIL)
    fault = verdict.faults[1]
    assert fault == ("outside_period", "date", "2024-03-31", "2024-04-01 to 2024-04-30")
    assert verdict.coverage.rows() == [(date(2024, 4, 2), date(2024, 4, 2))]


def test_a_rows_last_day_is_its_date() -> None:
    verdict = judge({"_end": DAY}, {"_end": "2024-03-02"}, {"_end": ""}, {"_end": "x"})
    assert find_rules(verdict) == ["not_one_day"] * 3
    assert verdict.faults[1].value == "2024-03-02"
    assert "_end" not in verdict.accepted.columns
    assert find_rules(judge({"_end": "2024-03-02"})) == ["not_one_day"]
    assert find_rules(judge({"_end": DAY})) == []


def test_a_segment_passes_unchanged_up_to_its_length() -> None:
    verdict = judge({"segment": "--"}, {"segment": "x" * 1000}, {"segment": "x" * 1001})
    assert verdict.accepted["segment"].to_list() == ["--", "x" * 1000]
    assert find_rules(verdict) == ["text_too_long"]
    assert find_rules(judge({"segment": ""}, {"segment": "x"})) == ["missing_segment"]


def test_a_verdict_says_between_which_days_a_date_may_lie() -> None:
    assert judge({}).bounds == (date(2025, 1, 1) - timedelta(days=3650), date(2025, 1, 1))
    assert judge({}, period=APRIL).bounds == APRIL


def test_each_account_and_breakdown_covers_its_own_dates_rejected_rows_included() -> None:
    verdict = judge(
        {"account": "a", "breakdown": "age", "platform": "p", "clicks": "1", "date": "2024-03-01"},
        {"account": "a", "breakdown": "age", "platform": "q", "clicks": "x", "date": "2024-03-09"},
        {"account": "a", "breakdown": "", "platform": "p", "clicks": "1", "date": "2024-03-02"},
        {"account": "b", "breakdown": "age", "platform": "p", "clicks": "1", "date": "1970-01-01"},
        {"account": "", "breakdown": "age", "platform": "p", "clicks": "1", "date": "2024-03-03"},
    )
    assert verdict.coverage.columns == ["account", "breakdown", "first_date", "last_date"]
    assert verdict.coverage.rows() == [
        ("a", "", date(2024, 3, 2), date(2024, 3, 2)),
        ("a", "age", date(2024, 3, 1), date(2024, 3, 9)),
    ]


def test_a_date_covers_even_where_an_earlier_column_is_at_fault() -> None:
    turned = replace(CONTRACT, columns=tuple(reversed(CONTRACT.columns)))
    verdict = validate_texts(
        pl.DataFrame({"clicks": ["x"], "date": ["01.03.2024"], "campaign_name": ["a"]}),
        turned,
        Dialect(date_formats=("d/m/yyyy", "dd.mm.yyyy")),
        delivered_on=date(2025, 1, 1),
    )
    assert find_rules(verdict) == ["not_integer"]
    assert verdict.coverage.rows() == [(date(2024, 3, 1), date(2024, 3, 1))]


def test_a_platform_covers_by_itself_only_where_it_is_in_the_scope() -> None:
    scoped = replace(CONTRACT, scope=("account", "platform"))
    rows = [{"account": "a", "platform": "p"}, {"account": "a", "platform": ""}]
    assert judge(*rows, contract=scoped).coverage.select("account", "platform").rows() == [
        ("a", "p")
    ]
    assert "platform" not in judge(*rows).coverage.columns


FLAGGED = [
    ({"reported_ctr": "0.0212", "clicks": "20", "impressions": "1000"}, "ctr_disagrees"),
    ({"reported_ctr": "2.5", "clicks": "1", "impressions": "1"}, "ctr_disagrees"),
    ({"reported_cpc": "0.110001", "clicks": "20", "cost": "2"}, "cpc_disagrees"),
    ({"reported_cpc": "5", "clicks": "1", "cost": "1"}, "cpc_disagrees"),
    ({"clicks": "0", "cost": "0.01", "reported_cpc": "5"}, "cost_without_clicks"),
    ({"clicks": "0", "cost": "0.000001"}, "cost_without_clicks"),
]


@pytest.mark.parametrize(("row", "remark"), FLAGGED)
def test_figures_that_disagree_are_accepted_and_counted(row: dict[str, str], remark: str) -> None:
    verdict = judge(row)
    assert verdict.faults == {}
    assert verdict.remarks == {remark: 1}
    assert judge(row, contract=replace(CONTRACT, rules=())).remarks == {}
    assert judge(row | {"date": "x"}).remarks == {}


@pytest.mark.parametrize(
    "row",
    [
        {"reported_ctr": "0.0211", "clicks": "20", "impressions": "1000"},
        {"reported_ctr": "0.5", "clicks": "0", "impressions": "0"},
        {"reported_ctr": "", "clicks": "20", "impressions": "1000"},
        {"reported_ctr": "0.5", "clicks": "", "impressions": "1000"},
        {"reported_cpc": "0.11", "clicks": "20", "cost": "2"},
        {"reported_cpc": "9", "clicks": "20", "cost": ""},
        {"clicks": "0", "cost": "0"},
        {"clicks": "", "cost": "5"},
        {"reported_ctr": "0.5"},
        {"conversions": "50", "clicks": "1"},
    ],
)
def test_figures_within_tolerance_or_missing_are_not_flagged(row: dict[str, str]) -> None:
    verdict = judge(row)
    assert (verdict.faults, verdict.remarks) == ({}, {})


def test_flags_are_exact_for_the_largest_figures() -> None:
    count = str(2**63 - 1)
    row = {"clicks": count, "impressions": count, "reported_cpc": "0", "cost": "999999999999"}
    assert judge(row | {"reported_ctr": "1.0001"}).remarks == {}
    assert judge(row | {"reported_ctr": "1.000101"}).remarks == {"ctr_disagrees": 1}


def test_flags_are_exact_where_a_product_leaves_64_bits() -> None:
    count = str(10**17)
    row = {"clicks": count, "impressions": count, "reported_ctr": "1"}
    assert judge(row).remarks == {}


def test_what_the_contract_rounds_is_counted() -> None:
    rounding = tuple(replace(c, round=c.type == "decimal") for c in CONTRACT.columns)
    rows = [{"conversions": "0.3333333"}, {"conversions": "1"}, {"conversions": "0.6666666"}]
    verdict = judge(*rows, contract=replace(CONTRACT, columns=rounding))
    assert verdict.remarks == {"rounded": 2}
    assert verdict.accepted["conversions"][0] == Decimal("0.333333")
    assert find_rules(judge(*rows)) == ["too_precise"] * 2


def test_sums_are_exact_and_leave_out_what_is_no_number() -> None:
    texts = pl.DataFrame(
        {
            "clicks": ["1.234", "--", "6"],
            "cost": ["0,1", "0,2", "x"],
            "impressions": ["--", "--", ""],
            "reported_ctr": ["1", "1", "1"],
        }
    )
    spanish = Dialect(decimal=",", thousands=(".",), null_words=("", "--"))
    assert sum_up(texts, CONTRACT, spanish) == {"clicks": 1240, "cost": Decimal("0.3")}


def test_a_sum_may_be_larger_than_any_figure() -> None:
    texts = pl.DataFrame({"clicks": [str(2**63 - 1)] * 3, "cost": ["999999999999.999999"] * 3})
    assert sum_up(texts, CONTRACT, DIALECT) == {
        "clicks": 3 * (2**63 - 1),
        "cost": Decimal("2999999999999.999997"),
    }
