"""Downloads of people from TikTok, LinkedIn and Microsoft Advertising, in English."""

from decimal import Decimal
from typing import Final

from tests.exports.facts import CURRENCY, FACTS, TOTALS, Export, Fact, Style


def _ctr(fact: Fact) -> str:
    return f"{100 * fact.clicks / fact.impressions:.2f}"


def _cpc(fact: Fact) -> str:
    return f"{fact.cost / fact.clicks:.2f}" if fact.clicks else "-"


def make_tiktok_export() -> Export:
    """A report of campaigns by day with its row of totals at the end."""
    style = Style()
    names = ["Campaign name", "Campaign ID", "By Day", "Currency", "Cost", "CPC (destination)"]
    names += ["CPM", "Impressions", "Clicks (destination)", "CTR (destination)", "Conversions"]
    rows = [
        [
            *(fact.campaign, fact.campaign_id, style.write_day(fact.day), CURRENCY),
            *(str(fact.cost), _cpc(fact), "-", str(fact.impressions), str(fact.clicks)),
            *(_ctr(fact) + "%", str(fact.conversions)),
        ]
        for fact in FACTS
    ]
    total = [f"Total of {len(rows)} results", "-", "-", CURRENCY, str(TOTALS["cost"]), "-", "-"]
    total += [str(TOTALS["impressions"]), str(TOTALS["clicks"]), "-", str(TOTALS["conversions"])]
    return Export(
        name="tiktok_ads download",
        contract="tiktok_ads",
        source="tiktok_ads",
        file_name="Campaign report.csv",
        data=style.write_rows([names, *rows, total]),
        absent=("revenue",),
    )


def make_linkedin_export(style: Style) -> Export:
    """A campaign performance report by day: its header stands below five lines and a blank one."""
    before = [
        "Campaign Performance Report (in UTC)",
        '"Report Start: January 1, 2024, 12:00 AM"',
        '"Report End: January 31, 2024, 11:59 PM"',
        '"Date Generated: June 1, 2024, 9:15 AM"',
        "",
    ]
    names = ["Start Date (in UTC)", "Account Name", "Currency", "Campaign Group ID", "Campaign ID"]
    names += ["Campaign Name", "Total Spent", "Impressions", "Clicks", "Click Through Rate"]
    names += ["Average CPC", "Conversions", "Total Conversion Value"]
    rows = [
        [
            f"{fact.day.month}/{fact.day.day}/{fact.day.year}",
            *("Example Ltd", CURRENCY, "601", fact.campaign_id, fact.campaign),
            *(style.write_number(fact.cost, 2), style.write_number(fact.impressions)),
            *(style.write_number(fact.clicks), _ctr(fact) + "%", _cpc(fact)),
            *(str(fact.conversions), style.write_number(fact.revenue, 2)),
        ]
        for fact in FACTS
    ]
    return Export(
        name=f"linkedin_ads download {style.name}",
        contract="linkedin_ads",
        source="linkedin_ads",
        file_name="account_campaign_performance_report.csv",
        data=style.write_rows([names, *rows], before),
    )


def make_microsoft_export(style: Style, day_name: str = "Gregorian date") -> Export:
    """A campaign report by day between a preamble and a line of copyright, devices apart."""
    before = [
        '"Report name: Campaign"',
        '"Report time: 1/1/2024,1/31/2024"',
        '"Time zone: (GMT+01:00) Brussels, Copenhagen, Madrid, Paris"',
        '"Last completed data available: 6/1/2024 7:00:00 AM (GMT)"',
        '"Potential incomplete data: false"',
        '"Report aggregation: Daily"',
        '"Rows: 15"',
        "",
    ]
    names = [day_name, "Account name", "Account number", "Campaign", "Campaign ID", "Device type"]
    names += ["Currency code", "Impressions", "Clicks", "CTR", "Average CPC", "Spend"]
    names += ["Conversions", "Revenue"]
    rows = []
    for fact in FACTS:
        for part in fact.share(("Computer", "Smartphone", "Tablet")):
            ctr = Decimal(100 * part.clicks) / max(part.impressions, 1)
            rows.append(
                [
                    *(part.day.isoformat(), "Example Ltd", "F149C4W5", part.campaign),
                    *(part.campaign_id, part.parts[-1], CURRENCY),
                    *(style.write_number(part.impressions), style.write_number(part.clicks)),
                    *(f"{ctr:.2f}%", _cpc(part), style.write_number(part.cost, 2)),
                    *(str(part.conversions), style.write_number(part.revenue, 2)),
                ]
            )
    data = style.write_rows([names, *rows])
    text = style.line_end.join(before) + style.line_end + data.decode(style.encoding)
    text += style.line_end + '"\N{COPYRIGHT SIGN}2024 Microsoft Corporation. All rights reserved. "'
    return Export(
        name=f"microsoft_ads download {style.name} {day_name}",
        contract="microsoft_ads",
        source="microsoft_ads",
        file_name="Campaign report.csv",
        data=(text + style.line_end).encode(style.encoding),
    )


DOWNLOADS: Final = (
    make_tiktok_export(),
    make_linkedin_export(Style(encoding="utf-16", delimiter="\t", thousands=",")),
    make_linkedin_export(Style(delimiter="\t", thousands=",")),
    make_linkedin_export(Style(thousands=",", line_end="\r\n")),
    make_microsoft_export(Style(encoding="utf-8-sig", thousands=",", line_end="\r\n")),
    make_microsoft_export(Style(delimiter="\t"), "GregorianDate"),
)
"""One file for each form."""
