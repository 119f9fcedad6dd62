"""What a cell's text means, and that the fast casts agree with it."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.contracts import Column, Dialect
from pipeline.contracts.model import ColumnType
from pipeline.validate.cast import cast_column
from pipeline.validate.judge import Refused, judge_date, judge_decimal, judge_integer

DIALECT = Dialect(format="csv", exponents=True, null_words=("", "-", "n/a"))


def make_column(kind: ColumnType) -> Column:
    return Column(name="x", header="x", type=kind)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("12", 12), ("-5", -5), ("1000.0", 1000), ("1000.", 1000), ("007", 7)],
)
def test_whole_numbers(text: str, value: int) -> None:
    assert judge_integer(text) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("10.7", "not_integer"),
        ("1,000", "not_integer"),
        ("1_000", "not_integer"),
        ("0x10", "not_integer"),
        ("1e6", "not_integer"),
        ("+5", "not_integer"),
        ("true", "not_integer"),
        ("\uff11\uff12", "not_integer"),
        ("\u0661", "not_integer"),
        ("NaN", "not_finite"),
        ("-inf", "not_finite"),
        ("9223372036854775808", "out_of_range"),
        ("100000000000000000000", "out_of_range"),
        ("9" * 5000, "out_of_range"),
    ],
)
def test_what_is_no_whole_number(text: str, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        judge_integer(text)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("text", "value", "noisy"),
    [
        ("4684.0", "4684", False),
        ("0.1", "0.1", False),
        ("-0.000001", "-0.000001", False),
        ("1e-05", "0.00001", False),
        ("1.5E+3", "1500", False),
        ("0.30000000000000004", "0.3", True),
        ("999999999999.999999", "999999999999.999999", False),
    ],
)
def test_decimals(text: str, value: str, noisy: bool) -> None:
    assert judge_decimal(text, exponents=True) == (Decimal(value), noisy)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1.234,50", "not_number"),
        ("$1.50", "not_number"),
        ("1,000", "not_number"),
        (".5", "not_number"),
        ("5.", "not_number"),
        ("+5", "not_number"),
        ("inf", "not_finite"),
        ("-Infinity", "not_finite"),
        ("1e-9", "too_precise"),
        ("0.0000015", "too_precise"),
        ("99999999999999.99", "out_of_range"),
        ("1e999", "out_of_range"),
        ("999999999999.9999999999", "out_of_range"),
        ("9" * 5000, "out_of_range"),
        ("0." + "1" * 5000, "too_precise"),
    ],
)
def test_what_is_no_decimal(text: str, rule: str) -> None:
    if text == "1e-9":
        assert judge_decimal(text, exponents=True) == (Decimal(0), True)
        return
    with pytest.raises(Refused) as caught:
        judge_decimal(text, exponents=True)
    assert caught.value.rule == rule


def test_exponents_are_numbers_only_where_the_contract_says_so() -> None:
    with pytest.raises(Refused):
        judge_decimal("1e-05", exponents=False)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("13/01/2024", "bad_date"),
        ("2024-02-30", "bad_date"),
        ("2023-02-29", "bad_date"),
        ("2024-1-5", "bad_date"),
        ("20240105", "bad_date"),
        ("2024-01-01T23:30:00-05:00", "not_a_date"),
        ("2024-01-01 00:00", "not_a_date"),
        ("Total", "bad_date"),
    ],
)
def test_what_is_no_date(text: str, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        judge_date(text)
    assert caught.value.rule == rule


def test_a_leap_day_is_a_date() -> None:
    assert judge_date("2024-02-29") == date(2024, 2, 29)


def judge_cell(text: str, kind: ColumnType) -> object:
    """The slow truth: a value, None for missing, or the rule that is broken."""
    if text.lower() in DIALECT.null_words:
        return None
    try:
        if kind == "integer":
            return judge_integer(text)
        if kind == "date":
            return judge_date(text)
        return judge_decimal(text, exponents=True)[0]
    except Refused as refusal:
        return refusal.rule


numbers = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(-(10**13), 10**13, places=6).map(str),
    st.floats().map(repr),
    st.from_regex(r"[-+]?[0-9]{0,3}[.,]?[0-9]{0,8}(e-?[0-9])?", fullmatch=True),
    st.sampled_from(["", "-", "N/A", "NaN", "1_0", "1,000", "٣", "+1", "00", "-0"]),
    st.text(max_size=5),
)
days = st.one_of(
    st.dates().map(str),
    st.from_regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", fullmatch=True),
    st.text(max_size=10),
)


@given(texts=st.lists(numbers, max_size=30), kind=st.sampled_from(["integer", "decimal"]))
@example(texts=["1", "007", "1.0", "+5", "9223372036854775807"], kind="integer")
@example(texts=["0.1", "1e-05", "0.30000000000000004", "5."], kind="decimal")
def test_the_fast_cast_of_numbers_says_what_the_judge_says(
    texts: list[str], kind: ColumnType
) -> None:
    check_agreement(texts, kind)


@given(texts=st.lists(days, max_size=30))
@example(texts=["0000-01-01", "2024-02-29", "2024-02-30"])
def test_the_fast_cast_of_dates_says_what_the_judge_says(texts: list[str]) -> None:
    check_agreement(texts, "date")


def check_agreement(texts: list[str], kind: ColumnType) -> None:
    casting = cast_column(pl.Series("x", texts, pl.String), make_column(kind), DIALECT)
    said = [
        casting.faults[row].rule if row in casting.faults else value
        for row, value in enumerate(casting.values.to_list())
    ]
    assert said == [judge_cell(text, kind) for text in texts]
    assert all(casting.values[row] is None for row in casting.faults)
