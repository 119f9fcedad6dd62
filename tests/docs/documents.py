"""Reads what can be checked in the documents: code blocks, tables and links.

A ```console block is a session: `$ ` begins a command, `> ` continues it, the rest is its output,
in which `...` stands for anything. `# exits with N` at a command's end is its exit code. The
comment `<!-- file: NAME -->` before a block makes it a file, `<!-- below: NAME: LINE -->` lines to
add to a file below a line of it, `<!-- output: COMMAND -->` the whole output of a command.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
)
RUNNABLE = frozenset({"console", "bash", "sh"})

_BLOCK = re.compile(
    r"(?:<!-- (?P<role>below|file|output): (?P<about>.+?) -->\n)?"
    r"```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_EXIT = re.compile(r"\s+# exits with (\d+)$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    role: str
    about: str


@dataclass(frozen=True)
class Command:
    line: str
    output: str
    code: int = 0


def read_document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def list_blocks(name: str) -> list[Block]:
    return [
        Block(match["language"], match["text"], match["role"] or "", match["about"] or "")
        for match in _BLOCK.finditer(read_document(name))
    ]


def list_commands(block: Block) -> Iterator[Command]:
    """The commands of a runnable block, in order."""
    if block.language != "console":
        for line in block.text.splitlines():
            if line.strip() and not line.startswith("#"):
                yield _make_command(line, [])
        return
    line = ""
    output: list[str] = []
    for text in block.text.splitlines():
        if text.startswith("$ "):
            if line:
                yield _make_command(line, output)
            line, output = text[2:], []
        elif text.startswith("> ") and not output:
            line += "\n" + text[2:]
        else:
            output.append(text)
    if line:
        yield _make_command(line, output)


def list_links(name: str) -> list[str]:
    return _LINK.findall(_BLOCK.sub("", read_document(name)))


def list_anchors(name: str) -> set[str]:
    """The anchors that a forge makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", read_document(name)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def read_table(name: str, heading: str, *, number: int = 1) -> list[list[str]]:
    """The cells of the n-th table below a heading, without its first two lines."""
    _, _, below = read_document(name).partition(f"\n{heading}\n")
    section = re.split(rf"^#{{1,{heading.count('#')}}} ", below, flags=re.MULTILINE)[0]
    tables = re.findall(r"(?:^\|.*\|\n)+", section, re.MULTILINE)
    assert len(tables) >= number, f"{name} has no table {number} below {heading!r}"
    lines = tables[number - 1].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def write_table(head: str, lines: list[str]) -> str:
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([head, rule, *lines]) + "\n"


def list_codes(cell: str) -> list[str]:
    """The texts in a cell that are written as code."""
    return re.findall(r"`([^`]+)`", cell)


def _make_command(line: str, output: list[str]) -> Command:
    found = _EXIT.search(line)
    code = int(found[1]) if found else 0
    return Command(_EXIT.sub("", line), "\n".join(output), code)
