"""A figure that a file holds in several columns is their exact sum."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.contracts import Column, Dialect
from pipeline.contracts.model import Headers
from pipeline.validate.parts import cast_parts
from pipeline.validate.totals import sum_up

CLICKS = Column(name="clicks", headers=Headers({}), type="integer", add_up=True)
COST = Column(name="cost", headers=Headers({}), type="decimal", add_up=True)
CELLS = st.lists(st.tuples(*[st.none() | st.integers(-(10**17), 10**17)] * 3), max_size=20)


def make_texts(name: str, rows: list[tuple[str, ...]]) -> pl.DataFrame:
    names = [name, f"{name}+1", f"{name}+2"][: len(rows[0])] if rows else [name]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


@given(CELLS)
@example([(4 * 10**18, 5 * 10**18, None)])  # more than a decimal holds, and a count may be
def test_a_sum_is_exact_and_missing_where_all_parts_are(
    rows: list[tuple[int | None, ...]],
) -> None:
    texts = make_texts("clicks", [tuple("" if n is None else str(n) for n in row) for row in rows])
    casting = cast_parts(texts, CLICKS, Dialect())
    expected = [
        sum(n or 0 for n in row) if any(n is not None for n in row) else None for row in rows
    ]
    assert casting.values.to_list() == expected
    assert casting.faults == {}


def test_decimals_are_added_as_decimals_and_noise_is_noted() -> None:
    texts = make_texts("cost", [("0.1", "0.2"), ("0.30000000000000004", ""), ("", "")])
    casting = cast_parts(texts, COST, Dialect())
    assert casting.values.to_list() == [Decimal("0.300000"), Decimal("0.300000"), None]
    assert casting.taken == {"noise": [1]}


@pytest.mark.parametrize(
    ("column", "parts", "rule"),
    [
        (CLICKS, ("1", "x"), "not_integer"),
        (CLICKS, ("x", "1"), "not_integer"),
        (CLICKS, (str(2**63 - 1), "1"), "out_of_range"),
        (COST, ("999999999999.999999", "0.000001"), "out_of_range"),
    ],
)
def test_one_wrong_part_is_a_fault_of_the_sum(
    column: Column, parts: tuple[str, str], rule: str
) -> None:
    casting = cast_parts(make_texts(column.name, [parts]), column, Dialect())
    assert casting.faults[0].rule == rule
    assert casting.faults[0].column == column.name
    assert casting.values.to_list() == [None]
    if rule == "out_of_range":
        assert casting.faults[0][2:] == ("", "parts whose sum is in the column's range")


def test_totals_add_up_all_parts() -> None:
    from pipeline.contracts import load_contracts

    contract = load_contracts()["pinterest_ads_api"]
    texts = pl.DataFrame({"clicks": ["1", "2"], "clicks+1": ["10", ""]})
    assert sum_up(texts, contract, Dialect()) == {"clicks": 13}
