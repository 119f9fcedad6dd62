"""The contract as the code sees it: plain frozen values, checked when the file was loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Mode = Literal["upsert", "replace_window"]
ColumnType = Literal["text", "date", "integer", "decimal"]
Format = Literal["csv", "raw"]
Rule = Literal["clicks_le_impressions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a source.

    Attributes:
        name: The canonical column that it fills.
        header: Its name in the file, compared without outer blanks and case.
        type: What its text must be.
        required: Whether a row without it is rejected.
        identifier: Whether it names things, so that invisible characters in it are refused.
        minimum: Smallest value allowed (numbers).
        values: The only values allowed (text); empty: any.
        max_length: Longest text allowed, in characters.
    """

    name: str
    header: str
    type: ColumnType
    required: bool = False
    identifier: bool = False
    minimum: int | None = None
    values: tuple[str, ...] = ()
    max_length: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the bytes of a source become rows.

    Attributes:
        format: `csv`, or `raw` for the generator's Parquet days.
        encoding: Of a text file.
        delimiter: One character.
        exponents: Whether decimals may be written as 1e-05.
        null_words: Texts that mean missing, lower case, compared without case.
    """

    format: Format
    encoding: Literal["utf-8"] = "utf-8"
    delimiter: str = ","
    exponents: bool = False
    null_words: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """Which dates a delivery may hold, measured from the day it was delivered on.

    Attributes:
        time_zone: In which the account's days are meant.
        max_age_days: How far back a date may lie.
        max_ahead_days: How far ahead of the delivery's UTC day.
    """

    time_zone: str = "UTC"
    max_age_days: int = 3650
    max_ahead_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One source's contract.

    Attributes:
        name: Unique; the file's name without `.toml`.
        description: One line for people.
        source: The source of its files where their place does not name one.
        mode: What a delivery means for the rows before it.
        key: The columns in which the newest delivery wins (`upsert`); holds `date`.
        rules: Named rules between columns.
        dialect: How bytes become rows.
        dates: Which dates are plausible.
        constants: Canonical columns whose value the source does not carry.
        columns: In the order in which a row's faults are looked for.
        sha256: Of the TOML file.
    """

    name: str
    description: str
    source: str
    mode: Mode
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    dialect: Dialect
    dates: Dates
    constants: Mapping[str, str]
    columns: tuple[Column, ...]
    sha256: str
