"""Judges rows by a contract: each is accepted, or rejected with the first fault that it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.contracts import Column, Contract, Dialect
from pipeline.contracts.model import Headers
from pipeline.schema import END_CELL, PART_CELL, REST_CELL, SEGMENT
from pipeline.validate.cast import Faults, cast_column
from pipeline.validate.coverage import find_coverage
from pipeline.validate.flags import count_flags
from pipeline.validate.parts import cast_parts
from pipeline.validate.rules import (
    judge_campaign,
    judge_clicks,
    judge_column,
    judge_dates,
    judge_length,
    judge_one_day,
    judge_segment,
)

_BESIDE = (PART_CELL, REST_CELL)
_LONGEST_SEGMENT = 1000

Period = tuple[date, date]
Taken = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of some rows.

    Attributes:
        accepted: Typed rows: those of the contract's columns that the input had, by canonical
            name; `segment`, `PART_CELL` and `REST_CELL` where it had them; of typed rows also
            what else they had.
        kept: For each row of the input, whether it was accepted.
        coverage: As of `find_coverage`.
        bounds: First and last day that the rows may have, both included.
        faults: The first fault of each rejected row, by its index in the input.
        remarks: Counts, by name, of what is worth a look among the accepted rows: cells of
            binary `noise`, cells that the contract has `rounded`, and rows by `count_flags`.
    """

    accepted: pl.DataFrame
    kept: pl.Series
    coverage: pl.DataFrame
    bounds: Period
    faults: Faults
    remarks: dict[str, int]


def validate_texts(
    texts: pl.DataFrame,
    contract: Contract,
    dialect: Dialect,
    *,
    delivered_on: date,
    period: Period | None = None,
) -> Verdict:
    """Judges rows of text.

    Args:
        texts: String columns without nulls and outer blanks: those of the contract's columns
            that the file has, in parts where they are added up (`parts.cast_parts`), with `date`;
            `segment` where a breakdown gives it; `END_CELL`, `PART_CELL` and `REST_CELL` where
            there are such.
        contract: What the rows must be.
        dialect: How they are written.
        delivered_on: UTC day of the delivery, from which the dates are measured.
        period: First and last day that the file declares, both included.
    """
    faults: Faults = {}
    taken: dict[str, list[int]] = {}
    typed: list[pl.Series] = []
    for column in contract.columns:
        if column.name not in texts.columns:
            continue
        # A row needs one fault; but its date is needed for coverage, whatever else it has.
        skip = () if column.name == "date" else faults
        casting = cast_parts(texts, column, dialect, skip=skip)
        for row, fault in casting.faults.items():
            faults.setdefault(row, fault)
        for name, rows in casting.taken.items():
            taken.setdefault(name, []).extend(rows)
        judge_column(faults, casting.values, column)
        typed.append(casting.values.alias(column.name))
    frame = pl.DataFrame(typed)
    if SEGMENT in texts.columns and SEGMENT not in frame.columns:
        frame = frame.with_columns(texts[SEGMENT])
        judge_segment(faults, texts[SEGMENT])
        judge_length(faults, texts[SEGMENT], ("text_too_long", SEGMENT), _LONGEST_SEGMENT)
    if END_CELL in texts.columns:
        _judge_end(faults, texts, frame["date"], dialect)
    frame = frame.with_columns(texts[name] for name in _BESIDE if name in texts.columns)
    return _decide(frame, contract, faults, taken, delivered_on=delivered_on, period=period)


def validate_typed(rows: pl.DataFrame, contract: Contract, *, delivered_on: date) -> Verdict:
    """Judges rows that have their types already.

    Args:
        rows: The contract's columns with the types of `cast.DTYPES`, and `date`, among others.
        contract: What the rows must be.
        delivered_on: As for `validate_texts`.
    """
    faults: Faults = {}
    for column in contract.columns:
        if column.name in rows.columns:
            judge_column(faults, rows[column.name], column)
    return _decide(rows, contract, faults, {}, delivered_on=delivered_on, period=None)


def _judge_end(faults: Faults, texts: pl.DataFrame, dates: pl.Series, dialect: Dialect) -> None:
    # Written as the date is, it is the date, and need not be read.
    if not (texts[END_CELL] != texts["date"]).any():
        return
    column = Column(name="date", headers=Headers({}), type="date")
    ends = cast_column(texts[END_CELL], column, dialect, skip=faults).values
    judge_one_day(faults, dates, ends, texts[END_CELL])


def _move(day: date, days: int) -> date:
    """The day so many days later, or the calendar's first or last."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _decide(
    rows: pl.DataFrame,
    contract: Contract,
    faults: Faults,
    taken: Taken,
    *,
    delivered_on: date,
    period: Period | None,
) -> Verdict:
    first = _move(delivered_on, -contract.dates.max_age_days)
    last = _move(delivered_on, contract.dates.max_ahead_days)
    judge_campaign(faults, rows, contract)
    judge_dates(faults, rows["date"], (first, last), period)
    judge_clicks(faults, rows, contract)
    if period is not None:
        first, last = max(first, period[0]), min(last, period[1])
    kept = pl.repeat(value=True, n=rows.height, dtype=pl.Boolean, eager=True)
    if faults:
        kept = kept.scatter(sorted(faults), values=False)
    accepted = rows.filter(kept) if faults else rows
    remarks = {name: sum(row not in faults for row in places) for name, places in taken.items()}
    return Verdict(
        accepted=accepted,
        kept=kept,
        coverage=find_coverage(rows, contract, rows["date"].is_between(first, last)),
        bounds=(first, last),
        faults=faults,
        remarks={name: count for name, count in remarks.items() if count}
        | count_flags(accepted, contract),
    )
