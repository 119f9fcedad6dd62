"""Which deliveries wait for a person, at the very borders of each rule."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from pipeline.contracts import Holds
from pipeline.merge.holds import STANDING, Claim, Held, find_holds
from pipeline.merge.windows import WINDOWS

FIRST = date(2024, 1, 1)
HOLDS = Holds(
    max_window_days=10,
    max_shrink_percent=50,
    max_reject_percent=5,
    min_rows=4,
    need_known_campaign=True,
)
OLD_HOUR = 1


def make_moment(hour: int) -> datetime:
    return datetime(2024, 6, 1, hour, tzinfo=UTC)


def make_windows(hour: int, *, days: int = 1, account: str = "a", start: int = 0) -> pl.DataFrame:
    first = FIRST + timedelta(days=start)
    last = first + timedelta(days=days - 1)
    row = ("s", account, None, "", first, last, make_moment(hour), f"d{hour}")
    return pl.DataFrame([row], schema=WINDOWS, orient="row")


def make_standing(
    *campaigns: tuple[str | None, int, str],
    account: str = "a",
    day: int = 0,
    contract: str = "download",
) -> pl.DataFrame:
    """Rows of campaign_id, rows, cost; the campaign's name is its id with `name of ` before it."""
    date_ = FIRST + timedelta(days=day)
    rows = [
        ("s", account, None, "", contract, date_, name, f"name of {name}", count, Decimal(cost))
        for name, count, cost in campaigns
    ]
    return pl.DataFrame(rows, schema=STANDING, orient="row")


def make_claim(
    brings: pl.DataFrame,
    *,
    hour: int = 2,
    windows: pl.DataFrame | None = None,
    holds: Holds = HOLDS,
    rows_in: int = 10,
    quarantined: int = 0,
    has_account: bool = True,
) -> Claim:
    return Claim(
        source="s",
        rank=(make_moment(hour), f"d{hour}"),
        holds=holds,
        windows=make_windows(hour) if windows is None else windows,
        brings=brings,
        rows_in=rows_in,
        quarantined=quarantined,
        has_account=has_account,
    )


def judge(claim: Claim, standing: pl.DataFrame, before: pl.DataFrame | None = None) -> Held | None:
    before = make_windows(OLD_HOUR) if before is None else before
    held = find_holds([claim], standing, before)
    assert held.keys() <= {(claim.source, claim.rank)}
    return held.get((claim.source, claim.rank))


@pytest.mark.parametrize(("days", "waits"), [(10, False), (11, True)])
def test_a_window_may_be_as_long_as_the_contract_says_and_no_longer(days: int, waits: bool) -> None:
    claim = make_claim(make_standing(), windows=make_windows(2, days=days))
    expected = Held("long_window", "it covers 11 days; expected at most 10")
    assert judge(claim, make_standing()) == (expected if waits else None)


def test_the_longest_of_several_windows_counts_and_none_is_not_long() -> None:
    several = pl.concat([make_windows(2, days=1), make_windows(2, days=30, account="b")])
    held = judge(make_claim(make_standing(), windows=several), make_standing())
    assert held == Held("long_window", "it covers 30 days; expected at most 10")
    none = make_claim(make_standing(), windows=make_windows(2).clear())
    assert judge(none, make_standing(("x", 9, "9"))) is None


@pytest.mark.parametrize(("cost", "waits"), [("50", False), ("49.99", True)])
def test_half_of_the_cost_may_go_and_no_more(cost: str, waits: bool) -> None:
    held = judge(make_claim(make_standing(("x", 3, cost))), make_standing(("x", 1234, "100")))
    expected = Held(
        "large_shrink",
        "it would replace 1,234 rows of cost 100.00 by 3 of cost 49.99: more than 50 % would go",
    )
    assert held == (expected if waits else None)


@pytest.mark.parametrize(("rows", "waits"), [(3, False), (4, True)])
def test_a_shrink_is_told_from_so_many_replaced_rows_on(rows: int, waits: bool) -> None:
    held = judge(make_claim(make_standing(("x", 1, "0"))), make_standing(("x", rows, "100")))
    assert (held is not None) == waits


def test_what_brings_nothing_for_what_it_replaces_shrinks_it_to_nothing() -> None:
    held = judge(make_claim(make_standing()), make_standing(("x", 4, "100")))
    assert held == Held(
        "large_shrink",
        "it would replace 4 rows of cost 100.00 by 0 of cost 0.00: more than 50 % would go",
    )


@pytest.mark.parametrize(
    ("rows_in", "quarantined", "says"),
    [
        (100, 5, None),
        (
            100,
            6,
            "6 of its 100 rows are rejected, and it would replace 9 rows; expected at most 5 %",
        ),
        (3, 2, None),  # of too few rows a share says nothing
        (1, 1, "all of its 1 rows are rejected, and it would replace 9 rows"),
        (0, 0, None),
    ],
)
def test_many_rejects_hold_what_would_replace_rows(
    rows_in: int, quarantined: int, says: str | None
) -> None:
    claim = make_claim(make_standing(("x", 9, "1")), rows_in=rows_in, quarantined=quarantined)
    assert judge(claim, make_standing(("x", 9, "1"))) == (
        Held("many_rejects", says) if says else None
    )
    assert judge(claim, make_standing()) is None  # it replaces nothing


def test_without_an_account_a_campaign_has_to_be_known_by_its_id_or_its_name() -> None:
    standing = make_standing(("x", 1200, "1"))
    other = make_standing(("y", 1200, "1"))
    held = judge(make_claim(other, has_account=False), standing)
    assert held == Held(
        "other_campaigns",
        "it names no account, and none of its campaigns is among those of the 1,200 rows that it "
        "would replace: it may be another account's; land it with --account",
    )
    same_name = other.with_columns(campaign_name=pl.lit("name of x"))
    assert judge(make_claim(same_name, has_account=False), standing) is None
    same_id = standing.with_columns(campaign_name=pl.lit("renamed"))
    assert judge(make_claim(same_id, has_account=False), standing) is None


def test_an_unknown_campaign_is_no_campaign_that_both_know() -> None:
    unknown = {"campaign_id": pl.lit(None, pl.String), "campaign_name": pl.lit(None, pl.String)}
    nameless = make_standing(("x", 9, "1")).with_columns(**unknown)
    held = judge(make_claim(nameless, has_account=False), nameless)
    assert held is not None
    assert held[0] == "other_campaigns"


def test_other_campaigns_are_fine_of_a_named_account_or_where_the_contract_says_so() -> None:
    standing, other = make_standing(("x", 9, "1")), make_standing(("y", 9, "1"))
    assert judge(make_claim(other), standing) is None
    lax = Holds(need_known_campaign=False)
    assert judge(make_claim(other, has_account=False, holds=lax), standing) is None


@pytest.mark.parametrize(
    ("account", "there", "says"),
    [
        (
            "",
            "a",
            (
                "it names no account, and 2 of its campaigns, first 'x', stand on the same days "
                "under the account 'a': both would count; land it with --account 'a'"
            ),
        ),
        (
            "a",
            "",
            (
                "it names the account 'a', and 2 of its campaigns, first 'x', stand on the same "
                "days without an account: both would count; withdraw those and land them with "
                "--account 'a' at their own --delivered"
            ),
        ),
        ("a", "b", None),
        ("", "", None),
    ],
)
def test_the_same_campaigns_do_not_stand_with_an_account_and_without(
    account: str, there: str, says: str | None
) -> None:
    brings = make_standing(("y", 1, "1"), ("x", 1, "1"), account=account)
    standing = make_standing(("x", 1, "1"), ("y", 1, "1"), ("z", 1, "1"), account=there)
    claim = make_claim(brings, windows=make_windows(2, account=account))
    held = judge(claim, standing, make_windows(OLD_HOUR, account=there))
    relabel = account if account and not there else ""
    assert held == (says and Held("same_campaigns", says, relabel))


def test_campaigns_without_an_id_are_the_same_by_name() -> None:
    brings, standing = (
        make_standing(("x", 1, "1"), account=account).with_columns(
            campaign_id=pl.lit(None, pl.String)
        )
        for account in ("", "a")
    )
    held = judge(make_claim(brings, windows=make_windows(2, account="")), standing)
    assert held is not None
    assert "1 of its campaigns, first 'name of x'" in held[1]


def test_on_other_days_the_same_campaigns_may_stand() -> None:
    brings = make_standing(("x", 1, "1"), account="")
    standing = make_standing(("x", 1, "1"), day=1)
    assert judge(make_claim(brings, windows=make_windows(2, account="")), standing) is None


def test_a_delivery_of_lower_rank_or_of_days_that_it_speaks_for_already_replaces_nothing() -> None:
    standing = make_standing(("x", 9, "100"))
    late = make_claim(make_standing(), hour=2)
    assert judge(late, standing, make_windows(3)) is None
    assert judge(late, standing, make_windows(2)) is None  # it grows
    assert judge(late, standing) is not None


def test_at_one_moment_the_delivery_of_the_greater_id_replaces_the_other() -> None:
    standing = make_standing(("x", 9, "100"))
    claim = make_claim(make_standing(), hour=2)  # of the id d2
    for other, replaces in (("d1", True), ("d3", False)):
        before = make_windows(2).with_columns(delivery_id=pl.lit(other))
        assert (judge(claim, standing, before) is not None) == replaces


def test_nothing_is_held_of_nothing() -> None:
    assert find_holds([], make_standing(("x", 9, "100")), make_windows(OLD_HOUR)) == {}


def test_two_names_of_an_account_within_a_delivery_are_told_with_what_to_do() -> None:
    sides = [
        make_standing(("x", 1, "1"), account="shop"),
        make_standing(("x", 1, "1"), account="1", contract="rows"),
    ]
    windows = pl.concat([make_windows(2, account="shop"), make_windows(2, account="1")])
    held = judge(make_claim(pl.concat(sides), windows=windows), make_standing())
    assert held == Held(
        "same_campaigns",
        "it names the account '1', and 1 of its campaigns, first 'x', come in the same delivery "
        "under the account 'shop': both would count; land them under one name of it, without a "
        "column that says another",
    )


def test_accounts_that_nothing_compares_are_told_with_what_to_do() -> None:
    brings = make_standing(("x", 1, "1"), account="shop")
    brings = brings.with_columns(campaign_id=pl.lit(None, pl.String))
    standing = make_standing(("x", 1, "1"), account="1", contract="rows")
    standing = standing.with_columns(campaign_name=pl.lit(None, pl.String))
    held = judge(make_claim(brings, windows=make_windows(2, account="shop")), standing)
    assert held == Held(
        "unclear_account",
        "it names the account 'shop', and rows stand on the same days under the account '1': one "
        "side has no ids of campaigns and the other no names, so that nothing tells whether they "
        "are one account, which would count twice; if they are, land them under one name of it, "
        "without a column that says another; else land each with its account's number",
    )


def test_deliveries_are_judged_in_the_order_of_rank_each_after_what_passed() -> None:
    standing = make_standing(("x", 9, "100"))
    half = make_claim(make_standing(("x", 9, "50")), hour=2)
    quarter = make_claim(make_standing(("x", 9, "25")), hour=3)
    before = make_windows(OLD_HOUR)
    for claims in ([half, quarter], [quarter, half]):
        assert find_holds(claims, standing, before) == {}
    # Alone it takes three quarters; and what is held is no measure of what comes after it.
    assert find_holds([quarter], standing, before).keys() == {("s", quarter.rank)}
    emptied = make_claim(make_standing(), hour=2)
    assert find_holds([emptied, half], standing, before).keys() == {("s", emptied.rank)}


def test_what_a_person_accepts_passes_and_stands_for_those_after_it() -> None:
    standing = make_standing(("x", 9, "100"))
    small = make_claim(make_standing(("x", 9, "10")), hour=2)
    after = make_claim(make_standing(("x", 9, "5")), hour=3)
    before = make_windows(OLD_HOUR)
    assert find_holds([small, after], standing, before, accepted={("s", small.rank)}) == {}
    assert find_holds([small, after], standing, before, accepted={("t", small.rank)}).keys() == {
        ("s", small.rank),
        ("s", after.rank),
    }


def test_only_the_registers_that_a_delivery_wins_take_what_it_brings() -> None:
    """A day that a newer delivery has keeps its rows, and what is brought for it counts nothing."""
    standing = pl.concat([make_standing(("x", 9, "10")), make_standing(("x", 9, "10"), day=1)])
    before = pl.concat([make_windows(1, days=2), make_windows(5, start=1)])
    brings = pl.concat([make_standing(("x", 1, "1")), make_standing(("x", 9, "99"), day=1)])
    held = judge(make_claim(brings, windows=make_windows(2, days=2)), standing, before)
    assert held is not None
    assert held[1].startswith("it would replace 9 rows of cost 10.00 by 1 of cost 1.00:")
