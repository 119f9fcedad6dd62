"""Refuses files that are no text with lines, by their head. Pure."""

import re
from typing import Final

from pipeline.errors import BadFileError
from pipeline.read.encoding import decode_head, find_mark

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f]")
_MAX_CONTROL_SHARE: Final = 0.05
_DOCUMENTS: Final = {
    b"%PDF-": "a PDF document; expected CSV: export it again as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; expected CSV: save it as CSV",
}
"""How files begin that people take for an export, and what they are."""


def refuse_other_kinds(head: bytes) -> None:
    """Lets only the beginning of a text file with lines pass.

    Raises:
        BadFileError: `encoding` (UTF-16 without its mark), `empty_file`, `not_csv` (a document or
            markup), `header_mismatch` (JSON), `line_ending` (CR alone) or `not_text` (control
            characters).
    """
    for begin, what in _DOCUMENTS.items():
        if head.startswith(begin):
            raise BadFileError("not_csv", what)
    mark = find_mark(head)
    if mark is None and _looks_like_utf16(head):
        raise BadFileError(
            "encoding", "UTF-16 text without its byte order mark; expected one, or UTF-8"
        )
    # Latin-1 gives each byte a character, whatever the encoding is.
    text = decode_head(head, "utf-16" if mark == "utf-16" else "latin-1")
    if not text.strip():
        raise BadFileError("empty_file", "the file holds no text")
    if text.lstrip().startswith("<"):
        raise BadFileError("not_csv", "markup (XML or HTML); expected CSV")
    if re.match(r'\s*[\[{]\s*["{\[]', text):
        raise BadFileError("header_mismatch", "JSON; expected CSV with a header")
    if "\r" in text and "\n" not in text:
        raise BadFileError("line_ending", "lines end in CR alone; expected LF or CRLF")
    first = text.split("\n", 1)[0].removesuffix("\r")
    controls = len(_CONTROL.findall(text))
    if "\r" in first or _CONTROL.search(first) or controls > _MAX_CONTROL_SHARE * len(text):
        raise BadFileError("not_text", "the file holds control characters; expected text")


def _looks_like_utf16(head: bytes) -> bool:
    """Whether every other byte is mostly 0, as in the UTF-16 of Western text."""
    pairs = len(head) // 2
    if pairs < 2:
        return False
    odd, even = head[1::2].count(0), head[0::2].count(0)
    return max(odd, even) > 0.7 * pairs and min(odd, even) < 0.1 * pairs
