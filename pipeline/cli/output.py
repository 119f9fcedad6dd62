"""Prints records and tables in the form that was asked for."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.cli.options import Format
from pipeline.kpi.output import render_cells, render_csv, render_json, to_json
from pipeline.kpi.query import Result
from pipeline.report.console import make_section, print_section
from pipeline.report.content import DASH, make_printable

_DIGITS = 6
"""Of a float in a table; JSON and CSV have all of them."""


def print_result(result: Result, *, form: Format, title: str = "") -> None:
    """Prints rows: JSON as a list of objects, CSV with a header, or a table."""
    if form is Format.JSON:
        sys.stdout.write(render_json(result))
    elif form is Format.CSV:
        _write_csv(result)
    else:
        section = make_section(
            title, names=result.columns, rows=render_cells(result, digits=_DIGITS, null=DASH)
        )
        print_section(section, file=sys.stdout)


def print_record(record: Mapping[str, Any], *, form: Format) -> None:
    """Prints one record: JSON as one object, CSV as one row, else a line a field."""
    if form is Format.JSON:
        sys.stdout.write(to_json(dict(record)) + "\n")
    elif form is Format.CSV:
        print_result(Result(tuple(record), (tuple(record.values()),)), form=form)
    else:
        print_result(Result(("field", "value"), tuple(record.items())), form=form)


def print_tables(tables: Mapping[str, Sequence[Mapping[str, Any]]], *, form: Format) -> None:
    """Prints named tables: JSON as one object of lists, else one after the other."""
    if form is Format.JSON:
        sys.stdout.write(to_json(dict(tables)) + "\n")
        return
    for name, rows in tables.items():
        columns = tuple(rows[0]) if rows else ()
        result = Result(columns, tuple(tuple(row.values()) for row in rows))
        if form is Format.CSV:
            _write_csv(result)
            sys.stdout.write("\n")
        else:
            print_result(result, form=form, title=name)


def _write_csv(result: Result) -> None:
    """Files and programs get each byte of a cell, a terminal nothing that it could obey."""
    text = render_csv(result)
    if sys.stdout.isatty():
        text = "\n".join(map(make_printable, text.split("\n")))
    sys.stdout.write(text)
