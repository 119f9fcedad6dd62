"""What the lines before a header say behind a label, such as the time zone of the days. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.read.header import read_names

MAX_LENGTH: Final = 100
"""Of the words, in characters; what is longer says nothing."""


def find_labelled(lines: Sequence[str], labels: Sequence[str], *, delimiter: str) -> str | None:
    """What stands behind a label in a preamble, in its own words; None where nothing does.

    Args:
        lines: Those before the header.
        labels: How a line begins that has one, such as `Time zone:`; compared without case.
        delimiter: For a line that is a row of cells.
    """
    for line in lines:
        for text in _list_texts(line, delimiter):
            for label in labels:
                if not text.casefold().startswith(label.casefold()):
                    continue
                words = " ".join(text[len(label) :].strip(delimiter + ' "').split())
                if words and words.isprintable() and len(words) <= MAX_LENGTH:
                    return words
    return None


def _list_texts(line: str, delimiter: str) -> Iterator[str]:
    """The line as a whole, since its words may have commas; first cells where any is quoted."""
    if '"' not in line:
        yield line.strip()
        return
    cells = [cell.strip() for cell in read_names(line, delimiter)]
    yield "".join(cells[:1])
    yield " ".join(cells[:2])
