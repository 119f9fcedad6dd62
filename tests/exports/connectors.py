"""Report rows of further platforms, in the shape in which connectors store them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from tests.exports.facts import CURRENCY, FACTS, Export, Fact, Style

_HOURS: Final = ("5", "13", "23")
_DEVICES: Final = ("Computer", "Smartphone", "Tablet")
_SYNCED: Final = "2024-01-20 15:58:05.904"

Row = Mapping[str, object]


def _count_micros(money: Decimal) -> int:
    return int(money * 1_000_000)


def _make_microsoft(fact: Fact) -> list[Row]:
    return [
        {
            "date": part.day,
            "account_id": "150175881",
            "campaign_id": part.campaign_id,
            "currency_code": CURRENCY,
            "device_os": "Unknown",
            "device_type": part.parts[-1],
            "network": "Bing and Yahoo! search",
            "top_vs_other": "Bing and Yahoo! search - Top",
            "clicks": part.clicks,
            "impressions": part.impressions,
            "spend": part.cost,
            "conversions": part.conversions,
            "revenue": part.revenue,
        }
        for part in fact.share(_DEVICES)
    ]


def _make_tiktok(fact: Fact) -> list[Row]:
    return [
        {
            "CAMPAIGN_ID": part.campaign_id,
            "ADVERTISER_ID": "7000012345678901234",
            "STAT_TIME_HOUR": f"{part.day} {part.parts[-1]}:00:00",
            "CURRENCY": CURRENCY,
            "CPC": "-",
            "SECONDARY_GOAL_RESULT": "-",
            "IMPRESSIONS": part.impressions,
            "CLICKS": part.clicks,
            "SPEND": part.cost,
            "CONVERSION": part.conversions,
            "TOTAL_PURCHASE_VALUE": part.revenue,
            "VIDEO_PLAY_ACTIONS": "-",
            "_FIVETRAN_SYNCED": _SYNCED,
        }
        for part in fact.share(_HOURS)
    ]


def _make_linkedin(fact: Fact) -> list[Row]:
    return [
        {
            "campaign_id": fact.campaign_id,
            "account_id": "507525021",
            "day": f"{fact.day} 00:00:00",
            "clicks": fact.clicks,
            "impressions": fact.impressions,
            "cost_in_local_currency": fact.cost,
            "cost_in_usd": "",
            "external_website_conversions": fact.conversions,
            "conversion_value_in_local_currency": fact.revenue,
        }
    ]


def _make_pinterest(fact: Fact) -> list[Row]:
    saved, clicks_saved = fact.impressions // 3, fact.clicks // 4
    return [
        {
            "date": fact.day,
            "campaign_id": fact.campaign_id,
            "campaign_name": fact.campaign,
            "campaign_status": "ACTIVE",
            "advertiser_id": "549764253315",
            "impression_1": fact.impressions - saved,
            "impression_2": saved,
            "clickthrough_1": fact.clicks - clicks_saved,
            "clickthrough_2": clicks_saved or "",  # a day without any has no figure
            "spend_in_micro_dollar": _count_micros(fact.cost),
            "total_conversions": fact.conversions,
            "total_conversions_value_in_micro_dollar": _count_micros(fact.revenue),
        }
    ]


def _make_snapchat(fact: Fact) -> list[Row]:
    return [
        {
            "campaign_id": part.campaign_id,
            "date": f"{part.day}T{int(part.parts[-1]):02d}:00:00Z",
            "_fivetran_synced": _SYNCED,
            "conversion_purchases": part.conversions,
            "conversion_purchases_value": _count_micros(part.revenue),
            "impressions": part.impressions,
            "spend": _count_micros(part.cost),
            "swipes": part.clicks,
            "video_views": 0,
        }
        for part in fact.share(_HOURS)
    ]


def _make_reddit(fact: Fact) -> list[Row]:
    return [
        {
            "account_id": "t2_9wbo179l",
            "campaign_id": fact.campaign_id,
            "date": fact.day,
            "_fivetran_synced": "2024-01-20 22:22:10.755000 UTC",
            "clicks": fact.clicks,
            "conversion_roas": 0,
            "cpc": 1470973.602,
            "ctr": fact.clicks / fact.impressions,
            "ecpm": 4233807.238,
            "impressions": fact.impressions,
            "region": "",
            "spend": _count_micros(fact.cost),
        }
    ]


def _export(
    source: str,
    make: Callable[[Fact], Sequence[Row]],
    *,
    states_currency: bool = False,
    absent: tuple[str, ...] = (),
) -> Export:
    rows = [row for fact in FACTS for row in make(fact)]
    cells = [
        [cell.isoformat() if isinstance(cell, date) else str(cell) for cell in row.values()]
        for row in rows
    ]
    return Export(
        name=f"{source}_api rows",
        contract=f"{source}_api",
        source=source,
        file_name="report.csv",
        data=Style().write_rows([list(rows[0]), *cells]),
        states_currency=states_currency,
        absent=absent,
    )


CONNECTOR_EXPORTS: Final = (
    _export("microsoft_ads", _make_microsoft, states_currency=True),
    _export("tiktok_ads", _make_tiktok, states_currency=True),
    _export("linkedin_ads", _make_linkedin),
    _export("pinterest_ads", _make_pinterest),
    _export("snapchat_ads", _make_snapchat),
    _export("reddit_ads", _make_reddit, absent=("conversions", "revenue")),
)
"""One file for each platform."""
