"""Judges rows by a contract: each is accepted, or rejected with the first fault that it has."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipeline.contracts import Column, Contract
from pipeline.schema import Fault
from pipeline.validate.cast import Faults, cast_column

# Joiners and directional marks are invisible: two ids that look the same would differ.
_INVISIBLE = r"[\p{Cc}\p{Cf}]"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of some rows.

    Attributes:
        accepted: Typed rows: the contract's columns by canonical name, beside what else the
            rows had.
        kept: For each row of the input, whether it was accepted.
        dates: First and last plausible date in the input, in rejected rows as well.
        faults: The first fault of each rejected row, by its index in the input.
        remarks: How often something was taken that is worth a look, by name.
    """

    accepted: pl.DataFrame
    kept: pl.Series
    dates: tuple[date, date] | None
    faults: Faults
    remarks: dict[str, int]


def validate_texts(texts: pl.DataFrame, contract: Contract, *, delivered_on: date) -> Verdict:
    """Judges rows of text.

    Args:
        texts: A String column for each of the contract's columns, without nulls.
        contract: What the rows must be.
        delivered_on: UTC day of the delivery, from which the dates are measured.
    """
    faults: Faults = {}
    noise = 0
    typed = []
    for column in contract.columns:
        casting = cast_column(texts[column.name], column, contract.dialect)
        noise += casting.noise
        _add(faults, casting.faults)
        _add(faults, _judge_column(casting.values, column, set(casting.faults)))
        typed.append(casting.values.alias(column.name))
    remarks = {"noise": noise} if noise else {}
    return _decide(pl.DataFrame(typed), contract, faults, remarks, delivered_on=delivered_on)


def validate_typed(rows: pl.DataFrame, contract: Contract, *, delivered_on: date) -> Verdict:
    """Judges rows that have their types already.

    Args:
        rows: The contract's columns with the types of `cast.DTYPES`, and `date`, among others.
        contract: What the rows must be.
        delivered_on: As for `validate_texts`.
    """
    faults: Faults = {}
    for column in contract.columns:
        _add(faults, _judge_column(rows[column.name], column, set()))
    return _decide(rows, contract, faults, {}, delivered_on=delivered_on)


def _decide(
    rows: pl.DataFrame,
    contract: Contract,
    faults: Faults,
    remarks: dict[str, int],
    *,
    delivered_on: date,
) -> Verdict:
    first = delivered_on - timedelta(days=contract.dates.max_age_days)
    last = delivered_on + timedelta(days=contract.dates.max_ahead_days)
    dates = rows["date"]
    plausible = dates.is_between(first, last)
    outside = (~plausible).fill_null(value=False)
    _add(faults, _collect(dates, outside, "date_out_of_range", "date", f"{first} to {last}"))
    if "clicks_le_impressions" in contract.rules:
        _add(faults, _judge_clicks(rows["clicks"], rows["impressions"]))
    kept = pl.repeat(value=True, n=len(rows), dtype=pl.Boolean, eager=True)
    if faults:
        kept = kept.scatter(sorted(faults), values=False)
    return Verdict(
        accepted=rows.filter(kept) if faults else rows,
        kept=kept,
        dates=_find_ends(dates.filter(plausible)),
        faults=faults,
        remarks=remarks,
    )


def _find_ends(dates: pl.Series) -> tuple[date, date] | None:
    first, last = dates.min(), dates.max()
    return (first, last) if isinstance(first, date) and isinstance(last, date) else None


def _judge_column(values: pl.Series, column: Column, known: set[int]) -> Faults:
    """Faults of a column's typed values; `known` are the rows whose text was refused."""
    faults: Faults = {}
    name = column.name
    if column.required and values.null_count():
        rule = "missing_id" if column.identifier else f"missing_{name}"
        for row in values.is_null().arg_true().to_list():
            if row not in known:
                faults[row] = Fault(rule, name, "", "a value")
    if column.minimum is not None:
        below = (values < column.minimum).fill_null(value=False)
        rule = f"negative_{name}" if column.minimum == 0 else "out_of_range"
        _add(faults, _collect(values, below, rule, name, f"at least {column.minimum}"))
    if column.values:
        unknown = ~values.is_in(column.values).fill_null(value=True)
        _add(faults, _collect(values, unknown, f"unknown_{name}", name, _name_some(column)))
    if column.type == "text":
        long = (values.str.len_chars() > column.max_length).fill_null(value=False)
        rule = "id_too_long" if column.identifier else "text_too_long"
        expected = f"at most {column.max_length} characters"
        _add(faults, _collect(values, long, rule, name, expected))
    if column.identifier:
        invisible = values.str.contains(_INVISIBLE).fill_null(value=False)
        expected = "no invisible characters"
        _add(faults, _collect(values, invisible, "control_char", name, expected))
    return faults


def _judge_clicks(clicks: pl.Series, impressions: pl.Series) -> Faults:
    more = (clicks > impressions).fill_null(value=False)
    return {
        row: Fault(
            "clicks_gt_impressions",
            "clicks",
            str(clicks[row]),
            f"at most the {impressions[row]} impressions",
        )
        for row in more.arg_true().to_list()
    }


def _collect(values: pl.Series, wrong: pl.Series, rule: str, column: str, expected: str) -> Faults:
    return {
        row: Fault(rule, column, str(values[row])[:200], expected)
        for row in wrong.arg_true().to_list()
    }


def _name_some(column: Column) -> str:
    named = ", ".join(column.values[:3])
    more = len(column.values) - 3
    return f"one of {named}" + (f" and {more} more" if more > 0 else "")


def _add(faults: Faults, more: Faults) -> None:
    for row, fault in more.items():
        faults.setdefault(row, fault)
