"""Prints records and tables in the form that was asked for."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pipeline.cli.command import Session
from pipeline.cli.options import Format
from pipeline.errors import UsageError
from pipeline.export.target import FolderTarget
from pipeline.kpi.output import render_cells, render_csv, render_json, to_json
from pipeline.kpi.query import Result
from pipeline.report.console import make_section, print_section
from pipeline.report.content import DASH, make_printable

_DIGITS = 6
"""Of a float in a table; JSON and CSV have all of them."""

_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]+:/")
"""How the name of what lies in a store begins; as a path it has lost one of two slashes."""

_NULL = "is null: there is no value, or none is known"


def print_result(
    result: Result, *, form: Format, title: str = "", dash: str = _NULL, safe: bool = False
) -> None:
    """Prints rows: JSON as a list of objects, CSV with a header, or a table.

    Args:
        result: The rows.
        form: How they are printed.
        title: Of a table.
        dash: What a dash means, said below a table that has any.
        safe: Whether texts of a CSV that a spreadsheet could take for a formula get an apostrophe.
    """
    if form is Format.JSON:
        sys.stdout.write(render_json(result))
    elif form is Format.CSV:
        _write_csv(make_safe(result) if safe else result)
    else:
        section = make_section(
            title, names=result.columns, rows=render_cells(result, digits=_DIGITS, null=DASH)
        )
        has_dash = any(DASH in row for row in section.rows)
        print_section(section, file=sys.stdout, notes=[f"{DASH} {dash}"] if has_dash else [])


def print_plan(result: Result) -> None:
    """Prints the last column of rows as it is, line by line: the plans of a statement."""
    for row in result.rows:
        lines = map(make_printable, str(row[-1]).splitlines())
        sys.stdout.writelines(f"{line}\n" for line in lines)


def print_record(record: Mapping[str, Any], *, form: Format) -> None:
    """Prints one record: JSON as one object, CSV as one row, else a line a field."""
    if form is Format.JSON:
        sys.stdout.write(to_json(dict(record)) + "\n")
    elif form is Format.CSV:
        print_result(Result(tuple(record), (tuple(record.values()),)), form=form)
    else:
        print_result(Result(("field", "value"), tuple(record.items())), form=form)


def print_tables(tables: Mapping[str, Sequence[Mapping[str, Any]]], *, form: Format) -> None:
    """Prints named tables of records, as `print_results`."""
    results = {
        name: Result(tuple(rows[0]) if rows else (), tuple(tuple(row.values()) for row in rows))
        for name, rows in tables.items()
    }
    print_results(results, form=form)


def print_results(results: Mapping[str, Result], *, form: Format, safe: bool = False) -> None:
    """Prints named tables, as `print_result`: JSON as one object of lists, else one by one."""
    if form is Format.JSON:
        objects = {name: result.to_dicts() for name, result in results.items()}
        sys.stdout.write(to_json(objects) + "\n")
        return
    for name, result in results.items():
        if form is Format.CSV:
            print_result(result, form=form, safe=safe)
            sys.stdout.write("\n")
        else:
            print_result(result, form=form, title=name)


def make_safe(result: Result) -> Result:
    """Puts an apostrophe before texts that a spreadsheet could take for formulas, as an export."""
    columns = (_neutralise(cells) for cells in zip(*result.rows, strict=True))
    return Result(tuple(_neutralise(result.columns)), tuple(zip(*columns, strict=True)))


def _neutralise(cells: Sequence[object]) -> list[Any]:
    import polars as pl  # only where it is asked for: it takes longer than most KPIs

    from pipeline.export.seed_csv import neutralise_formulas

    texts = pl.Series(
        "text", [cell if isinstance(cell, str) else None for cell in cells], pl.String
    )
    changed = neutralise_formulas(texts.to_frame())["text"]
    return [cell if text is None else text for cell, text in zip(cells, changed, strict=True)]


def _write_csv(result: Result) -> None:
    """Files and programs get each byte of a cell, a terminal nothing that it could obey."""
    text = render_csv(result)
    if sys.stdout.isatty():
        text = "\n".join(map(make_printable, text.split("\n")))
    sys.stdout.write(text)


def locate(place: Path) -> Path:
    """The full name of a file or folder, without links.

    Raises:
        UsageError: It is the name of a bucket or a web page, or in the home of somebody whom this
            machine does not know.
    """
    if _SCHEME.match(str(place)):
        raise UsageError(
            f"{place} is no place on this machine; name a file or folder here, and copy it from "
            f"there"
        )
    try:
        return Path(os.path.realpath(place.expanduser()))
    except RuntimeError as error:
        raise UsageError(f"{place}: {error}") from error


@contextlib.contextmanager
def open_file(file: Path) -> Iterator[IO[bytes]]:
    """A file of this machine to write into, that is there whole or not at all.

    Args:
        file: Its name; of a symbolic link, what it points at is written.

    Raises:
        UsageError: It is a folder, or what a file must not replace, such as a pipe or a device.
        StorageError: It cannot be written.
    """
    place = locate(file)
    if place.is_dir():
        raise UsageError(f"{file} is a folder; name a file")
    named = file.expanduser()  # not the place: the link of a pipe in /proc leads to no other name
    if named.exists() and (not named.is_file() or _is_output(named)):
        raise UsageError(f"{file} is a pipe, a device or the output itself; name a file")
    target = FolderTarget(place.parent)
    with target.open_workspace() as workspace:
        unfinished = workspace / place.name
        with unfinished.open("wb") as sink:
            yield sink
        target.publish(unfinished)


def _is_output(file: Path) -> bool:
    """Whether the standard output goes into a file, as where it is named /dev/stdout."""
    try:
        return os.path.samestat(file.stat(), os.fstat(1))
    except OSError:  # it is closed
        return False


def keep_out_of_lake(place: Path, session: Session, *, allowed: str | None = None) -> None:
    """Refuses a place for results in the lake: among the deliveries they would be one.

    Args:
        place: A file or folder.
        session: Whose lake it is.
        allowed: A folder of the lake that results may be written to.

    Raises:
        UsageError: It lies in the lake, and not in that folder; or it cannot be found.
    """
    target, lake = locate(place), Path(session.lake.uri).resolve()
    if allowed is not None and target.is_relative_to(lake / allowed):
        return
    if target.is_relative_to(lake):
        raise UsageError(f"{place} lies in the lake itself; write to another folder")
