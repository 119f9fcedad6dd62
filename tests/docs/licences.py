"""The tables of docs/licences.md, from the locked requirements and what packages say themselves."""

import re
from email.message import Message
from importlib import metadata
from typing import cast

from tests.docs.documents import read_document, read_table, write_table

NEEDED = "What adlake needs"
DEVELOPED = "What its developers need"
LOCKED = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)
LONGEST = 60
"""Of a licence's name; a longer text is the licence itself."""

SAID_ELSEWHERE = {"pyyaml-ft": "MIT"}
"""What a package's metadata does not say, as the licence that it brings does."""


def make_tables() -> dict[str, str]:
    """Each table by its heading."""
    needed, every = list_locked("core"), list_locked("dev")
    more = {package: version for package, version in every.items() if package not in needed}
    head = "| package | version | licence |"
    return {
        NEEDED: write_table(head, _make_rows(needed)),
        DEVELOPED: write_table(head, _make_rows(more)),
    }


def list_locked(name: str) -> dict[str, str]:
    """The packages of a file in requirements/, and their versions."""
    return dict(LOCKED.findall(read_document(f"requirements/{name}.txt")))


def _make_rows(packages: dict[str, str]) -> list[str]:
    return [
        f"| `{package}` | {version} | {find_licence(package, version)} |"
        for package, version in sorted(packages.items())
    ]


def find_licence(package: str, version: str) -> str:
    """What a package says of its licence, or the document, where that very one is not installed."""
    if package in SAID_ELSEWHERE:
        return SAID_ELSEWHERE[package]
    try:
        said = cast(Message, metadata.metadata(package))  # its annotation promises less
    except metadata.PackageNotFoundError:
        return _find_documented(package)
    if said["Version"] != version:
        return _find_documented(package)
    if expression := said.get("License-Expression"):
        return str(expression)
    classifiers = [
        text.split(" :: ")[-1]
        for text in said.get_all("Classifier", [])
        if text.startswith("License :: ") and text != "License :: OSI Approved"
    ]
    text = str(said.get("License") or "").strip()
    is_name = 0 < len(text) <= LONGEST and "\n" not in text
    return ", ".join(classifiers) or (text if is_name else "")


def _find_documented(package: str) -> str:
    rows = [row for heading in (NEEDED, DEVELOPED) for row in read_licences(heading)]
    return next((licence for name, _, licence in rows if name == package), "")


def read_licences(heading: str) -> list[tuple[str, str, str]]:
    """Package, version and licence of each row that stands in the document."""
    rows = read_table("docs/licences.md", f"## {heading}")
    return [(name.strip("`"), version, licence) for name, version, licence in rows]
