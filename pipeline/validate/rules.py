"""The rules that typed rows are judged by, one column at a time and between columns.

Each adds to the faults by row; a row keeps the first fault that was found.
"""

from datetime import date

import polars as pl

from pipeline.contracts import Column, Contract
from pipeline.schema import Fault
from pipeline.validate.cast import Faults

# Joiners and directional marks are invisible: two ids that look the same would differ.
_INVISIBLE = r"[\p{Cc}\p{Cf}]"
_CURRENCY = "^[A-Z]{3}$"
_LONGEST_VALUE = 200
_CAMPAIGN = ("campaign_id", "campaign_name")


def judge_column(faults: Faults, values: pl.Series, column: Column) -> None:
    """Adds the faults of one column's typed values; those of its texts are in already."""
    name = column.name
    if column.required and values.null_count():
        is_id = column.identifier and name == "campaign_id"
        note(faults, values, values.is_null(), ("missing_id" if is_id else f"missing_{name}", name))
    if column.minimum is not None:
        rule = f"negative_{name}" if column.minimum == 0 else "out_of_range"
        expected = f"at least {column.minimum}"
        note(faults, values, values < column.minimum, (rule, name), expected)
    if column.values:
        unknown = ~values.is_in(column.values)
        note(faults, values, unknown, (f"unknown_{name}", name), _name_some(column))
    if name == "currency":
        wrong = ~values.str.contains(_CURRENCY)
        note(faults, values, wrong, ("unknown_currency", name), "three capital letters")
    if column.type == "text":
        rule = "id_too_long" if column.identifier else "text_too_long"
        judge_length(faults, values, (rule, name), column.max_length)
    if column.identifier:
        invisible = values.str.contains(_INVISIBLE)
        note(faults, values, invisible, ("control_char", name), "no invisible characters")


def judge_length(faults: Faults, values: pl.Series, place: tuple[str, str], longest: int) -> None:
    """Adds the texts of more than some characters; `place` is rule and column."""
    long = values.str.len_chars() > longest
    note(faults, values, long, place, f"at most {longest} characters")


def judge_segment(faults: Faults, segments: pl.Series) -> None:
    """Adds the rows that say nothing in a column that splits the others: they sum these up."""
    note(faults, segments, segments == "", ("missing_segment", "segment"), "what the row is of")


def judge_campaign(faults: Faults, rows: pl.DataFrame, contract: Contract) -> None:
    """Adds the rows that no campaign's id or name tells apart, where neither is required."""
    columns = [column for column in contract.columns if column.name in _CAMPAIGN]
    given = any(contract.constants.get(name) for name in _CAMPAIGN)
    if given or not columns or any(column.required for column in columns):
        return
    found = [rows[column.name] for column in columns if column.name in rows.columns]
    nameless = pl.repeat(value=True, n=rows.height, dtype=pl.Boolean, eager=True)
    for values in found:
        nameless &= values.is_null()
    expected = " or ".join(column.name for column in columns)
    _note_texts(
        faults, nameless, ("missing_id", columns[0].name), [""] * int(nameless.sum()), expected
    )


def judge_dates(
    faults: Faults,
    dates: pl.Series,
    plausible: tuple[date, date],
    period: tuple[date, date] | None,
) -> None:
    """Adds the dates that are not plausible, or outside the period that the file declares."""
    for bounds, rule in ((plausible, "date_out_of_range"), (period, "outside_period")):
        if bounds is not None:
            outside = ~dates.is_between(*bounds)
            note(faults, dates, outside, (rule, "date"), f"{bounds[0]} to {bounds[1]}")


def judge_one_day(faults: Faults, dates: pl.Series, ends: pl.Series, texts: pl.Series) -> None:
    """Adds the rows whose last day is not their date.

    Args:
        faults: By row.
        dates: Of the rows.
        ends: Their last days, null where the text is no day.
        texts: What was written for it.
    """
    other = ends.ne_missing(dates) & dates.is_not_null()
    note(faults, texts, other, ("not_one_day", "date"), "a last day that is the row's date")


def judge_clicks(faults: Faults, rows: pl.DataFrame, contract: Contract) -> None:
    """Adds the rows of more clicks than impressions, by the rule `clicks_le_impressions`."""
    if "clicks_le_impressions" not in contract.rules or not _has(rows, "clicks", "impressions"):
        return
    clicks, impressions = rows["clicks"], rows["impressions"]
    for row in (clicks > impressions).arg_true().to_list():
        if row not in faults:
            expected = f"at most the {impressions[row]} impressions"
            faults[row] = Fault("clicks_gt_impressions", "clicks", str(clicks[row]), expected)


def note(
    faults: Faults,
    values: pl.Series,
    wrong: pl.Series,
    place: tuple[str, str],
    expected: str = "a value",
) -> None:
    """Adds a fault for each row that is wrong and has none yet.

    Args:
        faults: By row.
        values: What was found.
        wrong: Whether it breaks the rule; null counts as no.
        place: Rule and column.
        expected: What would have been right.
    """
    rows = wrong.arg_true()
    if not len(rows):
        return
    found = ["" if value is None else str(value) for value in values.gather(rows).to_list()]
    _note_texts(faults, wrong, place, found, expected)


def _note_texts(
    faults: Faults, wrong: pl.Series, place: tuple[str, str], found: list[str], expected: str
) -> None:
    rule, column = place
    for row, text in zip(wrong.arg_true().to_list(), found, strict=True):
        if row not in faults:
            faults[row] = Fault(rule, column, text[:_LONGEST_VALUE], expected)


def _has(rows: pl.DataFrame, *names: str) -> bool:
    return set(names) <= set(rows.columns)


def _name_some(column: Column) -> str:
    named = ", ".join(column.values[:3])
    more = len(column.values) - 3
    return f"one of {named}" + (f" and {more} more" if more > 0 else "")
