"""The fast casts say what the judge says, whatever the dialect."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.contracts import Column, Dialect, Headers
from pipeline.contracts.model import ColumnType, Unit
from pipeline.validate.cast import cast_column
from pipeline.validate.judge import Refused, judge_date, judge_decimal, judge_integer
from pipeline.validate.notation import get_notation

NULL_WORDS = ("", "-", "n/a")
PLAIN = Dialect(exponents=True, null_words=NULL_WORDS)


def make_column(kind: ColumnType, unit: Unit = "one", *, rounds: bool = False) -> Column:
    return Column(name="x", headers=Headers({}), type=kind, unit=unit, round=rounds)


def judge_cell(text: str, column: Column, dialect: Dialect) -> object:
    """The slow truth: a value and how it was taken, None for missing, or the rule broken."""
    if text.lower() in dialect.null_words:
        return None
    notation = get_notation(dialect)
    try:
        if column.type == "integer":
            return judge_integer(text, notation), "exact"
        if column.type == "date":
            return judge_date(text, dialect.date_formats), "exact"
        return tuple(
            judge_decimal(
                text,
                notation,
                exponents=dialect.exponents,
                unit=column.unit,
                rounds=column.round,
            )
        )
    except Refused as refusal:
        return refusal.rule


def check_agreement(texts: list[str], column: Column, dialect: Dialect) -> None:
    casting = cast_column(pl.Series("x", texts, pl.String), column, dialect)
    taken = {row: name for name, rows in casting.taken.items() for row in rows}
    said: list[object] = []
    for row, value in enumerate(casting.values.to_list()):
        if row in casting.faults:
            assert value is None
            said.append(casting.faults[row].rule)
        else:
            said.append(None if value is None else (value, taken.get(row, "exact")))
    assert said == [judge_cell(text, column, dialect) for text in texts]


numbers = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.integers(-(10**20), 10**20).map("{:,}".format),
    st.integers(-(10**9), 10**9).map(lambda n: f"{n:,}".replace(",", ".")),
    st.decimals(-(10**13), 10**13, places=6).map(str),
    st.decimals(-(10**7), 10**7, places=3).map("{:,}".format),
    st.decimals(-(10**7), 10**7, places=3)
    .map("{:,}".format)
    .map(lambda text: text.translate(str.maketrans(",.", ".,"))),
    st.decimals(-(10**4), 10**4, places=8).map(str),
    st.floats().map(repr),
    st.from_regex(r"[-+]?[0-9]{0,3}([.,' \u00a0][0-9]{3})?[.,]?[0-9]{0,8} ?%?", fullmatch=True),
    st.sampled_from(["", "-", "N/A", "NaN", "1_0", "1,000", "\u0663", "+1", "00", "-0", "1\n"]),
    st.text(max_size=5),
)
dialects = st.sampled_from(
    [
        PLAIN,
        Dialect(thousands=(",",), null_words=NULL_WORDS),
        Dialect(decimal=",", thousands=(".",), exponents=True, null_words=NULL_WORDS),
        Dialect(decimal=",", thousands=(".", " "), null_words=NULL_WORDS),
        Dialect(decimal=",", null_words=NULL_WORDS),
        Dialect(thousands=("'",), null_words=NULL_WORDS),
    ]
)
columns = st.one_of(
    st.just(make_column("integer")),
    st.builds(
        lambda unit, rounds: make_column("decimal", unit, rounds=rounds),
        st.sampled_from(["one", "percent", "micros", "seconds"]),
        st.booleans(),
    ),
)
days = st.one_of(
    st.dates().map(str),
    st.dates().map("{0.day}/{0.month}/{0.year}".format),
    st.dates().map("{0:%d/%m/%Y}".format),
    st.dates().map("{0:%Y%m%d}".format),
    st.from_regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", fullmatch=True),
    st.from_regex(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}", fullmatch=True),
    st.from_regex(r"[0-9]{8}", fullmatch=True),
    st.text(max_size=10),
)
forms = st.sampled_from(
    [
        ("yyyy-mm-dd",),
        ("yyyymmdd",),
        ("dd/mm/yyyy",),
        ("d/m/yyyy",),
        ("m/d/yyyy", "yyyy-mm-dd"),
        ("dd/mm/yyyy", "yyyymmdd"),
    ]
)


@given(texts=st.lists(numbers, max_size=30), column=columns, dialect=dialects)
@example(
    texts=["1", "007", "1.0", "+5", "9223372036854775807"],
    column=make_column("integer"),
    dialect=PLAIN,
)
@example(
    texts=["0.1", "1e-05", "0.30000000000000004", "5."],
    column=make_column("decimal"),
    dialect=PLAIN,
)
@example(
    texts=["0.00005", "0.00015", "-0.00015", "3.25 %", "999999999999.999999"],
    column=make_column("decimal", "percent", rounds=True),
    dialect=PLAIN,
)
def test_the_fast_cast_of_numbers_says_what_the_judge_says(
    texts: list[str], column: Column, dialect: Dialect
) -> None:
    check_agreement(texts, column, dialect)


@given(texts=st.lists(days, max_size=30), date_formats=forms)
@example(texts=["0000-01-01", "2024-02-29", "2024-02-30"], date_formats=("yyyy-mm-dd",))
@example(texts=["20011201", "10102024"], date_formats=("yyyymmdd",))
def test_the_fast_cast_of_dates_says_what_the_judge_says(
    texts: list[str], date_formats: tuple[str, ...]
) -> None:
    dialect = Dialect(date_formats=date_formats, null_words=NULL_WORDS)
    check_agreement(texts, make_column("date"), dialect)


def test_groups_of_digits_are_one_number_only_where_the_contract_says_so() -> None:
    texts = ["123-456-7890", "1-2", "12-a", "-12", "1--2", "12-", "5", "n/a"]
    column = make_column("text")
    joined = cast_column(pl.Series("x", texts), replace(column, join_digits=True), PLAIN)
    as_written = cast_column(pl.Series("x", texts), column, PLAIN)
    rest = ["12-a", "-12", "1--2", "12-", "5", None]
    assert joined.values.to_list() == ["1234567890", "12", *rest]
    assert as_written.values.to_list() == ["123-456-7890", "1-2", *rest]
    assert joined.values.name == "x"
    assert not joined.faults


COMMAS = Dialect(decimal=",", thousands=(".",), null_words=NULL_WORDS)


@pytest.mark.parametrize(
    ("column", "dialect", "texts"),
    [
        (make_column("integer"), PLAIN, ["0", "-12", "9223372036854775807"]),
        (make_column("integer"), COMMAS, ["7", "1.234", "-12.345.678"]),
        (make_column("decimal"), PLAIN, ["0", "-12.5", "999999999999.999999"]),
        (make_column("decimal"), COMMAS, ["7", "1.234,5", "-12.345.678,000001", "0,5"]),
        (make_column("decimal", "percent"), PLAIN, ["3.25", "3.25%", "-1 %"]),
        (make_column("decimal", "micros"), PLAIN, ["1500000", "-1"]),
        (make_column("decimal", "percent", rounds=True), PLAIN, ["0.00005", "0.00015", "0.00025"]),
        *(
            (make_column("date"), Dialect(date_formats=(form,)), [text])
            for form, text in {
                "yyyy-mm-dd": "2024-02-29",
                "yyyymmdd": "20240229",
                "dd/mm/yyyy": "01/12/2024",
                "d/m/yyyy": "1/12/2024",
            }.items()
        ),
    ],
)
def test_what_is_written_plainly_is_cast_without_a_look_at_any_cell(
    monkeypatch: pytest.MonkeyPatch, column: Column, dialect: Dialect, texts: list[str]
) -> None:
    check_agreement(texts, column, dialect)
    for name in ("judge_date", "judge_decimal", "judge_integer"):
        monkeypatch.setattr(
            f"pipeline.validate.cast.{name}", lambda *_, **__: pytest.fail("judged")
        )
    casting = cast_column(pl.Series("x", texts), column, dialect)
    assert casting.values.null_count() == 0


def test_a_fault_says_what_was_written() -> None:
    casting = cast_column(pl.Series("x", ["1", "1,0x"]), make_column("decimal"), PLAIN)
    assert (casting.faults[1].column, casting.faults[1].value) == ("x", "1,0x")
