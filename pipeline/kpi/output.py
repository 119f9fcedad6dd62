"""Rows as JSON, CSV, or cells of text.

A value is written the same way in each: a decimal exactly and without trailing zeros, a float in
its shortest form that reads back the same, a date as ISO, null as null or as nothing.
"""

import csv
import io
import json
import math
from datetime import date, datetime, time
from decimal import Decimal

from pipeline.kpi.query import Result


def render_json(result: Result) -> str:
    """A JSON list with one object a row, ended by a line end.

    Decimals are JSON numbers with all their digits. JSON has no NaN and no infinity, which only a
    person's own query can bring: they are null.
    """
    objects = [f"\n  {to_json(row)}" for row in result.to_dicts()]
    return "[" + ",".join(objects) + ("\n]\n" if objects else "]\n")


def to_json(value: object) -> str:
    """A value as JSON on one line, with all digits of its decimals.

    Args:
        value: What a result holds, or dicts and lists of it.
    """
    if isinstance(value, dict):
        items = (f"{to_json(str(key))}: {to_json(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(to_json, value)) + "]"
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float, Decimal)):
        return _write_number(value) or "null"
    return json.dumps(_write_other(value), ensure_ascii=False)


def render_csv(result: Result, *, header: bool = True) -> str:
    """CSV, with a header or without; null, NaN and infinity are empty."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    if header:
        writer.writerow(result.columns)
    writer.writerows(render_cells(result))
    return sink.getvalue()


def render_cells(
    result: Result, *, digits: int | None = None, null: str = ""
) -> list[tuple[str, ...]]:
    """Each value as text.

    Args:
        result: The rows.
        digits: Significant digits of a float, for people; all of them where it is None.
        null: Stands for null, and for a float that is no number.
    """
    return [
        tuple(null if is_nothing(value) else _write_cell(_round(value, digits)) for value in row)
        for row in result.rows
    ]


def is_nothing(value: object) -> bool:
    """Whether there is nothing to show: null, or a float that is not a finite number."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _round(value: object, digits: int | None) -> object:
    if digits is None or not isinstance(value, float) or not math.isfinite(value):
        return value
    return float(f"{value:.{digits}g}")


def _write_cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return to_json(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return _write_number(value) or ""
    return _write_other(value)


def _write_number(value: float | Decimal) -> str | None:
    """A number as JSON and CSV have it, or None where it is not a number at all."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return repr(value) if math.isfinite(value) else None


def _write_other(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("+00:00") + ("Z" if value.tzinfo else "")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
