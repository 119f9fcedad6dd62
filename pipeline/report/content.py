"""What the report says: rows of KPIs become sections of display-ready cells.

Null is a dash. Money has two decimals, thousands marks and its currency; ctr is shown in percent;
counts have thousands marks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import partial
from typing import Final

from pipeline.report.language import Language
from pipeline.report.measures import MEASURES

Row = Mapping[str, object]

DASH: Final = "\N{EN DASH}"
NO_NAME: Final = "(none)"
_FILTER_WORDS: Final = {
    "start": "from",
    "end": "to",
    "platform": "platform",
    "audience": "target_audience",
    "campaign": "campaign",
    "source": "source",
    "currency": "in_currency",
    "rates_from": "rates_from",
    "rates_to": "rates_to",
}
"""The word for each filter, and for what money was converted by."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a section.

    Attributes:
        heading: As shown.
        numeric: Whether its cells stand on the right.
        about: What it means, for those who ask; may be empty.
        why: Why a cell of it may be a dash; may be empty.
        key: Of what it shows; may be empty.
    """

    heading: str
    numeric: bool
    about: str = ""
    why: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report.

    Attributes:
        title: As shown.
        columns: In order.
        rows: Cells in the order of `columns`; may be empty.
        note: What to know of it; may be empty.
        long_names: Whether the first cells are long, and stand in a line each where there is
            little room.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    long_names: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there are dashes, a line a column that has one."""
        return tuple(
            f"{DASH} {column.heading}: {column.why}"
            for place, column in enumerate(self.columns)
            if column.why and any(row[place] == DASH for row in self.rows)
        )


@dataclass(frozen=True, slots=True)
class Field:
    """How a column is made from a row: its key, the form of its values, and its column."""

    key: str
    form: Callable[[object], str]
    column: Column


def list_filters(filters: Mapping[str, object], language: Language) -> tuple[str, ...]:
    """What a report is limited to, and in which money, in words.

    Args:
        filters: By start, end, platform, audience, campaign or source, where None takes all; and
            the currency into which money was converted, with rates_from and rates_to.
        language: Of the words.
    """
    named = {key: value for key, value in filters.items() if value is not None}
    return tuple(
        f"{language.words[_FILTER_WORDS[key]]} "
        f"{language.write_day(value) if isinstance(value, date) else make_printable(str(value))}"
        for key, value in named.items()
    )


def build_account(account: Row, language: Language) -> Section:
    """What became of all rows; `account` as for `build_report`."""
    fields = [make_field(key, language) for key in _ACCOUNT_KEYS]
    return build_section(language.words["account"], fields, [account], language)


def build_section(
    title: str, fields: Sequence[Field], rows: Sequence[Row], language: Language
) -> Section:
    """Makes a table: a column a field, a line a row."""

    def write(field: Field, row: Row) -> str:
        text = field.form(row[field.key])
        return language.write_number(text) if field.column.numeric else text

    return Section(
        title=title,
        columns=tuple(replace(field.column, key=field.key) for field in fields),
        rows=tuple(tuple(write(field, row) for field in fields) for row in rows),
    )


def make_field(key: str, language: Language) -> Field:
    """The field of a measure, of a number of the account of rows, or of a name."""
    words = language.words
    if key in _NAME_KEYS:
        return make_name_field(key, words[key], language)
    if key not in language.measures:
        about = words.get(f"{key}_is", "")
        return Field(key, format_count, Column(words[key], True, about, words["no_value"]))
    heading = words.get(f"heading.{key}", language.name(key))
    form = FORMS[MEASURES[key].form]
    return Field(key, form, Column(heading, True, language.define(key), explain(key, language)))


def make_name_field(key: str, heading: str, language: Language) -> Field:
    """The field of a name or another text."""
    form = partial(format_name, no_name=language.words["no_name"])
    return Field(key, form, Column(heading, numeric=False))


def explain(key: str, language: Language) -> str:
    """Why a measure may have no value."""
    measure = MEASURES[key]
    if not measure.under:
        return language.words["no_sum"].format(name=language.name(key))
    over, under = (_PARTS.get(part, part) for part in (measure.over, measure.under))
    if under not in language.measures:
        return language.words["no_value"]
    return language.words["no_ratio"].format(over=language.name(over), under=language.name(under))


def state_currency(fields: Sequence[Field], rows: Sequence[Row], language: Language) -> list[Field]:
    """Names the currency once where there is one, else in each row."""
    currencies = {row["currency"] for row in rows}
    if len(currencies) > 1:
        return [fields[0], make_field("currency", language), *fields[1:]]
    no_name = language.words["no_name"]
    suffix = "".join(f" {format_name(currency, no_name=no_name)}" for currency in currencies)
    return [
        replace(field, column=replace(field.column, heading=field.column.heading + suffix))
        if field.key == "spend"
        else field
        for field in fields
    ]


def make_printable(text: str) -> str:
    """A text on one line; what a terminal could take as an order is shown as an escape."""
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


def format_name(value: object, *, no_name: str = NO_NAME) -> str:
    """A name as `make_printable` shows it, and `no_name` for none."""
    return no_name if value is None or value == "" else make_printable(str(value))


def format_count(value: object) -> str:
    """A whole number with thousands marks."""
    return DASH if value is None else f"{_to_decimal(value):,.0f}"


def format_amount(value: object) -> str:
    """An amount or ratio with two decimals, rounded half to even, and thousands marks."""
    if value is None:
        return DASH
    rounded = _EXACT.quantize(_to_decimal(value), Decimal("0.01"))
    return f"{_EXACT.add(rounded, 0):,f}"  # so that nothing is never "-0.00"


def format_quantity(value: object) -> str:
    """A number that may be a fraction: with two decimals if they are not 0."""
    return format_amount(value).removesuffix(".00")


def format_percent(value: object) -> str:
    """A fraction as percent with two decimals, without the sign."""
    return DASH if value is None else format_amount(_EXACT.multiply(_to_decimal(value), 100))


_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""Wide enough for every sum that a KPI can hold."""


def format_share(value: object) -> str:
    """A fraction as percent with one decimal, without the sign."""
    if value is None:
        return DASH
    percent = _EXACT.multiply(_to_decimal(value), 100)
    return f"{_EXACT.add(_EXACT.quantize(percent, Decimal('0.1')), 0):,f}"


FORMS: Final[Mapping[str, Callable[[object], str]]] = {
    "amount": format_amount,
    "count": format_count,
    "percent": format_percent,
    "quantity": format_quantity,
}
"""By the form of a measure."""

_PARTS: Final = {
    "earning_spend": "spend",
    "converting_spend": "spend",
    "converting_clicks": "clicks",
}
"""The measures that sums of some accounts only are parts of."""

_NAME_KEYS: Final = frozenset({"platform", "target_audience", "currency", "campaign", "source"})
_ACCOUNT_KEYS: Final = (
    "files",
    "rows_in",
    "accepted",
    "quarantined",
    "duplicates",
    "superseded",
)


def _to_decimal(value: object) -> Decimal:
    # A float's shortest text is the number that a person means by it.
    return value if isinstance(value, Decimal) else Decimal(str(value))
