"""What a person is told of an SQL statement that the engine refused."""

import re
from typing import Final

_KIND: Final = re.compile(r"^(?:[A-Z][A-Za-z]* )+Error: ")
_PLACE: Final = re.compile(r"\n\s*\n?(LINE \d+: .*\n\s*\^)\s*$", re.DOTALL)
_HINTS: Final = ("Candidate bindings:", "Did you mean")
_MEMORY: Final = "Out of Memory"


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
    if text.startswith(_MEMORY):
        return (
            "the query needs more memory than a query may have, also with what it can put on "
            "disk: select fewer columns or rows, or add them up first"
        )
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
