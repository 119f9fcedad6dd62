"""Tables in documents that are made from the code; `make docs` writes them anew."""

import re
from collections.abc import Callable, Mapping

from tests.docs import kpi_tables, licences
from tests.docs.documents import ROOT

MADE: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "docs/kpis.md": kpi_tables.make_tables,
    "docs/licences.md": licences.make_tables,
}
"""By document, what makes its tables by their headings."""


def renew(name: str, text: str) -> str:
    """The text of a document with its made tables as they must be."""
    for heading, table in MADE[name]().items():
        pattern = rf"(\n## {heading}\n\n(?:[^|\n#].*\n|\n)*)(?:\|.*\n)+"
        found = re.search(pattern, text)
        assert found, heading
        text = text[: found.start()] + found[1] + table + text[found.end() :]
    return text


if __name__ == "__main__":
    for name in MADE:
        path = ROOT / name
        path.write_text(renew(name, path.read_text(encoding="utf-8")), encoding="utf-8")
