"""What does a hundred million rows take? Asked with --long only, and each job once.

The peer of the statement reads one Parquet file of the same rows, sorted by date.
"""

from pathlib import Path

from benchmarks.commands import adlake, empty, expect_lines, expect_rows, inside, link, python
from benchmarks.export_csv import CSV
from benchmarks.harness import Case, Question, run_command
from benchmarks.kpi_queries import FROM_ROLLUP, KPIS, ONE_FILE, OURS, PEER, TIMES, describe


def ask(folder: Path, *, quick: bool) -> Question:
    """A lake is merged for all cases, and once more as the first of them."""
    rows = 100_000 if quick else 100_000_000
    home = folder / "hundred_million"
    source, made, lake = home / "source", home / "made", home / "lake"
    exports, one = home / "exports", home / "one.parquet"
    run_command(adlake("generate", "--rows", str(rows), "--lake", source))
    link(source, lake)()
    run_command(adlake("merge", "--lake", lake))
    run_command(python(ONE_FILE, lake, one))
    _, _, platforms = describe(one)
    return Question(
        f"{rows:,} rows of a year, each job once",
        [
            Case(
                name="adlake merge: validated, accounted for, committed",
                rows=rows,
                commands=[adlake("merge", "--lake", made)],
                prepare=link(source, made),
                check=expect_rows(made, rows),
            ),
            Case(
                name="adlake export",
                rows=rows,
                commands=[adlake("export", exports, "--lake", lake)],
                prepare=empty(exports),
                check=expect_lines(exports / CSV, rows + 1),
            ),
            inside("statement on ad_day", rows * TIMES, OURS, lake, platforms),
            inside("DuckDB: the same on one sorted file", rows * TIMES, PEER, one, platforms),
            *(inside(f"kpi {name}, once opened", rows, KPIS, lake, name) for name in FROM_ROLLUP),
        ],
        once=True,
    )
