"""The contract as the code sees it: plain frozen values, checked when the file was loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["append", "upsert", "replace_window"]
ColumnType = Literal["text", "date", "integer", "decimal"]
Format = Literal["csv", "parquet", "raw"]
Rule = Literal["clicks_le_impressions", "ctr_agrees", "cpc_agrees", "cost_has_clicks"]
Unit = Literal["one", "percent", "micros", "seconds"]
Encoding = Literal["utf-8", "utf-16", "windows-1252"]
Extra = Literal["refuse", "ignore"]
Position = Literal["first", "last"]
Complete = Literal["file", "manifest", "marker"]

ANY_LANGUAGE = ""

CAMPAIGN = frozenset({"campaign_id", "campaign_name"})
"""Columns of which one names a row's campaign; a row without either is no data."""

LARGEST_NUMBER = 1_000_000
"""Of a number in a contract: more than anyone has a use for, and no code overflows below it."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The names that a column may have in a file.

    Attributes:
        by_language: Names by language, those of `ANY_LANGUAGE` in all of them. A name may hold
            `{currency}`, which stands for a currency's code.
    """

    by_language: Mapping[str, tuple[str, ...]]

    def list_names(self, languages: Sequence[str] = ()) -> list[str]:
        """The names in some languages; in all of them where none are given."""
        wanted = {ANY_LANGUAGE, *(languages or self.by_language)}
        return [
            name
            for language, names in self.by_language.items()
            if language in wanted
            for name in names
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a source.

    Attributes:
        name: The canonical column that it fills.
        headers: Its names in the file, compared without outer blanks and case.
        type: What its text must be.
        optional: Whether a file may lack the column; its cells are missing then.
        required: Whether a row without a value is rejected.
        identifier: Whether it names things, so that invisible characters in it are refused.
        minimum: Smallest value allowed (numbers).
        values: The only values allowed (text); empty: any.
        max_length: Longest text allowed, in characters.
        unit: What a number is counted in: `percent` is divided by 100 (the sign may stand or
            not), `micros` by 1,000,000, `seconds` by 60.
        round: Whether a decimal finer than 6 places is rounded half to even (else rejected).
        join_digits: Whether groups of digits with hyphens between them are one number, as in
            `123-456-7890` (text).
        add_up: Whether all of the names that a file has are read, and their numbers added up.
    """

    name: str
    headers: Headers
    type: ColumnType
    optional: bool = False
    required: bool = False
    identifier: bool = False
    minimum: int | None = None
    values: tuple[str, ...] = ()
    max_length: int = 1000
    unit: Unit = "one"
    round: bool = False
    join_digits: bool = False
    add_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the bytes of a source become rows.

    Attributes:
        languages: Which of a column's names count; empty: all.
        encodings: Of a text file, in the order in which they are tried.
        delimiter: One character.
        decimal: The decimal mark, `.` or `,`.
        thousands: The thousands marks that may stand between groups of three digits.
        date_formats: How a date may be written (`pipeline.contracts.dates`). Where one of them
            has a `time`, rows of one day are added up.
        exponents: Whether decimals may be written as 1e-05.
        null_words: Texts that mean missing, lower case, compared without case.
    """

    languages: tuple[str, ...] = ()
    encodings: tuple[Encoding, ...] = ("utf-8",)
    delimiter: str = ","
    decimal: str = "."
    thousands: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ("yyyy-mm-dd",)
    exponents: bool = False
    null_words: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preamble:
    """What may stand before the header.

    Attributes:
        lines: How many lines at most.
        period_formats: How a line among them says the dates of the report: two dates of this
            form with ` - ` between them, or one; `month` is a month's name in the dialect's
            languages.
        zone_labels: How a line among them begins that says the time zone of the report's days.
        zones: The IANA name of the zone that some words mean, by the words as
            `pipeline.zones.simplify` gives them.
        step_labels: How a line among them begins that says which time a row is of.
        daily_words: What stands behind it in a report by day, compared without case.
    """

    lines: int = 0
    period_formats: tuple[str, ...] = ()
    zone_labels: tuple[str, ...] = ()
    zones: Mapping[str, str] = field(default_factory=dict)
    step_labels: tuple[str, ...] = ()
    daily_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Rows that sum up the others: a checksum of the body, and no data.

    Attributes:
        position: `first`: the first row only; `last`: rows after all others.
        empty: Columns that are missing in such a row, or have a label.
        labels: How one of its cells begins; not needed where `empty` has all columns that name
            the campaign, as a row without a campaign is no data.
    """

    position: Position
    empty: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """Which dates a delivery may hold, measured from the day it was delivered on.

    Attributes:
        time_zone: In which the account's days are meant, where nothing else says it.
        max_age_days: How far back a date may lie.
        max_ahead_days: How far ahead of the delivery's UTC day.
        end_headers: Names of a column with a row's last day, which must be its date.
    """

    time_zone: str = "UTC"
    max_age_days: int = 3650
    max_ahead_days: int = 0
    end_headers: Headers = field(default_factory=lambda: Headers({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """When a delivery that replaces rows waits for a person (`replace_window`).

    Attributes:
        max_window_days: Longest window.
        max_shrink_percent: Largest share of the cost on its dates that it may take away, where
            it replaces `min_rows` rows or more; 100: any.
        max_reject_percent: Largest share of rejected rows in one that replaces any, where it has
            `min_rows` rows or more; 100: any. Whatever replaces none is merged, and asks for a
            look above it.
        min_rows: As said.
        need_known_campaign: Whether one without an account must share a campaign with the rows
            that it replaces.
    """

    max_window_days: int = 400
    max_shrink_percent: int = 50
    max_reject_percent: int = 5
    min_rows: int = 100
    need_known_campaign: bool = True

    def are_many(self, rejected: int, rows: int) -> bool:
        """Whether so many of some rows were rejected that a person should know."""
        return rows >= self.min_rows and 100 * rejected > self.max_reject_percent * rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One source's contract.

    Attributes:
        name: Unique; the file's name without `.toml`.
        description: One line for people.
        source: The source of its files where their place does not name one.
        formats: In which formats its files come.
        mode: What a delivery means for the rows before it.
        key: The columns in which the newest delivery wins (`upsert`); holds `date`.
        scope: The columns for whose values a delivery speaks (`replace_window`).
        complete: When a delivery of several files is complete: each `file` by itself, with its
            `manifest`, or with a `marker`.
        extra_columns: What becomes of a column that the contract does not know.
        repeated_columns: Whether a file may name a column twice; its cells must be equal then.
        rules: Named rules between columns.
        dialects: How bytes become rows; the first that fits a file is taken.
        preamble: What stands before the header.
        totals: Rows that sum up the others.
        footer: How lines begin that stand after all rows and are none, such as a copyright.
        dates: Which dates are plausible.
        holds: When a delivery waits for a person.
        constants: Canonical columns whose value the source does not carry.
        columns: In the order in which a row's faults are looked for.
        recognised_by: Names that a file must have though nobody reads them, as they tell it from
            files of other contracts.
        recognised_by_one_of: Names of which a file must have one, where nothing else says whose
            it is: neither its place nor lines before its header.
        breakdowns: Columns that split a campaign's spend further, by the name of the split. A
            file's `breakdown` is the names of those that it has, its `segment` their values.
        primary: The breakdown that KPIs use where a day has none that is not split.
        fold: Columns that split it further and do not matter: rows are summed over them.
        sha256: Of the TOML file.
    """

    name: str
    description: str
    source: str
    formats: tuple[Format, ...]
    mode: Mode
    key: tuple[str, ...] = ()
    scope: tuple[str, ...] = ("account",)
    complete: Complete = "file"
    extra_columns: Extra = "refuse"
    repeated_columns: bool = False
    rules: tuple[Rule, ...] = ()
    dialects: tuple[Dialect, ...] = (Dialect(),)
    preamble: Preamble = Preamble()
    totals: Totals | None = None
    footer: tuple[str, ...] = ()
    dates: Dates = field(default_factory=Dates)
    holds: Holds = Holds()
    constants: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[Column, ...]
    recognised_by: tuple[str, ...] = ()
    recognised_by_one_of: tuple[str, ...] = ()
    breakdowns: Mapping[str, Headers] = field(default_factory=dict)
    primary: str = ""
    fold: Headers = field(default_factory=lambda: Headers({}))
    sha256: str = ""
