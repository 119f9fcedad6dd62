"""Reads contracts from TOML and refuses what the reference does not know, naming the place."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence, Set
from importlib import resources
from pathlib import Path
from typing import Any, cast, get_args

from pipeline.contracts.check import check_together
from pipeline.contracts.dates import is_date_format
from pipeline.contracts.model import (
    ANY_LANGUAGE,
    Column,
    ColumnType,
    Complete,
    Contract,
    Dates,
    Dialect,
    Encoding,
    Extra,
    Format,
    Headers,
    Holds,
    Mode,
    Position,
    Preamble,
    Rule,
    Totals,
    Unit,
)
from pipeline.errors import ContractError
from pipeline.schema import AD_DAY

_GIVEN_BY_THE_MERGE = frozenset({"source", "delivered_at", "delivery_id", "line"})
_CANONICAL = frozenset(AD_DAY.names) - _GIVEN_BY_THE_MERGE
_SCOPES = frozenset({"account", "platform"})
_GENERATOR = "generated.toml"
_NOT_SPLIT = ("account", "breakdown", "segment")


def load_contracts(folder: Path | None = None) -> dict[str, Contract]:
    """The shipped contracts and those of a person's own folder, by name.

    Args:
        folder: Further `*.toml` files; one with a shipped name takes its place.

    Raises:
        ContractError: A file breaks the reference; the message names file and field.
    """
    shipped = resources.files("pipeline.contracts")
    texts = {
        item.name: item.read_bytes() for item in shipped.iterdir() if item.name.endswith(".toml")
    }
    if folder is not None:
        if not folder.is_dir():
            raise ContractError(f"ADLAKE_CONTRACTS names {folder}, which is not a folder")
        texts |= {path.name: path.read_bytes() for path in sorted(folder.glob("*.toml"))}
        if (folder / _GENERATOR).exists():
            raise ContractError(f"contract {_GENERATOR} is the generator's own; rename {folder}'s")
    contracts = [read_contract(name, text) for name, text in sorted(texts.items())]
    return {contract.name: contract for contract in contracts}


def read_contract(file_name: str, text: bytes) -> Contract:
    """Reads one contract.

    Raises:
        ContractError: As for `load_contracts`.
    """
    try:
        document = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractError(f"contract {file_name}: {error}") from error
    top = _Section(file_name, "", document)
    columns = tuple(_read_columns(top.take_section("columns")))
    given = _read_constants(top.take_section("constants"))
    names = {column.name for column in columns if not column.optional}
    constants = {name: "" for name in _NOT_SPLIT if name not in names} | given
    contract = Contract(
        name=top.take_text("name"),
        description=top.take_text("description"),
        source=top.take_text("source"),
        formats=cast(tuple[Format, ...], top.take_choices("formats", get_args(Format))),
        mode=cast(Mode, top.take_choice("mode", get_args(Mode))),
        key=top.take_texts("key", allowed=_CANONICAL),
        scope=top.take_texts("scope", default=("account",), allowed=_SCOPES),
        complete=cast(Complete, top.take_choice("complete", get_args(Complete), default="file")),
        extra_columns=cast(
            Extra, top.take_choice("extra_columns", get_args(Extra), default="refuse")
        ),
        repeated_columns=top.take_flag("repeated_columns"),
        rules=cast(tuple[Rule, ...], top.take_texts("rules", allowed=set(get_args(Rule)))),
        dialects=_read_dialects(top.take_section("dialect")),
        preamble=_read_preamble(top.take_section("preamble")),
        totals=_read_totals(top.take_section("totals")),
        dates=_read_dates(top.take_section("dates")),
        holds=_read_holds(top.take_section("holds")),
        constants=constants,
        columns=columns,
        breakdowns=_read_breakdowns(top.take_section("breakdowns")),
        primary=top.take_text("primary", default="", allow_empty=True),
        fold=top.take_headers("fold"),
        sha256=hashlib.sha256(text).hexdigest(),
    )
    top.refuse_rest()
    check_together(file_name, contract)
    return contract


def _read_dialects(section: "_Section") -> tuple[Dialect, ...]:
    """The dialect, or one for each of its variants, which say only what is different."""
    variants = section.take_sections("variants")
    common = _read_dialect(section, Dialect())
    return tuple(_read_dialect(variant, common) for variant in variants) or (common,)


def _read_dialect(section: "_Section", common: Dialect) -> Dialect:
    dialect = Dialect(
        languages=section.take_texts("languages", default=common.languages),
        encodings=cast(
            tuple[Encoding, ...],
            section.take_choices("encodings", get_args(Encoding), default=common.encodings),
        ),
        delimiter=section.take_text("delimiter", default=common.delimiter),
        decimal=section.take_choice("decimal", (".", ","), default=common.decimal),
        thousands=section.take_texts("thousands", default=common.thousands),
        date_formats=section.take_texts("date_formats", default=common.date_formats),
        exponents=section.take_flag("exponents", default=common.exponents),
        null_words=tuple(
            word.lower() for word in section.take_texts("null_words", default=common.null_words)
        ),
    )
    if len(dialect.delimiter.encode()) != 1 or dialect.delimiter in '"\r\n':
        section.refuse("delimiter", repr(dialect.delimiter), "one ASCII character, not a quote")
    for mark in dialect.thousands:
        if len(mark) != 1 or mark.isalnum() or mark in f"-+{dialect.decimal}":
            section.refuse("thousands", mark, "single marks other than the decimal mark")
    for form in dialect.date_formats:
        if not is_date_format(form):
            section.refuse("date_formats", form, "a form of yyyy, mm or m, and dd or d")
    section.refuse_rest()
    return dialect


def _read_preamble(section: "_Section") -> Preamble:
    preamble = Preamble(
        lines=section.take_number("lines", default=0),
        period_formats=section.take_texts("period_formats"),
    )
    for form in preamble.period_formats:
        if not is_date_format(form, with_names=True):
            section.refuse("period_formats", form, "a form of yyyy, mm, m or month, and dd or d")
    section.refuse_rest()
    return preamble


def _read_totals(section: "_Section") -> Totals | None:
    if section.is_empty:
        return None
    totals = Totals(
        position=cast(Position, section.take_choice("position", get_args(Position))),
        empty=section.take_texts("empty", allowed=_CANONICAL),
        labels=section.take_texts("labels"),
    )
    section.refuse_rest()
    return totals


def _read_dates(section: "_Section") -> Dates:
    dates = Dates(
        time_zone=section.take_text("time_zone", default="UTC"),
        max_age_days=section.take_number("max_age_days", default=3650),
        max_ahead_days=section.take_number("max_ahead_days", default=0),
        end_headers=section.take_headers("end_headers"),
    )
    section.refuse_rest()
    return dates


def _read_holds(section: "_Section") -> Holds:
    common = Holds()
    holds = Holds(
        max_window_days=section.take_number("max_window_days", default=common.max_window_days),
        max_shrink_percent=section.take_number(
            "max_shrink_percent", default=common.max_shrink_percent
        ),
        max_reject_percent=section.take_number(
            "max_reject_percent", default=common.max_reject_percent
        ),
        min_rows=section.take_number("min_rows", default=common.min_rows),
        need_known_campaign=section.take_flag(
            "need_known_campaign", default=common.need_known_campaign
        ),
    )
    section.refuse_rest()
    return holds


def _read_constants(section: "_Section") -> dict[str, str]:
    return {name: section.take_text(name, allow_empty=True) for name in section.names(_CANONICAL)}


def _read_columns(section: "_Section") -> Iterable[Column]:
    for name in section.names(_CANONICAL):
        column = section.take_section(name)
        yield Column(
            name=name,
            headers=column.take_headers("headers", default=name),
            type=cast(ColumnType, column.take_choice("type", get_args(ColumnType))),
            optional=column.take_flag("optional"),
            required=column.take_flag("required"),
            identifier=column.take_flag("identifier"),
            minimum=column.take_number("minimum", default=None),
            values=column.take_texts("values"),
            max_length=column.take_number("max_length", default=1000),
            unit=cast(Unit, column.take_choice("unit", get_args(Unit), default="one")),
            round=column.take_flag("round"),
        )
        column.refuse_rest()


def _read_breakdowns(section: "_Section") -> dict[str, Headers]:
    return {name: section.take_headers(name) for name in list(section.names())}


class _Section:
    """One table of a contract file: values are taken out, and what is left over is refused."""

    def __init__(self, file_name: str, place: str, values: Mapping[str, Any]) -> None:
        self._file_name = file_name
        self._place = place
        self._values = dict(values)

    def take_text(self, name: str, *, default: str | None = None, allow_empty: bool = False) -> str:
        value = self._take(name, default)
        if not isinstance(value, str) or not (value or allow_empty):
            self.refuse(name, value, "a text")
        return cast(str, value)

    def take_choice(self, name: str, choices: Iterable[str], *, default: str | None = None) -> str:
        value = self._take(name, default)
        if value not in tuple(choices):
            self.refuse(name, value, "one of " + ", ".join(choices))
        return cast(str, value)

    def take_texts(
        self, name: str, *, default: tuple[str, ...] = (), allowed: Set[str] | None = None
    ) -> tuple[str, ...]:
        value = self._take(name, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.refuse(name, value, "a list of texts")
        unknown = [item for item in value if allowed is not None and item not in allowed]
        if unknown:
            self.refuse(name, unknown[0], "one of " + ", ".join(sorted(allowed or ())))
        return tuple(value)

    def take_choices(
        self, name: str, choices: Sequence[str], *, default: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        values = self.take_texts(name, default=default or (), allowed=set(choices))
        if not values:
            self.refuse(name, [], "at least one of " + ", ".join(choices))
        return values

    def take_headers(self, name: str, *, default: str | None = None) -> Headers:
        """A list of names, or a table of lists by language; nothing where no default is given."""
        value = self._take(name, [] if default is None else [default])
        by_language = value if isinstance(value, dict) else {ANY_LANGUAGE: value}
        for names in by_language.values():
            if not isinstance(names, list) or not all(
                isinstance(item, str) and item.strip() for item in names
            ):
                self.refuse(name, value, "a list of names, or a table of such lists by language")
        return Headers({key: tuple(names) for key, names in by_language.items() if names})

    def take_flag(self, name: str, *, default: bool = False) -> bool:
        value = self._take(name, default)
        if not isinstance(value, bool):
            self.refuse(name, value, "true or false")
        return bool(value)

    def take_number(self, name: str, *, default: int | None) -> Any:
        value = self._take(name, default if default is not None else _ABSENT)
        if value is _ABSENT:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.refuse(name, value, "a whole number of at least 0")
        return value

    def take_section(self, name: str) -> "_Section":
        value = self._take(name, {})
        if not isinstance(value, dict):
            self.refuse(name, value, "a table")
        return _Section(self._file_name, f"{self._place}{name}.", cast(dict[str, Any], value))

    def take_sections(self, name: str) -> "list[_Section]":
        values = self._take(name, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.refuse(name, values, "a list of tables")
        return [
            _Section(self._file_name, f"{self._place}{name}[{number}].", value)
            for number, value in enumerate(values)
        ]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not self._values

    def names(self, allowed: Set[str] | None = None) -> list[str]:
        """The names in it, in the file's order; each must be one of `allowed`, where given."""
        for name in self._values:
            if allowed is not None and name not in allowed:
                self.refuse(name, "a name", "one of " + ", ".join(sorted(allowed)))
        return list(self._values)

    def refuse_rest(self) -> None:
        """Refuses a field that nobody took."""
        for name in self._values:
            raise ContractError(
                f"contract {self._file_name}: {self._place}{name} is not a known field"
            )

    def refuse(self, name: str, got: object, expected: str) -> None:
        """Raises the error for a field's value."""
        raise ContractError(
            f"contract {self._file_name}: {self._place}{name} is {got!r}; expected {expected}"
        )

    def _take(self, name: str, default: object) -> Any:
        value = self._values.pop(name, default)
        if value is None:
            raise ContractError(f"contract {self._file_name}: {self._place}{name} is missing")
        return value


_ABSENT = object()
