"""The first rows of a text file of which no contract is known."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.contracts.model import Encoding
from pipeline.errors import BadFileError
from pipeline.read.encoding import allows, decode_head, decode_lines, find_mark
from pipeline.read.header import read_names
from pipeline.read.kind import refuse_other_kinds

DELIMITERS: Final = (",", ";", "\t", "|")
SAMPLE_BYTES: Final = 1 << 16
SAMPLE_ROWS: Final = 200
_MOST_LINES: Final = 1_000
_ENCODINGS: Final[tuple[Encoding, ...]] = ("utf-8", "utf-16", "windows-1252")


class Sample(NamedTuple):
    """What the head of a file shows.

    Attributes:
        encoding: The first that decodes it.
        delimiter: What stands between cells.
        header_line: Line of the header, from 1.
        names: The cells of the header.
        rows: Those of the first rows, as many as names in each.
    """

    encoding: Encoding
    delimiter: str
    header_line: int
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def take(self, place: int) -> list[str]:
        """The texts of one column, without outer blanks."""
        return [row[place].strip() for row in self.rows]


def take_sample(path: Path) -> Sample:
    """Reads the head of a text file.

    The header is the first line of the widest kind: as many cells as most lines have, all named
    but for the first one, as the number of a row is no column with a name to some programs.

    Raises:
        BadFileError: It is no text with lines, or has no line that could be a header.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    refuse_other_kinds(head)
    encoding, lines = _decode(head)
    found = (_find_table(lines, delimiter) for delimiter in DELIMITERS)
    tables = [table for table in found if table is not None]
    if not tables:
        raise BadFileError(
            "header_mismatch",
            "no line looks like a header: expected two names or more, with a comma, semicolon, "
            "tab or bar between them, and rows of as many cells below",
        )
    delimiter, place, cells = max(tables, key=lambda table: len(table[2][0]))
    names, *rows = cells
    return Sample(encoding, delimiter, place + 1, names, tuple(rows[:SAMPLE_ROWS]))


def _decode(head: bytes) -> tuple[Encoding, list[str]]:
    """The whole lines of a head in the first encoding that all of them are in."""
    mark = find_mark(head)
    for encoding in _ENCODINGS:
        if allows(mark, encoding):
            lines = decode_lines(head, encoding, _MOST_LINES)
            whole = lines[:-1] if len(head) == SAMPLE_BYTES else lines
            if None not in whole:
                return encoding, [line or "" for line in whole]
    return "windows-1252", decode_head(head, "windows-1252").splitlines()


def _find_table(
    lines: Iterable[str], delimiter: str
) -> tuple[str, int, list[tuple[str, ...]]] | None:
    """The delimiter, the header's line from 0, and the cells of it and of the rows below."""
    cells = [tuple(read_names(line, delimiter)) for line in lines]
    widths = Counter(len(row) for row in cells if len(row) > 1)
    if not widths:
        return None
    width = max(widths, key=lambda one: (widths[one], one))
    for place, row in enumerate(cells):
        if len(row) == width and all(name.strip() for name in row[1:]):
            return delimiter, place, [one for one in cells[place:] if len(one) == width]
    return None
