"""Whether one account's spend would stand under two names, and so count twice. Pure.

The download of a person often names no account, or names it in words, where the API's rows of the
same account have its number; and one may have only names of campaigns where the other has only
ids. Two accounts that the same kind of file tells apart are two accounts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

NUMBER = "^[0-9]+$"
"""How an account looks that is called by its number: two numbers are two accounts."""

_NOBODY = pl.col("account") == ""
_NOBODY_THERE = pl.col("account_there") == ""
_NUMBERS = pl.col("account").str.contains(NUMBER) & pl.col("account_there").str.contains(NUMBER)
_IDS = pl.col("has_id") & pl.col("has_id_there")
_NAMES = pl.col("has_name") & pl.col("has_name_there")
_DAY = ("source", "date")


class Twice(NamedTuple):
    """Spend that would count twice.

    Attributes:
        account: Under which it is brought; '' where nobody says it.
        there: Under which it stands; likewise.
        campaigns: How many campaigns both have; 0 where nothing can tell, as one has ids of
            campaigns and no names, and the other names and no ids.
        first: The first of them, by id or else by name; '' where there is none.
    """

    account: str
    there: str
    campaigns: int
    first: str


def find_twice(brought: pl.DataFrame, standing: pl.DataFrame) -> Twice | None:
    """The first account that would stand twice on the same days, in whatever breakdown.

    Compared are an account without a name with those that have one, and two accounts of different
    contracts. Campaigns with ids are the same by id alone, and names say nothing of two accounts
    that are both called by numbers.

    Args:
        brought: What a delivery brings; columns source, account, contract, date, campaign_id and
            campaign_name.
        standing: What stands beside it, or comes with it; likewise.
    """
    # Seldom are there two names at all; to see that is much less work than what follows.
    mine, theirs = (_describe(side, ("source",)) for side in (brought, standing))
    if _meet(mine, theirs, ("source",)).is_empty():
        return None
    nameless = _NOBODY | _NOBODY_THERE
    for name, is_same in (
        ("campaign_id", pl.lit(value=True)),
        ("campaign_name", ~_IDS & (nameless | ~_NUMBERS)),
    ):
        mine, theirs = (
            _describe(side.drop_nulls(name), (*_DAY, name)) for side in (brought, standing)
        )
        same = _meet(mine, theirs, (*_DAY, name)).filter(is_same)
        same = same.sort(name, "account", "account_there")
        if len(same):
            account, there = same.select("account", "account_there").row(0)
            return Twice(account, there, same[name].n_unique(), same[name][0])
    days = _meet(_describe(brought, _DAY), _describe(standing, _DAY), _DAY)
    unclear = days.filter(~(_IDS | _NAMES), nameless | ~_NUMBERS).sort("account", "account_there")
    if len(unclear):
        account, there = unclear.select("account", "account_there").row(0)
        return Twice(account, there, 0, "")
    return None


def _describe(rows: pl.DataFrame, place: Sequence[str]) -> pl.DataFrame:
    """Which accounts there are in each place, and how their campaigns are known."""
    return rows.group_by(*place, "account", "contract").agg(
        has_id=pl.col("campaign_id").is_not_null().any(),
        has_name=pl.col("campaign_name").is_not_null().any(),
    )


def _meet(mine: pl.DataFrame, theirs: pl.DataFrame, place: Sequence[str]) -> pl.DataFrame:
    """Accounts of the two sides in the same place that may be one account under two names.

    Of many alike on their side the first and the last stand for all: one of the two is another.
    """
    alike = theirs.group_by(
        *(*place, "contract", "has_id", "has_name"),
        is_nobody=_NOBODY,
        is_number=pl.col("account").str.contains(NUMBER),
    )
    ends = alike.agg(account=pl.concat_list(pl.col("account").min(), pl.col("account").max()))
    met = mine.join(ends.explode("account"), on=place, suffix="_there")
    contracts = pl.col("contract") != pl.col("contract_there")
    return met.filter(
        pl.col("account") != pl.col("account_there"), _NOBODY | _NOBODY_THERE | contracts
    )
