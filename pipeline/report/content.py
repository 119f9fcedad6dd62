"""What the report says: rows of KPIs become sections of display-ready cells.

Null is a dash. Money has two decimals, thousands marks and its currency; ctr is shown in percent;
counts have thousands marks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

Row = Mapping[str, object]

DASH: Final = "\N{EN DASH}"
NO_NAME: Final = "(none)"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a section.

    Attributes:
        heading: As shown.
        numeric: Whether its cells stand on the right.
    """

    heading: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report.

    Attributes:
        title: As shown.
        columns: In order.
        rows: Cells in the order of `columns`; may be empty.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report.

    Attributes:
        title: Names the version of the master that it is about.
        sections: In order.
    """

    title: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class _Field:
    """How a column is made from a row: its heading, its key and the form of its values."""

    heading: str
    key: str
    form: Callable[[object], str]


def build_report(
    *,
    platforms: Sequence[Row],
    audiences: Sequence[Row],
    account: Row,
    version: int,
) -> Report:
    """Makes the report.

    Args:
        platforms: Rows of the KPI `platform`: one a platform and currency, in the order shown.
        audiences: Rows of the KPI `audience`: one an audience and currency, in the order shown.
        account: files, rows_in, accepted, quarantined, duplicates, superseded.
        version: Of the master table.
    """
    return Report(
        title=f"Advertising report, table version {version}",
        sections=(
            _build_section("Platforms", _state_currency(_PLATFORM_FIELDS, platforms), platforms),
            _build_section("Audiences", _state_currency(_AUDIENCE_FIELDS, audiences), audiences),
            _build_section("Account of rows", _ACCOUNT_FIELDS, [account]),
        ),
    )


def make_printable(text: str) -> str:
    """A text on one line; what a terminal could take as an order is shown as an escape."""
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


def format_name(value: object) -> str:
    """A name as `make_printable` shows it."""
    return NO_NAME if value is None or value == "" else make_printable(str(value))


def format_count(value: object) -> str:
    """A whole number with thousands marks."""
    return DASH if value is None else f"{_to_decimal(value):,.0f}"


def format_amount(value: object) -> str:
    """An amount or ratio with two decimals, rounded half to even, and thousands marks."""
    if value is None:
        return DASH
    return f"{_EXACT.quantize(_to_decimal(value), Decimal('0.01')):,f}"


def format_percent(value: object) -> str:
    """A fraction as percent with two decimals, without the sign."""
    return DASH if value is None else format_amount(_EXACT.multiply(_to_decimal(value), 100))


_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""Wide enough for every sum that a KPI can hold."""

_PLATFORM_FIELDS: Final = (
    _Field("Platform", "platform", format_name),
    _Field("Spend", "spend", format_amount),
    _Field("Clicks", "clicks", format_count),
    _Field("Impressions", "impressions", format_count),
    _Field("CPC", "cpc", format_amount),
    _Field("CTR %", "ctr", format_percent),
    _Field("ROAS", "roas", format_amount),
    _Field("ROI", "roi", format_amount),
)

_AUDIENCE_FIELDS: Final = (
    _Field("Audience", "target_audience", format_name),
    _Field("View min", "avg_view_time", format_amount),
    _Field("Weighted", "avg_view_time_weighted", format_amount),
    _Field("Spend", "spend", format_amount),
    _Field("Clicks", "clicks", format_count),
    _Field("CPC", "cpc", format_amount),
    _Field("CTR %", "ctr", format_percent),
    _Field("ROAS", "roas", format_amount),
)

_ACCOUNT_FIELDS: Final = (
    _Field("Files", "files", format_count),
    _Field("Rows in", "rows_in", format_count),
    _Field("Accepted", "accepted", format_count),
    _Field("Quarantined", "quarantined", format_count),
    _Field("Duplicates", "duplicates", format_count),
    _Field("Superseded", "superseded", format_count),
)


def _state_currency(fields: Sequence[_Field], rows: Sequence[Row]) -> list[_Field]:
    """Names the currency once where there is one, else in each row."""
    currencies = {row["currency"] for row in rows}
    if len(currencies) > 1:
        return [fields[0], _Field("Currency", "currency", format_name), *fields[1:]]
    suffix = "".join(f" {format_name(currency)}" for currency in currencies)
    return [
        replace(field, heading=field.heading + suffix) if field.key == "spend" else field
        for field in fields
    ]


def _build_section(title: str, fields: Sequence[_Field], rows: Sequence[Row]) -> Section:
    return Section(
        title=title,
        columns=tuple(
            Column(field.heading, numeric=field.form is not format_name) for field in fields
        ),
        rows=tuple(tuple(field.form(row[field.key]) for field in fields) for row in rows),
    )


def _to_decimal(value: object) -> Decimal:
    # A float's shortest text is the number that a person means by it.
    return value if isinstance(value, Decimal) else Decimal(str(value))
