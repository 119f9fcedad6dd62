"""What each campaign did on a day in the end, and what is known of it so many days later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl
import pyarrow as pa

from pipeline.generate.campaigns import PLATFORMS
from pipeline.generate.messy.dice import Dice
from pipeline.generate.model import RAW, Market, stream_day
from pipeline.generate.request import DayRows

FINAL_AGE: Final = 28
"""Days after which nothing of a day changes any more."""

_RENAMED_PERCENT: Final = 40
_TRAFFIC: Final = ((1, 930), (2, 985), (6, 998))
"""Up to which age how many of a thousand impressions, clicks and cents are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of a platform.

    Attributes:
        source: Whose exports its are, so the folder below landing/.
        platform: As the contract names it.
        name: Of the account.
        currency: Of all its money.
        has_fractions: Whether its platform counts parts of conversions.
    """

    source: str
    platform: str
    name: str
    currency: str
    has_fractions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign and its names.

    Attributes:
        id: Of the platform.
        name: Its first name.
        new_name: Its later one.
        renamed_on: The first day on which reports say the later one; None: it keeps its name.
    """

    id: str
    name: str
    new_name: str
    renamed_on: date | None

    def name_on(self, day: date) -> str:
        """What a report made on a day calls it, whatever days the report is of."""
        has_new = self.renamed_on is not None and day >= self.renamed_on
        return self.new_name if has_new else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a campaign did on a day.

    Attributes:
        day: The day.
        campaign: The campaign.
        impressions: How many.
        clicks: Not more.
        cost: In hundredths of the account's currency.
        conversions: In hundredths.
        revenue: In hundredths, as the cost.
    """

    day: date
    campaign: Campaign
    impressions: int
    clicks: int
    cost: int
    conversions: int
    revenue: int


Facts = Mapping[Account, Mapping[date, Sequence[Fact]]]


def list_accounts(seed: int) -> list[Account]:
    """The accounts of a seed: two of Google Ads, one of Meta, one of TikTok."""
    google = ("google_ads", "Google ADS")
    return [
        _open_account(*google, f"demo-{seed}-north", "EUR", has_fractions=True),
        _open_account(*google, f"demo-{seed}-south", "GBP", has_fractions=True),
        _open_account("meta_ads", "Facebook ADS", f"demo-{seed}", "EUR"),
        _open_account("tiktok_ads", "TikTok ADS", f"demo-{seed}", "USD"),
    ]


def _open_account(
    source: str, platform: str, name: str, currency: str, *, has_fractions: bool = False
) -> Account:
    return Account(
        source=source, platform=platform, name=name, currency=currency, has_fractions=has_fractions
    )


def gather_facts(market: Market, days: Sequence[DayRows]) -> Facts:
    """The final facts of each account and day, in the order of campaigns' ids.

    Args:
        market: The seed and its words.
        days: Neighbouring days, and how many rows of a campaign and audience each has.
    """
    accounts = list_accounts(market.seed)
    facts: dict[Account, dict[date, list[Fact]]] = {account: {} for account in accounts}
    campaigns: dict[str, Campaign] = {}
    for day, rows in days:
        for record in _add_audiences_up(market, day, rows).iter_rows(named=True):
            id_ = record["campaign_id"]
            if id_ not in campaigns:
                campaigns[id_] = _meet_campaign(
                    market.seed, id_, record["campaign_name"], first=day, last=days[-1].day
                )
            account = _choose_account(market.seed, id_, record["platform"], accounts)
            facts[account].setdefault(day, []).append(
                Fact(
                    day=day,
                    campaign=campaigns[id_],
                    impressions=record["impressions"],
                    clicks=record["clicks"],
                    cost=int(record["cost"] * 100),
                    conversions=int(record["conversions"] * 100),
                    revenue=int(record["revenue"] * 100),
                )
            )
    return facts


def _add_audiences_up(market: Market, day: date, rows: int) -> pl.DataFrame:
    """A day by campaign: exports of campaigns do not know the audiences."""
    batches = [batch.cast(RAW) for batch in stream_day(market, day, rows=rows)]
    by = ["campaign_id", "campaign_name", "platform"]
    return (
        pl.DataFrame(pa.Table.from_batches(batches, RAW))
        .group_by(by)
        .agg(pl.col("impressions", "clicks", "cost", "conversions", "revenue").sum())
        .sort(by)
    )


def _choose_account(
    seed: int, campaign_id: str, platform: str, accounts: Sequence[Account]
) -> Account:
    """Whose a campaign is: of the model's first platform Meta's or TikTok's, else Google's."""
    of_google = [account for account in accounts if account.source == "google_ads"]
    others = [account for account in accounts if account.source != "google_ads"]
    choice = others if platform == PLATFORMS[0] else of_google
    return Dice(seed, "account", campaign_id).pick(choice)


def _meet_campaign(seed: int, campaign_id: str, name: str, *, first: date, last: date) -> Campaign:
    dice = Dice(seed, "rename", campaign_id)
    renamed_on = None
    if dice.happens(_RENAMED_PERCENT):
        # In the later half: old days of which no report comes any more keep the old name.
        half = (last - first).days // 2
        renamed_on = first + timedelta(days=half + dice.roll(half + 2))
    new_name = f"{name} ({dice.pick(('new', 'v2', 'relanzada', 'Q4'))})"
    return Campaign(id=campaign_id, name=name, new_name=new_name, renamed_on=renamed_on)


def recall(fact: Fact, *, on: date, has_fractions: bool) -> Fact:
    """What is known of a fact on a later day; it never shrinks from one day to the next.

    Args:
        fact: As it is in the end.
        on: The day of the report, after the fact's own.
        has_fractions: Whether conversions may have decimals.
    """
    age = (on - fact.day).days
    traffic = next((share for until, share in _TRAFFIC if age <= until), 1000)
    to_come = FINAL_AGE - min(age, FINAL_AGE)
    results = 100 - 60 * to_come**2 // (FINAL_AGE - 1) ** 2
    conversions = fact.conversions * results // 100
    return Fact(
        day=fact.day,
        campaign=fact.campaign,
        impressions=fact.impressions * traffic // 1000,
        clicks=fact.clicks * traffic // 1000,
        cost=fact.cost * traffic // 1000,
        conversions=conversions if has_fractions else conversions // 100 * 100,
        revenue=fact.revenue * results // 100,
    )
