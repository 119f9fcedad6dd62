"""Does memory stay flat up to a hundred million rows? Asked with --long only: it takes long."""

from pathlib import Path

from benchmarks.commands import adlake, empty, expect_parquet, expect_rows, link
from benchmarks.harness import Case, Question, run_command


def ask(folder: Path, *, quick: bool) -> Question:
    """Generated once more and merged into a new master, each once."""
    rows = 100_000 if quick else 100_000_000
    home = folder / "hundred_million"
    source, made, lake = home / "source", home / "made", home / "lake"
    run_command(adlake("generate", "--rows", str(rows), "--lake", source))
    return Question(
        f"{rows:,} rows of a year, each job once",
        [
            Case(
                name="adlake generate",
                rows=rows,
                commands=[adlake("generate", "--rows", str(rows), "--lake", made)],
                prepare=empty(made),
                check=expect_parquet(made / "raw", rows),
            ),
            Case(
                name="adlake merge: validated, accounted for, committed",
                rows=rows,
                commands=[adlake("merge", "--lake", lake)],
                prepare=link(source, lake),
                check=expect_rows(lake, rows),
            ),
        ],
        once=True,
    )
