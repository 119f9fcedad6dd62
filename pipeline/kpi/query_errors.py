"""What a person is told of an SQL statement that the engine refused."""

import re
from typing import Final

_KIND: Final = re.compile(r"^(?:[A-Z][A-Za-z]* )+Error: ")
_PLACE: Final = re.compile(r"\n\s*\n?(LINE \d+: .*\n\s*\^)\s*$", re.DOTALL)
_HINTS: Final = ("Candidate bindings:", "Did you mean")
_MEMORY: Final = re.compile(r"^Out of Memory|bad[_ ]alloc|^malloc of size")
OUT_OF_MEMORY: Final = (
    "the query needs more memory than a query may have, also with what it can put on disk: select "
    "fewer columns or rows, or add them up first"
)
_DAMAGE: Final = re.compile(
    "No magic bytes found|Failed to read file|too small to be a Parquet file|TProtocolException"
    "|invalid TType|don't know what type|Out of buffer|Corrupted file|Decode bit width"
)
"""How the engine says of a Parquet file that it is none, or not whole."""


def find_damage(text: str) -> str:
    """What an engine's message says of a damaged file; empty where it is about something else.

    >>> find_damage("Invalid Input Error: No magic bytes found at end of file 'a.parquet'")
    "No magic bytes found at end of file 'a.parquet'"
    """
    return explain_error(text, "").partition("\n")[0] if _DAMAGE.search(text) else ""


def explain_error(text: str, sql: str) -> str:
    """One line on what is wrong, and the place in the statement with a mark below it.

    Args:
        text: The engine's message.
        sql: The statement.

    >>> print(explain_error("Parser Error: syntax error at end of input", "select"))
    syntax error at end of input
    LINE 1: select
                  ^
    """
    if _MEMORY.search(text):
        return OUT_OF_MEMORY
    place = _PLACE.search(text)
    said = text[: place.start()] if place else text
    first, *others = [line.strip() for line in said.splitlines() if line.strip()] or [""]
    hints = [line for line in others if line.startswith(_HINTS)]
    message = "; ".join([_KIND.sub("", first).rstrip("!"), *hints])
    if place:
        return f"{message}\n{place[1]}"
    if "end of input" in text:
        return f"{message}\n{_mark_end(sql)}"
    return message


def _mark_end(sql: str) -> str:
    lines = sql.rstrip().splitlines() or [""]
    head = f"LINE {len(lines)}: "
    return f"{head}{lines[-1]}\n{' ' * (len(head) + len(lines[-1]))}^"
