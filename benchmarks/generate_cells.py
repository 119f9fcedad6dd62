"""How many cells does a CPU second make, against tpchgen-cli, and how many are encoded alone?

Only columns that vary are counted: raw files hold no others, and of TPC-H's lineitem all 16 do.
"""

import sys
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.commands import adlake, empty, expect_parquet, python, timed
from benchmarks.harness import Case, Question, run_command

LINEITEM_COLUMNS = 16
LINEITEM_ROWS = {"0.01": 60_175, "1": 6_001_215}
BEFORE = """
import sys
from datetime import date, timedelta
from pipeline.generate.model import cut_day, open_market, stream_part
from pipeline.generate.parquet import encode_part
from pipeline.generate.vocabulary import make_vocabulary
days, rows = map(int, sys.argv[1:])
market = open_market(seed=1, vocabulary=make_vocabulary(seed=1, locale="es_AR"))
parts = [
    part
    for number in range(days)
    for part in cut_day(date(2024, 1, 1) + timedelta(days=number), rows=rows)
]
made = [list(stream_part(market, part, batch_rows=65_536)) for part in parts]
"""
ENCODE = """
for batches in made:
    encode_part(iter(batches))
"""
MAKE = """
for part in parts:
    encode_part(stream_part(market, part, batch_rows=65_536))
"""


def ask(folder: Path, *, quick: bool) -> Question:
    """Each case's `rows` are cells: its rows times its columns that vary."""
    rows, scale = (100_000, "0.01") if quick else (10_000_000, "1")
    days, day_rows = (3, 10_000) if quick else (36, 27_322)
    home = folder / "generate_cells"
    lake, tables = home / "lake", home / "tpch"
    generate = adlake("generate", "--rows", str(rows), "--lake", lake)
    run_command(generate)
    columns = len(pq.read_schema(next((lake / "raw").rglob("*.parquet"))))
    program = str(Path(sys.executable).with_name("tpchgen-cli"))
    made = [program, "parquet", "-s", scale, "-T", "lineitem", "-o", str(tables)]

    def inside(name: str, code: str) -> Case:
        return Case(
            name=f"{name} {days} days of {day_rows:,} rows in memory, measured inside",
            rows=days * day_rows * columns,
            commands=[python(timed(BEFORE, code), str(days), str(day_rows))],
            prepare=lambda: None,
            check=lambda: None,
            inside=True,
        )

    return Question(
        "The generator, counted in cells of columns that vary instead of rows",
        [
            Case(
                name=f"adlake generate: {columns} columns",
                rows=rows * columns,
                commands=[generate],
                prepare=empty(lake),
                check=expect_parquet(lake / "raw", rows),
            ),
            Case(
                name=f"tpchgen-cli: lineitem, {LINEITEM_COLUMNS} columns",
                rows=LINEITEM_ROWS[scale] * LINEITEM_COLUMNS,
                commands=[[*made, "-c", "ZSTD(1)"]],
                prepare=empty(tables),
                check=expect_parquet(tables, LINEITEM_ROWS[scale]),
            ),
            inside("make and encode", MAKE),
            inside("encode alone", ENCODE),
        ],
    )
