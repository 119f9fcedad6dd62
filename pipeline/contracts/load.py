"""Reads contracts from TOML and refuses what the reference does not know, naming the place."""

import hashlib
import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import cast, get_args

from pipeline.contracts.check import check_together
from pipeline.contracts.dates import has_time, is_date_format
from pipeline.contracts.model import (
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
from pipeline.contracts.section import Section
from pipeline.errors import ContractError
from pipeline.schema import AD_DAY
from pipeline.zones import is_zone, simplify

_GIVEN_BY_THE_MERGE = frozenset({"source", "delivered_at", "delivery_id", "line"})
_CANONICAL = frozenset(AD_DAY.names) - _GIVEN_BY_THE_MERGE
_SCOPES = frozenset({"account", "platform"})
_GENERATOR = "generated.toml"
_NOT_SPLIT = ("account", "breakdown", "segment")


def load_contracts(
    folder: Path | None = None, *, leave_out_empty: bool = False
) -> dict[str, Contract]:
    """The shipped contracts and those of a person's own folder, by name.

    Args:
        folder: Further `*.toml` files; one with a shipped name takes its place.
        leave_out_empty: Whether a file of no bytes is none yet: a shell that writes a draft into
            the folder makes it before the draft is begun.

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
        own = {path.name: path.read_bytes() for path in sorted(folder.glob("*.toml"))}
        texts |= {name: text for name, text in own.items() if text or not leave_out_empty}
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
    top = Section(file_name, "", document)
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
        footer=top.take_texts("footer"),
        dates=_read_dates(top.take_section("dates")),
        holds=_read_holds(top.take_section("holds")),
        constants=constants,
        columns=columns,
        recognised_by=top.take_texts("recognised_by"),
        recognised_by_one_of=top.take_texts("recognised_by_one_of"),
        breakdowns=_read_breakdowns(top.take_section("breakdowns")),
        primary=top.take_text("primary", default="", allow_empty=True),
        fold=top.take_headers("fold"),
        sha256=hashlib.sha256(text).hexdigest(),
    )
    top.refuse_rest()
    check_together(file_name, contract)
    return contract


def _read_dialects(section: Section) -> tuple[Dialect, ...]:
    """The dialect, or one for each of its variants, which say only what is different."""
    variants = section.take_sections("variants")
    common = _read_dialect(section, Dialect())
    return tuple(_read_dialect(variant, common) for variant in variants) or (common,)


def _read_dialect(section: Section, common: Dialect) -> Dialect:
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
    if not dialect.null_words:
        section.refuse("null_words", [], 'at least one text, such as ""')
    for mark in dialect.thousands:
        if len(mark) != 1 or mark.isalnum() or mark in f"-+{dialect.decimal}":
            section.refuse("thousands", mark, "single marks other than the decimal mark")
    for form in dialect.date_formats:
        if not is_date_format(form):
            section.refuse("date_formats", form, "a form of yyyy, mm or m, dd or d, and time")
    section.refuse_rest()
    return dialect


def _read_preamble(section: Section) -> Preamble:
    preamble = Preamble(
        lines=section.take_number("lines", default=0),
        period_formats=section.take_texts("period_formats"),
        zone_labels=section.take_texts("zone_labels"),
        zones=_read_zones(section.take_section("zones")),
        step_labels=section.take_texts("step_labels"),
        daily_words=section.take_texts("daily_words"),
    )
    if preamble.step_labels and not preamble.daily_words:
        section.refuse("daily_words", [], "at least one text where there are step_labels")
    for form in preamble.period_formats:
        if not is_date_format(form, with_names=True) or has_time(form):
            section.refuse("period_formats", form, "a form of yyyy, mm, m or month, and dd or d")
    section.refuse_rest()
    return preamble


def _read_zones(section: Section) -> dict[str, str]:
    zones = {words: section.take_text(words) for words in section.names()}
    for words, zone in zones.items():
        if not is_zone(zone):
            section.refuse(words, zone, "an IANA name such as Europe/Madrid")
    return {simplify(words): zone for words, zone in zones.items()}


def _read_totals(section: Section) -> Totals | None:
    if section.is_empty:
        return None
    totals = Totals(
        position=cast(Position, section.take_choice("position", get_args(Position))),
        empty=section.take_texts("empty", allowed=_CANONICAL),
        labels=section.take_texts("labels"),
    )
    if not totals.empty and not totals.labels:
        section.refuse("empty", [], "at least one column where there are no labels")
    section.refuse_rest()
    return totals


def _read_dates(section: Section) -> Dates:
    dates = Dates(
        time_zone=section.take_text("time_zone", default="UTC"),
        max_age_days=section.take_number("max_age_days", default=3650),
        max_ahead_days=section.take_number("max_ahead_days", default=0),
        end_headers=section.take_headers("end_headers"),
    )
    section.refuse_rest()
    return dates


def _read_holds(section: Section) -> Holds:
    common = Holds()
    holds = Holds(
        max_window_days=section.take_number("max_window_days", default=common.max_window_days),
        max_shrink_percent=section.take_number(
            "max_shrink_percent", default=common.max_shrink_percent, most=100
        ),
        max_reject_percent=section.take_number(
            "max_reject_percent", default=common.max_reject_percent, most=100
        ),
        min_rows=section.take_number("min_rows", default=common.min_rows),
        need_known_campaign=section.take_flag(
            "need_known_campaign", default=common.need_known_campaign
        ),
    )
    section.refuse_rest()
    return holds


def _read_constants(section: Section) -> dict[str, str]:
    return {name: section.take_text(name, allow_empty=True) for name in section.names(_CANONICAL)}


def _read_columns(section: Section) -> Iterable[Column]:
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
            join_digits=column.take_flag("join_digits"),
            add_up=column.take_flag("add_up"),
        )
        column.refuse_rest()


def _read_breakdowns(section: Section) -> dict[str, Headers]:
    return {name: section.take_headers(name) for name in list(section.names())}
