"""Does the generator keep its rate and its memory from a million rows to a hundred million?

Asked with --long only: it takes long.
"""

from pathlib import Path

from benchmarks.generate_rows import make_case
from benchmarks.harness import Question


def ask(folder: Path, *, quick: bool) -> Question:
    """The same year with ten and a hundred times the rows."""
    few = 10_000 if quick else 1_000_000
    lake = folder / "generate_hundred_million"
    return Question(
        f"The generator: a year of up to {100 * few:,} rows",
        [make_case(lake, few * times) for times in (1, 10, 100)],
    )
