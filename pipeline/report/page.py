"""What the HTML page shows before anyone touches it, and what its script works with; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pipeline.report.cells import order_names, pack_cells
from pipeline.report.content import Section, build_account, format_name, list_filters
from pipeline.report.figures import Figures, choose_currency, find_days, pick, pick_one
from pipeline.report.headline import Card, build_cards
from pipeline.report.language import Language
from pipeline.report.measures import MEASURES
from pipeline.report.period import CHOICES, Period
from pipeline.report.script import make_data
from pipeline.report.tables import (
    build_campaigns,
    build_funnel,
    build_group,
    build_reasons,
    build_sources,
    build_time,
)


class Choice(NamedTuple):
    """A length of period that can be chosen."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What the template needs, all of it ready to be read.

    Attributes:
        language: Of all texts.
        title: Of the document.
        facts: What the figures are of: version, newest day, newest delivery.
        limits: What they are limited to, and in which money.
        choices: Lengths of period.
        days: From the first to the last day with data; None where there is none.
        period: The days that are shown at first, likewise.
        currencies: Names; one at a time is shown.
        currency: Place of the one that is shown at first.
        currency_name: Of the one that is shown at first.
        platform_names: To choose from.
        audience_names: To choose from.
        one_currency: Which currency is shown, of several; empty where there is one.
        only_newest: From which day on the page has figures, where it has not all; else empty.
        shown: The period in words.
        compared: What it is compared with, in words.
        time_span: Of what the figures over time are, in words.
        cards: The headline.
        time: Figures by day.
        groups: Figures by platform and by audience.
        funnel: From impressions to conversions.
        campaigns: Best, weakest, without conversions, without ROAS; those that have any.
        campaigns_note: What they are of.
        quality: The account of rows, the sources, the reasons of the quarantine.
        definitions: Names and meanings of the measures.
        made_by: How the file came to be.
        data: What the script works with.
    """

    language: Language
    title: str
    facts: tuple[str, ...]
    limits: tuple[str, ...]
    choices: tuple[Choice, ...]
    days: Period | None
    period: Period | None
    currencies: tuple[str, ...]
    currency: int
    currency_name: str
    platform_names: tuple[str, ...]
    audience_names: tuple[str, ...]
    one_currency: str
    only_newest: str
    shown: str
    compared: str
    time_span: str
    cards: tuple[Card, ...]
    time: Section
    groups: tuple[tuple[str, Section], ...]
    funnel: Section
    campaigns: tuple[Section, ...]
    campaigns_note: str
    quality: tuple[Section, ...]
    definitions: tuple[tuple[str, str], ...]
    made_by: str
    data: dict[str, Any]


def build_page(figures: Figures, language: Language) -> Page:
    """Makes the page; see `Figures`."""
    words = language.words
    no_name = words["no_name"]
    cells = pack_cells(figures.cells, no_name=no_name)
    currencies = order_names(row["currency"] for row in figures.cells)
    currency = choose_currency(figures.cells, figures.period)
    place = currencies.index(currency) if currencies else 0
    currency_names = tuple(format_name(name, no_name=no_name) for name in currencies)
    currency_name = currency_names[place] if currencies else ""
    period, days = figures.period, find_days(figures.cells)
    has_before = period is not None and days is not None and period.before.start >= days.start
    compared = (
        _say(words["compared"], period.before, language)
        if period and has_before
        else words["not_compared"]
    )
    totals = pick_one(figures.totals, currency)
    return Page(
        language=language,
        title=words["heading.title"].format(version=figures.version),
        facts=_list_facts(figures, language),
        limits=list_filters(figures.filters, language),
        choices=_list_choices(period, days, language),
        days=days,
        period=period,
        currencies=currency_names,
        currency=place,
        currency_name=currency_name,
        platform_names=tuple(cells["platform"]["names"]),
        audience_names=tuple(cells["target_audience"]["names"]),
        one_currency=_say_currency(currency_names, place, language),
        only_newest=words["only_newest"].format(day=language.write_day(days.start))
        if figures.cut and days
        else "",
        shown=_say(words["shown"], period, language),
        compared=compared,
        time_span=words["by_day"],
        cards=build_cards(
            totals,
            pick_one(figures.totals_before, currency) if has_before else None,
            language,
        ),
        time=build_time(pick(figures.days, currency), language),
        groups=_build_groups(figures, currency, language),
        funnel=build_funnel(totals, language),
        campaigns=build_campaigns(
            pick(figures.campaigns, currency), pick(figures.unconverted, currency), language
        ),
        campaigns_note=_say(words["campaigns_note"], period, language, currency=currency_name),
        quality=(
            build_account(figures.account, language),
            build_sources(figures.sources, language),
            build_reasons(figures.reasons, language),
        ),
        definitions=tuple((language.name(key), language.define(key)) for key in MEASURES),
        made_by=words["made_by"].format(version=figures.version),
        data=make_data(cells, place, language),
    )


def _say(text: str, period: Period | None, language: Language, **others: str) -> str:
    if period is None:
        return ""
    start, end = (language.write_day(day) for day in period)
    return text.format(start=start, end=end, **others)


def _list_facts(figures: Figures, language: Language) -> tuple[str, ...]:
    words = language.words
    delivered = [row["last_delivered_at"] for row in figures.sources]
    newest = max((time for time in delivered if isinstance(time, datetime)), default=None)
    facts = []
    if figures.period:
        facts.append(words["data_until"].format(day=language.write_day(figures.period.end)))
    if newest:
        facts.append(words["delivered"].format(day=language.write_day(newest.date())))
    facts.append(words["table_version"].format(version=figures.version))
    return tuple(facts)


def _list_choices(
    period: Period | None, days: Period | None, language: Language
) -> tuple[Choice, ...]:
    """The lengths of period, of which one is chosen; all of them end with the last day."""
    words = language.words
    names = {str(length): words["last_days"].format(days=length) for length in CHOICES}
    names |= {"all": words["all_days"], "own": words["own_days"]}
    if period is None or period == days:
        chosen = "all"
    else:
        chosen = str(period.days) if period.days in CHOICES else "own"
    return tuple(Choice(value, name, value == chosen) for value, name in names.items())


def _say_currency(names: Sequence[str], place: int, language: Language) -> str:
    if len(names) < 2:
        return ""
    others = ", ".join(name for number, name in enumerate(names) if number != place)
    return language.words["one_currency"].format(currency=names[place], others=others)


def _build_groups(
    figures: Figures, currency: object, language: Language
) -> tuple[tuple[str, Section], ...]:
    groups = (
        ("platform", "platform", figures.platforms),
        ("target_audience", "audience", figures.audiences),
    )
    shares = pick(figures.shares, currency)
    return tuple(
        (
            key,
            build_group(
                key,
                pick(rows, currency),
                {
                    row["name"]: row["share_of_spend"]
                    for row in shares
                    if row["dimension"] == dimension
                },
                language,
            ),
        )
        for key, dimension, rows in groups
    )
