"""The tables of the HTML page; pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Final

from pipeline.report.content import (
    DASH,
    Column,
    Field,
    Row,
    Section,
    build_section,
    format_count,
    format_name,
    format_percent,
    make_field,
    make_name_field,
    state_currency,
)
from pipeline.report.language import Language

_COST_COLUMNS: Final = ("conversions", "cpa", "clicks", "cpc", "ctr", "impressions")

GROUP_COLUMNS: Final = {
    "platform": ("spend", "share", "revenue", "roas", "roi", *_COST_COLUMNS),
    "target_audience": ("spend", "share", "revenue", "roas", "avg_view_time", *_COST_COLUMNS),
}
"""The measures of the tables by platform and by audience."""

TIME_COLUMNS: Final = ("spend", "revenue", "roas", "conversions", "cpa", "clicks", "cpc", "ctr")

STEPS: Final = {"impressions": "", "clicks": "ctr", "conversions": "cvr"}
"""The steps of the funnel, and the rate at which each follows from the one before."""

CAMPAIGNS_SHOWN: Final = 10
_CAMPAIGN_COLUMNS: Final = ("spend", "revenue", "roas", "conversions", "cpa", "clicks", "cpc")
_UNCONVERTED_COLUMNS: Final = ("spend", "clicks", "cpc", "impressions", "ctr")
_UNKNOWN_COLUMNS: Final = ("spend", "conversions", "cpa", "clicks", "cpc", "impressions", "ctr")


def build_group(
    key: str, rows: Sequence[Row], shares: Mapping[object, object], language: Language
) -> Section:
    """By platform or by audience.

    Args:
        key: `platform` or `target_audience`.
        rows: Of the KPI, of one currency.
        shares: Share of the spend by name.
        language: Of words and numbers.
    """
    title = {"platform": "platforms", "target_audience": "audiences"}[key]
    fields = [make_field(key, language), *_make_fields(GROUP_COLUMNS[key], language)]
    whole = [{**row, "share": shares.get(row[key])} for row in rows]
    return build_section(language.words[title], fields, whole, language)


def build_time(rows: Sequence[Row], language: Language) -> Section:
    """By day; `rows` of the KPI `day`, of one currency."""
    day = Field("day", _make_day_form(language), Column(language.words["time"], numeric=False))
    return build_section(
        language.words["over_time"], [day, *_make_fields(TIME_COLUMNS, language)], rows, language
    )


def build_funnel(totals: Row, language: Language) -> Section:
    """From impressions to conversions; `totals` are all measures of one currency."""
    words = language.words
    steps = [make_field(step, language) for step in STEPS]
    rates = [make_field(rate, language) if rate else None for rate in STEPS.values()]
    return Section(
        title=words["funnel"],
        columns=(
            Column(words["step"], numeric=False),
            Column(words["number"], numeric=True, why=words["no_value"]),
            Column(words["rate"], numeric=True, about=words["rate_is"], why=words["no_value"]),
        ),
        rows=tuple(
            (
                language.name(step.key),
                language.write_number(step.form(totals.get(step.key))),
                language.write_number(rate.form(totals.get(rate.key))) if rate else "",
            )
            for step, rate in zip(steps, rates, strict=True)
        ),
    )


def build_campaigns(
    rows: Sequence[Row], unconverted: Sequence[Row], language: Language
) -> tuple[Section, ...]:
    """The best and the weakest by ROAS, what was spent for nothing, and what is not known.

    Of few campaigns each is among the best or the weakest only. One without a ROAS is among those
    that spent without conversions, or those of which it is not known; a table without rows is left
    out.

    Args:
        rows: Of the KPI `campaign`, of one currency: those that spent most, the most first.
        unconverted: Of the KPI `unconverted`, of the same currency, likewise.
        language: Of words and numbers.
    """
    known = [row for row in rows if row["roas"] is not None]
    known.sort(key=lambda row: float(str(row["roas"])), reverse=True)
    shown = min(CAMPAIGNS_SHOWN, (len(known) + 1) // 2)
    weakest = known[max(shown, len(known) - shown) :][::-1]
    unknown = [
        row
        for row in rows
        if row["roas"] is None and row["spend"] and not row["spend_without_conversions"]
    ]
    tables = (
        ("best_campaigns", known[:shown], _CAMPAIGN_COLUMNS),
        ("worst_campaigns", weakest, _CAMPAIGN_COLUMNS),
        ("unconverted_campaigns", unconverted, _UNCONVERTED_COLUMNS),
        ("unknown_campaigns", unknown[:CAMPAIGNS_SHOWN], _UNKNOWN_COLUMNS),
    )
    return tuple(
        _build_campaign_table(title, chosen, columns, language)
        for title, chosen, columns in tables
        if chosen
    )


def _build_campaign_table(
    title: str, rows: Sequence[Row], columns: Sequence[str], language: Language
) -> Section:
    name = make_name_field("name", language.words["campaign"], language)
    fields = state_currency([name, *_make_fields(columns, language)], rows, language)
    named = [{**row, "name": row["campaign_name"] or row["campaign_id"]} for row in rows]
    section = build_section(language.words[title], fields, named, language)
    return replace(section, long_names=True)


def build_sources(rows: Sequence[Row], language: Language) -> Section:
    """How fresh each source is; `rows` of the KPI `quality`."""
    words = language.words
    day = _make_day_form(language)
    why = words["no_value"]
    fields = [
        make_field("source", language),
        Field("last_delivered_at", day, Column(words["newest_delivery"], numeric=False, why=why)),
        Field("last_date", day, Column(words["newest_day"], numeric=False, why=why)),
        *(
            make_field(key, language)
            for key in (
                *("days_behind", "missing_days", "files", "refused_files", "held_files"),
                *("rows_in", "quarantined"),
            )
        ),
        *(
            Field(
                key,
                partial(format_name, no_name=DASH),
                Column(words[key], numeric=False, about=words[f"{key}_is"], why=words["unstated"]),
            )
            for key in ("time_zone", "attribution")
        ),
    ]
    return build_section(words["sources"], fields, rows, language)


def build_reasons(rows: Sequence[Row], language: Language) -> Section:
    """Why rows were refused; `rows` of the KPI `quarantine`."""
    words = language.words
    fields = [
        make_name_field("rule", words["reason"], language),
        make_field("source", language),
        make_field("refused_rows", language),
        make_field("files", language),
        make_name_field("example", words["example"], language),
    ]
    return build_section(words["quarantine"], fields, rows, language)


def _make_fields(keys: Sequence[str], language: Language) -> list[Field]:
    return [_make_share(language) if key == "share" else make_field(key, language) for key in keys]


def _make_share(language: Language) -> Field:
    words = language.words
    column = Column(words["share"], numeric=True, about=words["share_is"], why=words["no_value"])
    return Field("share", format_percent, column)


def _make_day_form(language: Language) -> Callable[[object], str]:
    def write(value: object) -> str:
        if isinstance(value, datetime):
            value = value.date()
        return language.write_day(value) if isinstance(value, date) else format_count(None)

    return write
