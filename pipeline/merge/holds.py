"""Which deliveries wait for a person, because of what they would replace. Pure.

A delivery that replaces a window can take much away: a truncated export, one of another account, a
wrong period. What it would replace is told in the order of rank, so that several deliveries of one
merge are judged as if each had come alone.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from pipeline.contracts import Holds
from pipeline.merge.by_day import ByDay
from pipeline.merge.delivery import Rank
from pipeline.merge.twice import find_twice
from pipeline.merge.windows import REGISTER, WINDOWS, find_near, pick_newest, spread

STANDING = pl.Schema(
    {
        **{name: WINDOWS[name] for name in ("source", "account", "platform", "breakdown")},
        "contract": pl.String(),
        "date": pl.Date(),
        "campaign_id": pl.String(),
        "campaign_name": pl.String(),
        "rows": pl.Int64(),
        "cost": pl.Decimal(38, 6),
    }
)
"""Rows and cost of each campaign in each register, and by which contract they were read."""

Key = tuple[str, Rank]
"""Source and rank: one delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery that would replace others.

    Attributes:
        source: Whose it is.
        rank: Its rank.
        holds: Of its contract.
        windows: What it covers; columns `WINDOWS`.
        brings: What it brings; columns `STANDING`.
        rows_in: Rows in its files.
        quarantined: How many of them were rejected.
        has_account: Whether somebody says which account it is of.
    """

    source: str
    rank: Rank
    holds: Holds
    windows: pl.DataFrame
    brings: pl.DataFrame
    rows_in: int
    quarantined: int
    has_account: bool


class Held(NamedTuple):
    """Why a delivery waits.

    Attributes:
        rule: Short name.
        detail: The same in words.
        relabel: The account with which what stands beside it without one has to be landed; ''
            where that is not why it waits.
    """

    rule: str
    detail: str
    relabel: str = ""


def find_holds(
    claims: Sequence[Claim],
    standing: pl.DataFrame,
    before: pl.DataFrame,
    *,
    accepted: Set[Key] = frozenset(),
) -> dict[Key, Held]:
    """The deliveries that wait.

    Args:
        claims: New deliveries, in any order.
        standing: What the master holds in the registers that they cover; columns `STANDING`.
        before: Windows of the deliveries in the ledger; columns `WINDOWS`.
        accepted: Deliveries that a person lets pass.
    """
    windows = pl.concat([pl.DataFrame(schema=WINDOWS), *(claim.windows for claim in claims)])
    stands = ByDay(standing)
    speaks = ByDay(pick_newest(spread(find_near(before, windows))))
    held: dict[Key, Held] = {}
    for claim in sorted(claims, key=lambda claim: claim.rank):
        touched = spread(claim.windows).unique(REGISTER)
        places = touched.select("source", "date").unique().rows()
        speaking, there = speaks.find(places), stands.find(places)
        won = _find_won(touched, speaking)
        replaced = _take(there, won)
        rest = there.join(won, on=REGISTER, how="anti", nulls_equal=True)
        brought = _take(claim.brings, won)
        reason = _judge(claim, replaced, brought) or _judge_account(brought, rest)
        if reason is not None and (claim.source, claim.rank) not in accepted:
            held[claim.source, claim.rank] = reason
            continue
        stands.replace(places, pl.concat([rest, brought]))
        speaks.replace(places, pick_newest(pl.concat([speaking, won])))
    return held


def _find_won(touched: pl.DataFrame, speaking: pl.DataFrame) -> pl.DataFrame:
    """The registers in which a delivery would replace another, or speaks first.

    Where the delivery itself speaks already, it grows and replaces nothing.

    Args:
        touched: The delivery's registers; columns as of `windows.spread`.
        speaking: Who speaks for them so far; likewise.

    Returns:
        These rows of `touched`.
    """
    met = touched.join(speaking, on=REGISTER, how="left", nulls_equal=True, suffix="_there")
    at, there = pl.col("delivered_at"), pl.col("delivered_at_there")
    is_newer = (at > there) | (
        (at == there) & (pl.col("delivery_id") > pl.col("delivery_id_there"))
    )
    return met.filter(there.is_null() | is_newer).select(touched.columns)


def _take(brings: pl.DataFrame, registers: pl.DataFrame) -> pl.DataFrame:
    return brings.join(registers, on=REGISTER, how="semi", nulls_equal=True)


def _judge(claim: Claim, replaced: pl.DataFrame, brought: pl.DataFrame) -> Held | None:
    holds = claim.holds
    days = claim.windows.select(
        (pl.col("last_date") - pl.col("first_date")).dt.total_days().max()
    ).item()
    if days is not None and days >= holds.max_window_days:
        return Held(
            "long_window", f"it covers {days + 1} days; expected at most {holds.max_window_days}"
        )
    count = int(replaced["rows"].sum())
    if not count:
        return None
    return (
        _judge_campaigns(claim, replaced, brought, count)
        or _judge_rejects(claim, count)
        or _judge_shrink(holds, replaced, brought, count)
    )


def _judge_campaigns(
    claim: Claim, replaced: pl.DataFrame, brought: pl.DataFrame, count: int
) -> Held | None:
    if claim.has_account or not claim.holds.need_known_campaign:
        return None
    for name in ("campaign_id", "campaign_name"):
        if set(replaced[name].drop_nulls()) & set(brought[name].drop_nulls()):
            return None
    return Held(
        "other_campaigns",
        f"it names no account, and none of its campaigns is among those of the {count:,} rows "
        f"that it would replace: it may be another account's; land it with --account",
    )


def _judge_account(brought: pl.DataFrame, rest: pl.DataFrame) -> Held | None:
    """Whether the spend of one account would stand twice, under two names of the account."""
    where = "stand on the same days"
    twice = find_twice(brought, rest)
    if twice is None:
        where, twice = "come in the same delivery", find_twice(brought, brought)
    if twice is None:
        return None
    account, there, campaigns, first = twice
    who = f"names the account {account!r}" if account else "names no account"
    other = f"under the account {there!r}" if there else "without an account"
    relabel = account if not there else ""
    if not account:
        advice = f"land it with --account {there!r}"
    elif not there:
        advice = f"withdraw those and land them with --account {account!r} at their own --delivered"
    else:
        advice = "land them under one name of it, without a column that says another"
    if campaigns:
        return Held(
            "same_campaigns",
            f"it {who}, and {campaigns:,} of its campaigns, first {first!r}, {where} {other}: "
            f"both would count; {advice}",
            relabel,
        )
    return Held(
        "unclear_account",
        f"it {who}, and rows {where} {other}: one side has no ids of campaigns and the other no "
        f"names, so that nothing tells whether they are one account, which would count twice; if "
        f"they are, {advice}; else land each with its account's number",
        relabel,
    )


def _judge_rejects(claim: Claim, count: int) -> Held | None:
    if claim.rows_in == claim.quarantined > 0:
        return Held(
            "many_rejects",
            f"all of its {claim.rows_in:,} rows are rejected, and it would replace {count:,} rows",
        )
    if not claim.holds.are_many(claim.quarantined, claim.rows_in):
        return None
    return Held(
        "many_rejects",
        f"{claim.quarantined:,} of its {claim.rows_in:,} rows are rejected, and it would replace "
        f"{count:,} rows; expected at most {claim.holds.max_reject_percent} %",
    )


def _judge_shrink(
    holds: Holds, replaced: pl.DataFrame, brought: pl.DataFrame, count: int
) -> Held | None:
    old, new = (_sum_cost(frame) for frame in (replaced, brought))
    if count < holds.min_rows or 100 * new >= (100 - holds.max_shrink_percent) * old:
        return None
    return Held(
        "large_shrink",
        f"it would replace {count:,} rows of cost {old:,.2f} by {int(brought['rows'].sum()):,} "
        f"of cost {new:,.2f}: more than {holds.max_shrink_percent} % would go",
    )


def _sum_cost(frame: pl.DataFrame) -> Decimal:
    return Decimal(frame["cost"].sum() or 0)
