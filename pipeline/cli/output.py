"""Prints records and tables in the form that was asked for."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.cli.options import Format
from pipeline.kpi.output import render_cells, render_csv, render_json
from pipeline.kpi.query import Result
from pipeline.report.console import make_section, print_section


def print_result(result: Result, *, form: Format, title: str = "") -> None:
    """Prints rows: JSON as a list of objects, CSV with a header, or a table."""
    if form is Format.JSON:
        sys.stdout.write(render_json(result))
    elif form is Format.CSV:
        sys.stdout.write(render_csv(result))
    else:
        section = make_section(title, names=result.columns, rows=render_cells(result))
        print_section(section, file=sys.stdout)


def print_record(record: Mapping[str, Any], *, form: Format) -> None:
    """Prints one record: JSON as one object, else a line a field."""
    if form is Format.TABLE:
        result = Result(("field", "value"), tuple(record.items()))
    else:
        result = Result(tuple(record), (tuple(record.values()),))
    if form is Format.JSON:
        sys.stdout.write(render_json(result).strip()[1:-1].strip() + "\n")
    else:
        print_result(result, form=form)


def print_tables(tables: Mapping[str, Sequence[Mapping[str, Any]]], *, form: Format) -> None:
    """Prints named tables: JSON as one object of lists, else one after the other."""
    results = {
        name: Result(tuple(rows[0]) if rows else (), tuple(tuple(row.values()) for row in rows))
        for name, rows in tables.items()
    }
    if form is Format.JSON:
        items = [f'"{name}": {render_json(result).strip()}' for name, result in results.items()]
        sys.stdout.write("{" + ",\n".join(items) + "}\n")
        return
    for name, result in results.items():
        if form is Format.CSV:
            sys.stdout.write(render_csv(result) + "\n")
        else:
            print_result(result, form=form, title=name)
