"""The same export with quotes around each cell, or around none."""

import csv
import io
from dataclasses import replace
from typing import Final, Literal, get_args

from tests.exports.facts import Export

Quoting = Literal["as made", "all", "none"]
QUOTINGS: Final[tuple[Quoting, ...]] = get_args(Quoting)


def quote(export: Export, quoting: Quoting) -> Export:
    """An export of text with other quotes.

    Without any, cells lose what would need them: delimiters, quotes and line ends.
    """
    if quoting == "as made":
        return export
    encoding = _find_encoding(export.data)
    text = export.data.decode(encoding)
    end = "\r\n" if "\r\n" in text else "\n"
    mark = max(",;\t", key=text.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    if quoting == "none":
        bare = str.maketrans({mark: None, '"': "'", "\r": None, "\n": " "})
        rows = [[cell.translate(bare) for cell in row] for row in rows]
    sink = io.StringIO(newline="")
    style = csv.QUOTE_ALL if quoting == "all" else csv.QUOTE_MINIMAL
    csv.writer(sink, delimiter=mark, lineterminator=end, quoting=style).writerows(rows)
    return replace(
        export, name=f"{export.name}, quotes: {quoting}", data=sink.getvalue().encode(encoding)
    )


def _find_encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"
