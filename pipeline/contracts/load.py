"""Reads contracts from TOML and refuses what the reference does not know, naming the place."""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from importlib import resources
from pathlib import Path
from typing import Any, cast, get_args

import pyarrow as pa

from pipeline.contracts.model import (
    Column,
    ColumnType,
    Contract,
    Dates,
    Dialect,
    Format,
    Mode,
    Rule,
)
from pipeline.errors import ContractError
from pipeline.schema import AD_DAY, DECIMAL

_GIVEN_BY_THE_MERGE = frozenset({"source", "delivered_at", "delivery_id", "line"})
_CANONICAL = frozenset(AD_DAY.names) - _GIVEN_BY_THE_MERGE
_TYPES: Mapping[pa.DataType, ColumnType] = {
    pa.string(): "text",
    pa.date32(): "date",
    pa.int64(): "integer",
    DECIMAL: "decimal",
}
_GENERATOR = "generated.toml"
_NOT_SPLIT = ("account", "breakdown", "segment")
_MODES: Mapping[Format, Mode] = {"csv": "upsert", "raw": "replace_window"}
_RULE_COLUMNS: Mapping[Rule, Sequence[str]] = {"clicks_le_impressions": ("clicks", "impressions")}


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
    names = {column.name for column in columns}
    constants = {name: "" for name in _NOT_SPLIT if name not in names} | given
    contract = Contract(
        name=top.take_text("name"),
        description=top.take_text("description"),
        source=top.take_text("source"),
        mode=cast(Mode, top.take_choice("mode", get_args(Mode))),
        key=top.take_texts("key", allowed=_CANONICAL),
        rules=cast(tuple[Rule, ...], top.take_texts("rules", allowed=set(get_args(Rule)))),
        dialect=_read_dialect(top.take_section("dialect")),
        dates=_read_dates(top.take_section("dates")),
        constants=constants,
        columns=columns,
        sha256=hashlib.sha256(text).hexdigest(),
    )
    top.refuse_rest()
    _check_together(file_name, contract)
    return contract


def _read_dialect(section: "_Section") -> Dialect:
    dialect = Dialect(
        format=cast(Format, section.take_choice("format", get_args(Format))),
        encoding=cast(Any, section.take_choice("encoding", ("utf-8",), default="utf-8")),
        delimiter=section.take_text("delimiter", default=","),
        exponents=section.take_flag("exponents"),
        null_words=tuple(word.lower() for word in section.take_texts("null_words", default=("",))),
    )
    if len(dialect.delimiter.encode()) != 1 or dialect.delimiter in '"\r\n':
        section.refuse("delimiter", repr(dialect.delimiter), "one ASCII character, not a quote")
    section.refuse_rest()
    return dialect


def _read_dates(section: "_Section") -> Dates:
    dates = Dates(
        time_zone=section.take_text("time_zone", default="UTC"),
        max_age_days=section.take_number("max_age_days", default=3650),
        max_ahead_days=section.take_number("max_ahead_days", default=0),
    )
    section.refuse_rest()
    return dates


def _read_constants(section: "_Section") -> dict[str, str]:
    return {name: section.take_text(name, allow_empty=True) for name in section.names(_CANONICAL)}


def _read_columns(section: "_Section") -> Iterable[Column]:
    for name in section.names(_CANONICAL):
        column = section.take_section(name)
        yield Column(
            name=name,
            header=column.take_text("header", default=name),
            type=cast(ColumnType, column.take_choice("type", get_args(ColumnType))),
            required=column.take_flag("required"),
            identifier=column.take_flag("identifier"),
            minimum=column.take_number("minimum", default=None),
            values=column.take_texts("values"),
            max_length=column.take_number("max_length", default=1000),
        )
        column.refuse_rest()


def _check_together(file_name: str, contract: Contract) -> None:
    """Refuses fields that are right by themselves and wrong together."""
    for problem in (*_judge_columns(contract), *_judge_whole(file_name, contract)):
        raise ContractError(f"contract {file_name}: {problem}")


def _judge_whole(file_name: str, contract: Contract) -> Iterator[str]:
    known = {column.name for column in contract.columns} | contract.constants.keys()
    if file_name != f"{contract.name}.toml":
        yield f"name is {contract.name!r}; expected the file's name without .toml"
    if contract.mode != _MODES[contract.dialect.format]:
        mode = _MODES[contract.dialect.format]
        yield f"mode is {contract.mode!r}; files of format {contract.dialect.format} are {mode}"
    if contract.mode == "upsert" and "date" not in contract.key:
        yield f"key must hold date, got {list(contract.key)}"
    for name in contract.key:
        if name not in known:
            yield f"key names {name}, which is neither a column nor a constant"


def _judge_columns(contract: Contract) -> Iterator[str]:
    columns = {column.name: column for column in contract.columns}
    if contract.dialect.format == "csv" and "date" not in columns:
        yield "columns.date is missing: every row needs its day"
    for name in sorted(columns.keys() & contract.constants.keys()):
        yield f"{name} is both a column and a constant"
    for name, column in columns.items():
        expected = _TYPES[AD_DAY.field(name).type]
        if column.type != expected:
            yield f"columns.{name}.type is {column.type!r}; the canonical column is {expected}"
    for name in contract.constants:
        if _TYPES[AD_DAY.field(name).type] != "text":
            yield f"constants.{name} is a text; only text columns can be constants"
    for rule in contract.rules:
        lost = [name for name in _RULE_COLUMNS[rule] if name not in columns]
        yield from (f"rule {rule} needs the column {name}" for name in lost)


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

    def take_flag(self, name: str) -> bool:
        value = self._take(name, default=False)
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

    def names(self, allowed: Set[str]) -> list[str]:
        """The names in it, in the file's order; each must be one of `allowed`."""
        for name in self._values:
            if name not in allowed:
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
