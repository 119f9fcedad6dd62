"""How long does the CSV export take, against pandas, DuckDB and Polars writing the same rows?"""

import filecmp
from pathlib import Path

from benchmarks.commands import adlake, empty, expect_lines, python
from benchmarks.harness import Case, Question, run_command

CSV = "marketing_master_dataset.csv"
CSV_TO_PARQUET = "import pandas, sys; pandas.read_csv(sys.argv[1]).to_parquet(sys.argv[2])"
PARQUET_TO_CSV = (
    "import pandas, sys; pandas.read_parquet(sys.argv[1]).to_csv(sys.argv[2], index=False)"
)
COPY = """
import duckdb, sys
duckdb.connect(config={"threads": 2}).execute(
    f"copy (from '{sys.argv[1]}') to '{sys.argv[2]}' (format csv, header)"
)
"""
POLARS = "import polars, sys; polars.scan_parquet(sys.argv[1]).sink_csv(sys.argv[2])"


def ask(folder: Path, *, quick: bool) -> Question:
    """A lake is made first; pandas gets its rows as one Parquet file of plain floats."""
    rows = 10_000 if quick else 2_000_000
    home = folder / "export_csv"
    lake, ours = home / "lake", home / "ours"
    parquet, theirs, copied = home / "rows.parquet", home / "pandas.csv", home / "duckdb.csv"
    sunk = home / "polars.csv"
    run_command(adlake("run", "--rows", str(rows), "--lake", lake, "--local-dir", ours))
    run_command(python(CSV_TO_PARQUET, ours / CSV, parquet))

    def compare() -> None:
        assert filecmp.cmp(ours / CSV, theirs, shallow=False), "pandas writes other bytes"

    return Question(
        f"The CSV export of {rows:,} rows; ours and pandas write the same bytes",
        [
            Case(
                name="adlake export",
                rows=rows,
                commands=[adlake("export", ours, "--lake", lake)],
                prepare=empty(ours),
                check=expect_lines(ours / CSV, rows + 1),
            ),
            Case(
                name="pandas: read_parquet, to_csv",
                rows=rows,
                commands=[python(PARQUET_TO_CSV, parquet, theirs)],
                prepare=lambda: theirs.unlink(missing_ok=True),
                check=compare,
            ),
            Case(
                name="DuckDB: COPY of the same Parquet file",
                rows=rows,
                commands=[python(COPY, parquet, copied)],
                prepare=lambda: copied.unlink(missing_ok=True),
                check=expect_lines(copied, rows + 1),
            ),
            Case(
                name="Polars: scan_parquet, sink_csv of it",
                rows=rows,
                commands=[python(POLARS, parquet, sunk)],
                prepare=lambda: sunk.unlink(missing_ok=True),
                check=expect_lines(sunk, rows + 1),
            ),
        ],
    )
