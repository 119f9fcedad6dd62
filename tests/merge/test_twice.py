"""Whether one account's spend would stand under two names."""

from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.merge.twice import Twice, find_twice

Row = tuple[str, str, str, int, str | None, str | None]
"""Breakdown, account, contract, day of January, id and name of a campaign."""

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "age"]),
        st.sampled_from(["", "1", "2", "shop", "other"]),
        st.sampled_from(["download", "rows"]),
        st.integers(1, 2),
        st.sampled_from([None, "i", "j"]),
        st.sampled_from([None, "x", "y"]),
    ),
    max_size=5,
)


def make_side(*rows: Row) -> pl.DataFrame:
    names = ("breakdown", "account", "contract", "day", "campaign_id", "campaign_name")
    kinds = (pl.String, pl.String, pl.String, pl.Int64, pl.String, pl.String)
    frame = pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
    day = pl.date(2024, 1, pl.col("day"))
    return frame.with_columns(source=pl.lit("s"), date=day).drop("day")


def expect_twice(brought: list[Row], standing: list[Row]) -> bool:
    """The rule read row by row and day by day, as a person would tell it."""
    for (_, mine, by, day, *campaign), (_, there, other_by, other_day, *other) in product(
        brought, standing
    ):
        nameless = "" in {mine, there}
        if day != other_day or mine == there or not (nameless or by != other_by):
            continue
        numbers = mine.isdigit() and there.isdigit()
        if campaign[0] is not None and campaign[0] == other[0]:
            return True
        by_name = None in {campaign[0], other[0]} and (nameless or not numbers)
        if by_name and campaign[1] is not None and campaign[1] == other[1]:
            return True
        known = [
            {place for row in side if row[1:4] == key for place in (0, 1) if row[4 + place]}
            for side, key in ((brought, (mine, by, day)), (standing, (there, other_by, day)))
        ]
        if not known[0] & known[1] and (nameless or not numbers):
            return True
    return False


@given(brought=ROWS, standing=ROWS)
def test_it_is_what_the_rule_says_of_each_pair_of_rows(
    brought: list[Row], standing: list[Row]
) -> None:
    found = find_twice(make_side(*brought), make_side(*standing))
    assert (found is not None) == expect_twice(brought, standing)
    turned = find_twice(make_side(*standing), make_side(*brought))
    assert (turned is not None) == (found is not None)


@pytest.mark.parametrize(
    ("brought", "standing", "expected"),
    [
        # ids on one side only and names on the other: nothing can tell
        (("", "", "d", 1, None, "x"), ("", "1", "r", 1, "i", None), Twice("", "1", 0, "")),
        (("", "1", "r", 1, "i", None), ("", "", "d", 1, None, "x"), Twice("1", "", 0, "")),
        (("", "", "d", 1, None, "x"), ("", "1", "r", 2, "i", None), None),
        # in whatever breakdown
        (("age", "", "d", 1, None, "x"), ("", "1", "r", 1, "i", "x"), Twice("", "1", 1, "x")),
        # two names of an account, in files of two kinds
        (("", "shop", "d", 1, None, "x"), ("", "1", "r", 1, "i", "x"), Twice("shop", "1", 1, "x")),
        (("", "shop", "d", 1, None, "x"), ("", "1", "d", 1, "i", "x"), None),
        # an id is known in all of a platform; a name may be anybody's
        (("", "", "d", 1, "j", "x"), ("", "1", "r", 1, "i", "x"), None),
        (("", "", "d", 1, None, "x"), ("", "1", "r", 1, "i", "x"), Twice("", "1", 1, "x")),
        (("", "2", "d", 1, "i", "x"), ("", "1", "r", 1, "i", "y"), Twice("2", "1", 1, "i")),
        (("", "2", "d", 1, None, "x"), ("", "1", "r", 1, "i", "x"), None),
        (("", "shop", "d", 1, "j", "x"), ("", "1", "r", 1, "i", "x"), None),
        (("", "2", "d", 1, None, "x"), ("", "1", "r", 1, "i", None), None),
        (("", "shop", "d", 1, None, "x"), ("", "1", "r", 1, "i", None), Twice("shop", "1", 0, "")),
    ],
)
def test_accounts_that_may_be_one_are_told_from_those_that_are_two(
    brought: Row, standing: Row, expected: Twice | None
) -> None:
    assert find_twice(make_side(brought), make_side(standing)) == expected


def test_the_first_campaign_and_the_count_are_those_that_both_have() -> None:
    brought = make_side(*(("", "", "d", 1, None, name) for name in "zyxw"))
    standing = make_side(*(("", f"{n}", "r", 1, f"{n}", name) for n, name in enumerate("xyz")))
    assert find_twice(brought, standing) == Twice("", "0", 3, "x")


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (("i", "j"), Twice("2", "1", 2, "i")),  # by the campaign, then the accounts
        ((None, None), Twice("shop", "1", 2, "x")),
    ],
)
def test_of_several_the_first_by_campaign_and_account_is_named(
    ids: tuple[str | None, str | None], expected: Twice
) -> None:
    mine = ("shop", "other") if ids[0] is None else ("3", "2")
    for turn in (1, -1):
        brought = [("", who, "d", 1, ids[n], "xy"[n]) for n in (0, 1) for who in mine][::turn]
        there = [("", who, "r", 1, ids[n], "xy"[n]) for n in (0, 1) for who in ("5", "1")][::turn]
        if ids[0] is None:  # `other` has campaigns of its own
            brought = [row if row[1] == "shop" else (*row[:5], f"not {row[5]}") for row in brought]
        assert find_twice(make_side(*brought), make_side(*there)) == expected


def test_where_nothing_can_tell_the_first_two_accounts_are_named() -> None:
    for turn in (1, -1):
        brought = [("", who, "d", 1, None, "x") for who in ("shop", "other")][::turn]
        there = [("", who, "r", 1, "i", None) for who in ("5", "1")][::turn]
        assert find_twice(make_side(*brought), make_side(*there)) == Twice("other", "1", 0, "")
