"""Shows tables of cells on a terminal, or as plain text where the output is none."""

from collections.abc import Sequence
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.report.content import DASH, Column, Section, make_printable
from pipeline.report.summary import Report

PLAIN_GAP: Final = "  "
NO_ROWS: Final = "no rows"


def print_report(report: Report, *, file: TextIO, width: int | None = None) -> None:
    """Writes the report.

    Args:
        report: What to write.
        file: Where to; colours and lines are used only if it is a terminal.
        width: Columns of the terminal; found out where it is None.
    """
    for section in (Section(report.title, (), ()), *report.sections):
        notes = [*section.note.splitlines(), *section.reasons]
        print_section(section, file=file, width=width, notes=notes, no_rows=report.no_rows)


def print_section(
    section: Section,
    *,
    file: TextIO,
    width: int | None = None,
    notes: Sequence[str] = (),
    no_rows: str = NO_ROWS,
) -> None:
    """Writes one table under its title, if it has one, and an empty line.

    A table that is wider than the terminal is written as a list of its rows, so that no figure is
    cut or broken over two lines. Long names stand above their figures, unless the terminal has room
    for both.

    Args:
        section: The table.
        file: As for `print_report`.
        width: Likewise.
        notes: Lines below the table.
        no_rows: Stands in place of a table without rows.
    """
    console = Console(file=file, width=width, highlight=False, soft_wrap=not file.isatty())
    if section.title:
        console.print(Text(section.title, style="bold"))
    if section.columns and not section.rows:
        console.print(Text(no_rows))
    elif section.columns and console.is_terminal and _measure(section) <= console.width:
        console.print(_make_table(section))
    elif section.columns:
        console.print(Text("\n".join(_write_lines(section, console))))
    for note in notes:
        console.print(Text(note, style="dim"))
    console.print()


def make_section(title: str, *, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Section:
    """A table of cells that are text already, with a column on the right where all are numbers."""
    columns = tuple(
        Column(
            make_printable(name), numeric=bool(rows) and all(_is_number(row[place]) for row in rows)
        )
        for place, name in enumerate(names)
    )
    return Section(title, columns, tuple(tuple(map(make_printable, row)) for row in rows))


def _is_number(cell: str) -> bool:
    return (
        cell in {"", DASH} or cell.lstrip("-").replace(".", "", 1).replace("e-", "", 1).isdecimal()
    )


def _make_table(section: Section) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0, header_style="bold")
    for column in section.columns:
        table.add_column(
            Text(column.heading), justify="right" if column.numeric else "left", no_wrap=True
        )
    for row in section.rows:
        table.add_row(*map(Text, row))
    return table


def _find_widths(section: Section) -> list[int]:
    lines = [[column.heading for column in section.columns], *section.rows]
    return [max(Text(cell).cell_len for cell in cells) for cells in zip(*lines, strict=True)]


def _measure(section: Section) -> int:
    widths = _find_widths(section)
    return sum(widths) + len(widths) - 1


def _write_lines(section: Section, console: Console) -> list[str]:
    """A table without lines, of any width; on a terminal that has no room for it, a list."""
    lines = _stack(section) if section.long_names else _align(section)
    if not console.is_terminal:
        return lines
    figures = lines[::2] if section.long_names else lines
    is_room = all(Text(line).cell_len <= console.width for line in figures)
    return lines if section.long_names and is_room else _list_rows(section)


def _stack(section: Section) -> list[str]:
    """The figures of each row below its name, and the headings above them all."""
    rest = Section("", section.columns[1:], tuple(row[1:] for row in section.rows))
    heading, *figures = _align(rest)
    pairs = zip(section.rows, figures, strict=True)
    return [heading, *(line for row, below in pairs for line in (row[0], below))]


def _align(section: Section) -> list[str]:
    widths = _find_widths(section)
    lines = [[column.heading for column in section.columns], *section.rows]
    return [
        PLAIN_GAP.join(
            _pad(cell, width=width, right=column.numeric)
            for cell, width, column in zip(line, widths, section.columns, strict=True)
        ).rstrip()
        for line in lines
    ]


def _pad(cell: str, *, width: int, right: bool) -> str:
    # By cells of the terminal, not characters: some characters are two cells wide.
    space = " " * (width - Text(cell).cell_len)
    return space + cell if right else cell + space


def _list_rows(section: Section) -> list[str]:
    indent = max(len(column.heading) for column in section.columns)
    lines: list[str] = []
    for row in section.rows:
        lines += [
            f"{column.heading:<{indent}}  {cell}"
            for column, cell in zip(section.columns, row, strict=True)
        ]
        lines.append("")
    return lines[:-1]
