"""The time zone that the lines before a header say the days of a report are meant in. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.read.header import read_names

MAX_LENGTH: Final = 100
"""Of a zone's words, in characters; what is longer is none."""


def find_zone(lines: Sequence[str], labels: Sequence[str], *, delimiter: str) -> str | None:
    """The zone that a preamble names, in its own words; None where it names none.

    Args:
        lines: Those before the header.
        labels: How a line begins that says it, such as `Time zone:`; compared without case.
        delimiter: For a line that is a row of cells.
    """
    for line in lines:
        for text in _list_texts(line, delimiter):
            for label in labels:
                if not text.casefold().startswith(label.casefold()):
                    continue
                zone = " ".join(text[len(label) :].strip(delimiter + ' "').split())
                if zone and zone.isprintable() and len(zone) <= MAX_LENGTH:
                    return zone
    return None


def _list_texts(line: str, delimiter: str) -> Iterator[str]:
    """The line as a whole, since its words may have commas; first cells where any is quoted."""
    if '"' not in line:
        yield line.strip()
        return
    cells = [cell.strip() for cell in read_names(line, delimiter)]
    yield "".join(cells[:1])
    yield " ".join(cells[:2])
