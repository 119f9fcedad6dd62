"""What the KPIs must be, computed from canonical rows with Python's Decimal and nothing of ours."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Context, Decimal
from operator import itemgetter
from typing import Any

Row = Mapping[str, Any]
Key = tuple[Any, ...]
Expectation = Callable[["Facts"], dict[Key, dict[str, Any]]]

EXACT = Context(prec=90)
SUMS = ("spend", "clicks", "impressions", "conversions", "revenue")
CHANGING = ("spend", "clicks", "conversions", "revenue", "cpa", "roas")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def add(values: Iterable[Any]) -> Any:
    """A sum that is None where all its parts are."""
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None


def divide(part: Any, whole: Any) -> float | None:
    if part is None or not whole:
        return None
    return float(EXACT.divide(Decimal(part), Decimal(whole)))


def subtract(one: Any, other: Any) -> Any:
    return None if one is None or other is None else one - other


def choose_primary(rows: Iterable[Row]) -> list[Row]:
    """The rows of the breakdown that counts on each day of an account."""
    days: dict[Key, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        days[row["source"], row["account"], row["date"]][row["breakdown"]].append(row)
    chosen: list[Row] = []
    for breakdowns in days.values():
        spends = {name: add(row["cost"] for row in members) for name, members in breakdowns.items()}
        best = min(
            breakdowns,
            key=lambda name: (name != "", spends[name] is None, -(spends[name] or 0), name),
        )
        chosen += breakdowns[best]
    return chosen


class Facts:
    """The rows that a KPI is about, and which accounts state what."""

    def __init__(self, rows: Iterable[Row], **filters: Any) -> None:
        chosen = choose_primary(rows)
        self.stating = {
            name: {(row["source"], row["account"]) for row in chosen if row[name] is not None}
            for name in ("revenue", "conversions")
        }
        self.rows = [row for row in chosen if is_wanted(row, **filters)]

    def group(self, key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
        groups: dict[Key, list[Row]] = defaultdict(list)
        for row in self.rows:
            groups[key(row)].append(row)
        return groups

    def measure(self, rows: Sequence[Row]) -> dict[str, Any]:
        def total(column: str, *stating: str) -> Any:
            return add(
                row[column]
                for row in rows
                if all((row["source"], row["account"]) in self.stating[name] for name in stating)
            )

        spend, clicks, impressions = total("cost"), total("clicks"), total("impressions")
        conversions, revenue = total("conversions"), total("revenue")
        earning, converting = total("cost", "revenue"), total("cost", "conversions")
        return {
            "spend": spend,
            "clicks": clicks,
            "impressions": impressions,
            "conversions": conversions,
            "revenue": revenue,
            "cpc": divide(spend, clicks),
            "ctr": divide(clicks, impressions),
            "cpm": divide(None if spend is None else 1000 * spend, impressions),
            "cvr": divide(conversions, total("clicks", "conversions")),
            "cpa": divide(converting, conversions),
            "roas": divide(revenue, earning),
            "roi": divide(subtract(revenue, earning), earning),
            "value_per_conversion": divide(
                total("revenue", "conversions"), total("conversions", "revenue")
            ),
            "revenue_known": divide(earning or 0, spend),
            "conversions_known": divide(converting or 0, spend),
        }

    def measure_by(self, key: Callable[[Row], Key]) -> dict[Key, dict[str, Any]]:
        return {group: self.measure(rows) for group, rows in self.group(key).items()}


def is_wanted(
    row: Row,
    *,
    start: date | None = None,
    end: date | None = None,
    platform: str | None = None,
    audience: str | None = None,
    campaign: str | None = None,
    source: str | None = None,
) -> bool:
    return (
        (start is None or row["date"] >= start)
        and (end is None or row["date"] <= end)
        and (platform is None or row["platform"] == platform)
        and (audience is None or row["target_audience"] == audience)
        and (campaign is None or campaign in {row["campaign_id"], row["campaign_name"]})
        and (source is None or row["source"] == source)
    )


def expect_totals(facts: Facts) -> dict[Key, dict[str, Any]]:
    return {
        key: {
            "first_day": min(row["date"] for row in rows),
            "last_day": max(row["date"] for row in rows),
            **facts.measure(rows),
        }
        for key, rows in facts.group(lambda row: (row["currency"],)).items()
    }


def expect_audiences(facts: Facts) -> dict[Key, dict[str, Any]]:
    return {
        key: {**measure_view_times(rows), **facts.measure(rows)}
        for key, rows in facts.group(lambda row: (row["target_audience"], row["currency"])).items()
    }


def measure_view_times(rows: Sequence[Row]) -> dict[str, Any]:
    times = [row["video_view_time"] for row in rows if row["video_view_time"] is not None]
    weighed = [row for row in rows if None not in (row["video_view_time"], row["video_views"])]
    return {
        "avg_view_time": divide(add(times), len(times)),
        "avg_view_time_weighted": divide(
            add(row["video_view_time"] * row["video_views"] for row in weighed),
            add(row["video_views"] for row in weighed),
        ),
    }


def begin_month(day: date) -> date:
    return day.replace(day=1)


def begin_week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def expect_periods(
    facts: Facts, begin: Callable[[date], date], write: Callable[[date], Any]
) -> dict[Key, dict[str, Any]]:
    periods = facts.measure_by(lambda row: (begin(row["date"]), row["currency"]))
    expected: dict[Key, dict[str, Any]] = {}
    for (first, currency), now in periods.items():
        before = periods.get((begin(first - timedelta(days=1)), currency), {})
        row = dict(now)
        for name in CHANGING:
            change = subtract(now[name], before.get(name))
            row[f"{name}_previous"] = before.get(name)
            row[f"{name}_change"] = change
            row[f"{name}_change_relative"] = divide(change, before.get(name))
        expected[write(first), currency] = row
    return expected


def expect_weekdays(facts: Facts) -> dict[Key, dict[str, Any]]:
    expected = {}
    for key, rows in facts.group(lambda row: (row["date"].isoweekday(), row["currency"])).items():
        measures = facts.measure(rows)
        days = len({row["date"] for row in rows})
        expected[key] = {
            "weekday_name": WEEKDAYS[key[0] - 1],
            "days": days,
            "spend_per_day": divide(measures["spend"], days),
            **measures,
        }
    return expected


def expect_shares(facts: Facts) -> dict[Key, dict[str, Any]]:
    expected: dict[Key, dict[str, Any]] = {}
    totals = facts.measure_by(lambda row: (row["currency"],))
    for dimension, column in (("platform", "platform"), ("audience", "target_audience")):
        for (name, currency), row in facts.measure_by(itemgetter(column, "currency")).items():
            total = totals[currency,]
            expected[dimension, name, currency] = {
                "spend": row["spend"],
                "share_of_spend": divide(row["spend"], total["spend"]),
                "revenue": row["revenue"],
                "share_of_revenue": divide(row["revenue"], total["revenue"]),
            }
    return expected


def expect_funnel(facts: Facts) -> dict[Key, dict[str, Any]]:
    rates = {"impressions": None, "clicks": "ctr", "conversions": "cvr"}
    rates |= {"revenue": "value_per_conversion"}
    return {
        (currency, step): {
            "stage": stage,
            "value": row[stage],
            "rate": row[rate] if rate else None,
            "rate_name": rate,
        }
        for (currency,), row in facts.measure_by(lambda row: (row["currency"],)).items()
        for step, (stage, rate) in enumerate(rates.items(), 1)
    }


def expect_campaigns(facts: Facts) -> list[dict[str, Any]]:
    """The campaigns in no order, without ranks."""
    found = []
    for (source, account, number, _, currency), rows in facts.group(
        lambda row: (
            row["source"],
            row["account"],
            row["campaign_id"],
            row["campaign_name"] if row["campaign_id"] is None else None,
            row["currency"],
        )
    ).items():
        names = [(row["date"], row["campaign_name"]) for row in rows if row["campaign_name"]]
        measures = facts.measure(rows)
        brought = next(
            (
                measures[name] or 0
                for name in ("conversions", "revenue")
                if (source, account) in facts.stating[name]
            ),
            None,
        )
        found.append(
            {
                "source": source,
                "account": account,
                "campaign_id": number,
                "campaign_name": max(names)[1] if names else None,
                "currency": currency,
                **measures,
                "spend_without_conversions": bool(measures["spend"] and brought == 0),
            }
        )
    return found


def rank_campaigns(campaigns: Iterable[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """Adds ranks within each currency; those without a value come last."""
    ranked: list[dict[str, Any]] = []
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in campaigns:
        groups[row["currency"]].append(row)
    for currency in sorted(groups):
        ordered = sorted(
            groups[currency],
            key=lambda row: (
                row[by] is None,
                -float(row[by] or 0),
                *(
                    sort_last(row[name])
                    for name in ("source", "account", "campaign_id", "campaign_name")
                ),
            ),
        )
        ranked += [{"rank": place, **row} for place, row in enumerate(ordered, 1)]
    return ranked


def sort_last(value: Any) -> tuple[bool, Any]:
    """Sorts None behind all others."""
    return (value is None, "" if value is None else value)


def measure_by(key: Callable[[Row], Key]) -> Expectation:
    """All measures, and nothing else, of the rows that have a key in common."""
    return lambda facts: facts.measure_by(key)


EXPECTED: Mapping[str, Expectation] = {
    "audience": expect_audiences,
    "day": lambda facts: expect_periods(facts, lambda day: day, lambda day: day),
    "funnel": expect_funnel,
    "month": lambda facts: expect_periods(facts, begin_month, lambda day: f"{day:%Y-%m}"),
    "platform": measure_by(lambda row: (row["platform"], row["currency"])),
    "platform_audience": measure_by(
        lambda row: (row["platform"], row["target_audience"], row["currency"])
    ),
    "share": expect_shares,
    "total": expect_totals,
    "week": lambda facts: expect_periods(facts, begin_week, lambda day: day),
    "weekday": expect_weekdays,
}
"""By KPI, its rows by their key: the columns that its grain names, in their order."""
