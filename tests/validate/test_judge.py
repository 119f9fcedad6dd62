"""What a cell's text means, in each dialect."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from pipeline.contracts import Dialect
from pipeline.contracts.model import Unit
from pipeline.validate.judge import Refused, judge_date, judge_decimal, judge_integer
from pipeline.validate.notation import Notation, get_notation

ENGLISH = get_notation(Dialect(thousands=(",",)))
SPANISH = get_notation(Dialect(decimal=",", thousands=(".", " ")))
SWISS = get_notation(Dialect(thousands=("'",)))


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
    taken = "noise" if noisy else "exact"
    assert judge_decimal(text, exponents=True) == (Decimal(value), taken)


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
        assert judge_decimal(text, exponents=True) == (Decimal(0), "noise")
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


@pytest.mark.parametrize(
    ("notation", "text", "value"),
    [
        (ENGLISH, "1,234,567.89", "1234567.89"),
        (ENGLISH, "1234.5", "1234.5"),
        (ENGLISH, "-1,234", "-1234"),
        (SPANISH, "1.234.567,89", "1234567.89"),
        (SPANISH, "11,40", "11.4"),
        (SPANISH, "1 234,5", "1234.5"),
        (SPANISH, "1\u00a0234,5", "1234.5"),
        (SPANISH, "1\u202f234,5", "1234.5"),
        (SWISS, "1'234.50", "1234.5"),
    ],
)
def test_numbers_are_read_in_their_notation(notation: Notation, text: str, value: str) -> None:
    assert judge_decimal(text, notation) == (Decimal(value), "exact")


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (ENGLISH, "1,23"),
        (ENGLISH, "12,34,567"),
        (ENGLISH, "1234,567"),
        (ENGLISH, "0,123"),
        (ENGLISH, "1,234,"),
        (ENGLISH, ",123"),
        (ENGLISH, "1.234,50"),
        (SPANISH, "1.234 567,8"),
        (SPANISH, "1.5"),
        (SPANISH, "0.123"),
        (SPANISH, "1,234.50"),
        (SWISS, "1'23"),
        (SWISS, "1,234.50"),
        (ENGLISH, "3.25%"),
    ],
)
def test_no_number_is_guessed_from_another_notation(notation: Notation, text: str) -> None:
    with pytest.raises(Refused) as caught:
        judge_decimal(text, notation)
    assert caught.value.rule == "not_number"
    with pytest.raises(Refused) as caught:
        judge_integer(text, notation)
    assert caught.value.rule == "not_integer"


def test_three_zeros_after_a_comma_may_be_thousands_of_another_language() -> None:
    comma = get_notation(Dialect(decimal=","))
    assert judge_integer("122,0", comma) == 122
    with pytest.raises(Refused) as caught:
        judge_integer("122,000", comma)
    assert caught.value.rule == "not_integer"


@pytest.mark.parametrize(("text", "unit"), [("3.25000005", "percent"), ("1.95000003", "seconds")])
def test_noise_is_measured_after_the_division(text: str, unit: Unit) -> None:
    assert judge_decimal(text, unit=unit) == (Decimal("0.0325"), "noise")


@pytest.mark.parametrize(
    ("notation", "text", "value"),
    [
        (ENGLISH, "1,234", 1234),
        (ENGLISH, "1,234.0", 1234),
        (SPANISH, "1.234", 1234),
        (SPANISH, "1000,0", 1000),
        (SWISS, "1'234'567", 1234567),
    ],
)
def test_whole_numbers_are_read_in_their_notation(
    notation: Notation, text: str, value: int
) -> None:
    assert judge_integer(text, notation) == value


@pytest.mark.parametrize("text", ["3,25%", "3,25 %", "3,25\u00a0%", "3,25\u202f%", "3,25"])
def test_a_percentage_is_a_hundredth_with_its_sign_or_without(text: str) -> None:
    assert judge_decimal(text, SPANISH, unit="percent") == (Decimal("0.0325"), "exact")


@pytest.mark.parametrize("text", ["3%%", "%", "3  %", "% 3", "3 "])
def test_a_percentage_has_one_sign_at_its_end(text: str) -> None:
    with pytest.raises(Refused, match="not_number"):
        judge_decimal(text, unit="percent")


def test_micros_are_whole_numbers_and_exact() -> None:
    assert judge_decimal("1500000", unit="micros") == (Decimal("1.5"), "exact")
    assert judge_decimal("-1", unit="micros") == (Decimal("-0.000001"), "exact")
    with pytest.raises(Refused, match="not_integer"):
        judge_decimal("1.5", unit="micros")
    with pytest.raises(Refused, match="out_of_range"):
        judge_decimal("1000000000000000000", unit="micros")


def test_seconds_become_minutes_and_are_rounded_only_where_the_contract_says_so() -> None:
    assert judge_decimal("90", unit="seconds") == (Decimal("1.5"), "exact")
    with pytest.raises(Refused, match="too_precise"):
        judge_decimal("10", unit="seconds")
    assert judge_decimal("10", unit="seconds", rounds=True) == (Decimal("0.166667"), "rounded")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.0000005", "0"),
        ("0.0000015", "0.000002"),
        ("0.0000025", "0.000002"),
        ("-0.0000015", "-0.000002"),
        ("0.00000250000000000000000000000000000000001", "0.000003"),
    ],
)
def test_rounding_is_half_to_even_and_said(text: str, value: str) -> None:
    assert judge_decimal(text, rounds=True) == (Decimal(value), "rounded")


FORMS = ("d/m/yyyy", "yyyymmdd")


@pytest.mark.parametrize("text", ["1/2/2024", "01/02/2024", "20240201"])
def test_a_date_is_read_in_the_dialects_forms(text: str) -> None:
    assert judge_date(text, FORMS) == date(2024, 2, 1)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("30/2/2024", "bad_date"),
        ("2/13/2024", "bad_date"),
        ("2024-02-01", "bad_date"),
        ("2024-02-01 00:00", "not_a_date"),
        ("1/2/24", "bad_date"),
    ],
)
def test_a_date_in_no_form_names_the_forms(text: str, rule: str) -> None:
    with pytest.raises(Refused) as caught:
        judge_date(text, FORMS)
    assert caught.value.rule == rule
    assert caught.value.expected in {
        "a day of the calendar",
        "D/M/YYYY or YYYYMMDD",
        "D/M/YYYY or YYYYMMDD without a time",
    }


@pytest.mark.parametrize(
    ("judge", "rule", "expected"),
    [
        (lambda: judge_integer("nan"), "not_finite", "a whole number"),
        (lambda: judge_integer("x"), "not_integer", "a whole number, digits only"),
        (
            lambda: judge_integer("x", ENGLISH),
            "not_integer",
            f"a whole number, digits only (numbers have {ENGLISH.words})",
        ),
        (lambda: judge_integer(str(2**63)), "out_of_range", "a whole number of at most 63 bits"),
        (lambda: judge_decimal("inf"), "not_finite", "a number"),
        (
            lambda: judge_decimal("1e-05"),
            "not_number",
            "a number with a decimal point and no thousands mark",
        ),
        (
            lambda: judge_decimal("x", unit="percent"),
            "not_number",
            "a number with a decimal point and no thousands mark, a percent sign or none",
        ),
        (lambda: judge_decimal("1000000000000"), "out_of_range", "a number below 1e12"),
        (lambda: judge_decimal("999999999999.9999999"), "out_of_range", "a number below 1e12"),
        (lambda: judge_decimal("0.0000015"), "too_precise", "at most 6 decimals"),
        (
            lambda: judge_decimal("0.00005", unit="percent"),
            "too_precise",
            "at most 6 decimals after division by 100",
        ),
        (
            lambda: judge_decimal(str(10**18), unit="micros"),
            "out_of_range",
            "a number of micros below 1e18",
        ),
    ],
)
def test_a_refusal_says_what_would_have_been_right(
    judge: Callable[[], object], rule: str, expected: str
) -> None:
    with pytest.raises(Refused) as caught:
        judge()
    assert (caught.value.rule, caught.value.expected) == (rule, expected)


def test_the_least_whole_number_is_one_and_halves_go_to_the_even() -> None:
    assert judge_integer(str(-(2**63))) == -(2**63)
    for text, value in (
        ("0.0000005", "0"),
        ("0.0000015", "0.000002"),
        ("0.0000025", "0.000002"),
        ("0.0000035", "0.000004"),
        ("0.0000045", "0.000004"),
        ("-0.0000015", "-0.000002"),
    ):
        assert judge_decimal(text, rounds=True) == (Decimal(value), "rounded")
