"""Refuses contracts whose fields are right by themselves and wrong together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

import pyarrow as pa

from pipeline.contracts.model import CAMPAIGN, Column, ColumnType, Contract, Headers, Rule
from pipeline.errors import ContractError
from pipeline.schema import AD_DAY, DECIMAL

_TYPES: Mapping[pa.DataType, ColumnType] = {
    pa.string(): "text",
    pa.date32(): "date",
    pa.int64(): "integer",
    DECIMAL: "decimal",
}
_RULE_COLUMNS: Mapping[Rule, Sequence[str]] = {
    "clicks_le_impressions": ("clicks", "impressions"),
    "ctr_agrees": ("reported_ctr", "clicks", "impressions"),
    "cpc_agrees": ("reported_cpc", "clicks", "cost"),
    "cost_has_clicks": ("cost", "clicks"),
}
_DEFAULTS: Mapping[str, Any] = {one.name: one.default for one in fields(Column)}
_NUMBERS: Final = (("integer", "decimal"), "numbers")
_DECIMALS: Final = (("decimal",), "decimals")
_TEXTS: Final = (("text",), "texts")
_ONLY_FOR: Mapping[str, tuple[Sequence[ColumnType], str]] = {
    "unit": _DECIMALS,
    "round": _DECIMALS,
    "join_digits": _TEXTS,
    "add_up": _NUMBERS,
    "minimum": _NUMBERS,
    "values": _TEXTS,
    "identifier": _TEXTS,
    "max_length": _TEXTS,
}
"""Fields of a column that mean something for some types only."""

_CURRENCY = "{currency}"


def check_together(file_name: str, contract: Contract) -> None:
    """Raises the first problem.

    Raises:
        ContractError: As said; the message names the file.
    """
    for problem in (
        *_judge_whole(file_name, contract),
        *_judge_columns(contract),
        *_judge_types(contract),
        *_judge_totals(contract),
        *_judge_scope(contract),
        *_judge_names(contract),
    ):
        raise ContractError(f"contract {file_name}: {problem}")


def _judge_whole(file_name: str, contract: Contract) -> Iterator[str]:
    known = {column.name for column in contract.columns} | contract.constants.keys()
    if file_name != f"{contract.name}.toml":
        yield f"name is {contract.name!r}; expected the file's name without .toml"
    if "raw" in contract.formats and contract.formats != ("raw",):
        yield "formats holds raw, which is the generator's own and stands alone"
    if contract.mode == "upsert" and "date" not in contract.key:
        yield f"key must hold date, got {list(contract.key)}"
    if contract.mode != "upsert" and contract.key:
        yield f"key is for mode upsert; mode is {contract.mode}"
    for name in contract.key:
        if name not in known:
            yield f"key names {name}, which is neither a column nor a constant"
    if contract.primary and contract.primary not in contract.breakdowns:
        yield f"primary is {contract.primary!r}, which is none of the breakdowns"


def _judge_columns(contract: Contract) -> Iterator[str]:
    columns = {column.name: column for column in contract.columns}
    if "raw" not in contract.formats and "date" not in columns:
        yield "columns.date is missing: every row needs its day"
    if not columns.keys() & CAMPAIGN:
        yield "neither columns.campaign_id nor columns.campaign_name is there: one names the row"
    for name in sorted(columns.keys() & contract.constants.keys()):
        if not columns[name].optional:
            yield f"{name} is both a column and a constant"
    for name in contract.constants:
        if _TYPES[AD_DAY.field(name).type] != "text":
            yield f"constants.{name} is a text; only text columns can be constants"
    for rule in contract.rules:
        lost = [name for name in _RULE_COLUMNS[rule] if name not in columns]
        yield from (f"rule {rule} needs the column {name}" for name in lost)
    if contract.breakdowns and columns.keys() & {"breakdown", "segment"}:
        yield "breakdowns and a column breakdown or segment say the same thing twice"


def _judge_scope(contract: Contract) -> Iterator[str]:
    if "account" not in contract.scope:
        yield f"scope must hold account, got {list(contract.scope)}"
    for column in contract.columns:
        scoped = contract.mode == "replace_window" and column.name in contract.scope
        if scoped and not column.required:
            yield f"columns.{column.name} is in the scope, so it must be required"


def _judge_types(contract: Contract) -> Iterator[str]:
    for column in contract.columns:
        expected = _TYPES[AD_DAY.field(column.name).type]
        if column.type != expected:
            yield (
                f"columns.{column.name}.type is {column.type!r}; the canonical column is {expected}"
            )
        for name, (types, words) in _ONLY_FOR.items():
            if getattr(column, name) != _DEFAULTS[name] and column.type not in types:
                yield f"columns.{column.name}.{name} is for {words}"


def _judge_totals(contract: Contract) -> Iterator[str]:
    known = {column.name for column in contract.columns}
    for name in contract.totals.empty if contract.totals else ():
        if name not in known:
            yield f"totals.empty names {name}, which is no column"
    lacking = (CAMPAIGN & known) - set(contract.totals.empty if contract.totals else known)
    if contract.totals and not contract.totals.labels and lacking:
        yield (
            f"totals.labels is empty, and totals.empty lacks {', '.join(sorted(lacking))}; "
            f"expected one of them: a row of data may lack {', '.join(contract.totals.empty)} too"
        )


def _judge_names(contract: Contract) -> Iterator[str]:
    """Each name of a header may mean one thing only."""
    meanings: dict[str, str] = {}
    named: dict[str, Headers] = {
        **{f"columns.{column.name}": column.headers for column in contract.columns},
        **{f"breakdowns.{name}": headers for name, headers in contract.breakdowns.items()},
        "fold": contract.fold,
        "dates.end_headers": contract.dates.end_headers,
        "recognised_by": Headers({"": contract.recognised_by}),
    }
    for place, headers in named.items():
        for name in headers.list_names():
            if name.count(_CURRENCY) > 1 or "{" in name.replace(_CURRENCY, ""):
                yield f"{place}: the name {name!r} may hold {_CURRENCY} once and no other brace"
            other = meanings.setdefault(name.casefold(), place)
            if other != place:
                yield f"the name {name!r} stands in {other} and in {place}"
