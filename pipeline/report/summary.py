"""The report on a terminal: two tables of all days, then what the page says; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from pipeline.report.content import (
    DASH,
    Column,
    Row,
    Section,
    build_section,
    list_filters,
    make_field,
    state_currency,
)
from pipeline.report.headline import Card
from pipeline.report.page import Page
from pipeline.report.period import Period

CAMPAIGNS_PRINTED: Final = 5
"""Of each of the page's tables of campaigns."""

_RATIO_KEYS: Final = ("cpc", "ctr", "roas")
_PLATFORM_KEYS: Final = ("platform", "spend", "clicks", "impressions", *_RATIO_KEYS, "roi")
_AUDIENCE_KEYS: Final = (
    "target_audience",
    "avg_view_time",
    "avg_view_time_weighted",
    "spend",
    "clicks",
    *_RATIO_KEYS,
)
# What fits 80 columns; the page has the others.
_CAMPAIGN_KEYS: Final = frozenset(
    {"name", "spend", "revenue", "roas", "conversions", "cpa", "clicks", "cpc"}
)
_SOURCE_KEYS: Final = frozenset(
    {"source", "last_delivered_at", "last_date", "days_behind", "refused_files", "held_files"}
)
_REASON_KEYS: Final = frozenset({"rule", "source", "refused_rows", "files"})


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report.

    Attributes:
        title: Names the version of the master that it is about, and what it is limited to.
        sections: In order.
        no_rows: Stands in place of a section without rows.
    """

    title: str
    sections: tuple[Section, ...]
    no_rows: str


def build_report(
    page: Page,
    *,
    platforms: Sequence[Row],
    audiences: Sequence[Row],
    days: Period | None,
    start: date | None = None,
    end: date | None = None,
) -> Report:
    """Makes the report.

    The tables by platform and by audience, which the original report has, are of all days that are
    asked for. All after the account of rows is what the HTML page opens with, and of its period.

    Args:
        page: What the HTML page says.
        platforms: Rows of the KPI `platform`: one a platform and currency, in the order shown.
        audiences: Rows of the KPI `audience`: one an audience and currency, in the order shown.
        days: From the first to the last day that has rows of them; None where there is none.
        start: The first day that was asked for; None: any.
        end: The last one, likewise.
    """
    language, words = page.language, page.language.words

    def build(title: str, keys: Sequence[str], rows: Sequence[Row]) -> Section:
        fields = state_currency([make_field(key, language) for key in keys], rows, language)
        return build_section(words[title], fields, rows, language)

    first, last = (language.write_day(day) for day in days) if days else ("", "")
    account, sources, reasons = page.quality
    return Report(
        title=", ".join(
            [page.title, *list_filters({"start": start, "end": end}, language), *page.limits]
        ),
        no_rows=words["no_rows"],
        sections=(
            build("platforms", _PLATFORM_KEYS, platforms),
            replace(
                build("audiences", _AUDIENCE_KEYS, audiences),
                note=words["both_of"].format(start=first, end=last) if days else "",
            ),
            account,
            *(_list_newest(page) if page.period else ()),
            *([_pick(sources, _SOURCE_KEYS)] if sources.rows else []),
            *([_pick(reasons, _REASON_KEYS)] if reasons.rows else []),
        ),
    )


def _list_newest(page: Page) -> Iterator[Section]:
    """What is of the page's period, which each title tells."""
    yield _build_headline(page)
    for section in (page.funnel, *(_pick(one, _CAMPAIGN_KEYS) for one in page.campaigns)):
        shown = section.rows[:CAMPAIGNS_PRINTED]
        title = f"{section.title}: {page.shown}"
        yield replace(section, title=title, rows=shown, note=page.one_currency or section.note)


def _build_headline(page: Page) -> Section:
    words = page.language.words
    return Section(
        title=f"{words['headline']}: {page.shown}, {page.compared}",
        columns=(
            Column(words["measure"], numeric=False),
            Column(words["number"], numeric=True),
            Column(words["was"], numeric=True),
            Column(words["change"], numeric=True, why=words["no_change"]),
        ),
        rows=tuple(_write_card(card, page.currency_name) for card in page.cards),
        note="\n".join(
            [
                *filter(None, (page.one_currency, page.only_newest)),
                *(f"{DASH} {card.name}: {card.why}" for card in page.cards if card.why),
            ]
        ),
    )


def _write_card(card: Card, currency: str) -> tuple[str, ...]:
    name = f"{card.name} {currency}" if card.money else card.name
    return (f"{name} {card.unit}".rstrip(), card.value, card.before or DASH, card.change)


def _pick(section: Section, keys: frozenset[str]) -> Section:
    """A table less the columns of other keys."""
    places = [place for place, column in enumerate(section.columns) if column.key in keys]
    return replace(
        section,
        columns=tuple(section.columns[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in section.rows),
    )
