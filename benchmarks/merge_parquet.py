"""How fast do clean Parquet files become a committed master, against DuckDB's plain copy of them?

Ours checks every row and every file's hash, keeps the account, and commits. The peer writes the
same rows by month, once with the duplicates of a key removed, as ours removes them, once as is.
"""

from pathlib import Path

from benchmarks.commands import adlake, empty, expect_parquet, expect_rows, link, python
from benchmarks.harness import Case, Question, run_command

COPY = """
import duckdb, sys
folder, target, dedupe = sys.argv[1:]
connection = duckdb.connect(config={"threads": 2})
wanted = "qualify row_number() over (partition by campaign_id, date, target_audience) = 1"
connection.execute(f'''
    copy (
        select *, strftime(date, '%Y') as year, strftime(date, '%m') as month
        from read_parquet('{folder}/*/*.parquet', hive_types = {{'date': date}})
        {wanted if dedupe == "yes" else ""}
    ) to '{target}' (
        format parquet, compression zstd, compression_level 1, partition_by (year, month)
    )
''')
"""


def ask(folder: Path, *, quick: bool) -> Question:
    """Generated days, whose files the peer reads as they are."""
    rows = 100_000 if quick else 10_000_000
    home = folder / "merge_parquet"
    source, lake, target = home / "source", home / "lake", home / "duckdb"
    run_command(adlake("generate", "--rows", str(rows), "--lake", source))
    raw = source / "raw" / "ad_day"

    def make_peer(name: str, dedupe: str) -> Case:
        return Case(
            name=name,
            rows=rows,
            commands=[python(COPY, raw, target, dedupe)],
            prepare=empty(target),
            check=expect_parquet(target, rows),
        )

    return Question(
        f"{rows:,} rows of Parquet into a new master, on a local folder",
        [
            Case(
                name="adlake merge: validated, accounted for, committed",
                rows=rows,
                commands=[adlake("merge", "--lake", lake)],
                prepare=link(source, lake),
                check=expect_rows(lake, rows),
            ),
            make_peer("DuckDB: row_number, COPY PARTITION_BY", "yes"),
            make_peer("DuckDB: COPY PARTITION_BY", "no"),
        ],
    )
