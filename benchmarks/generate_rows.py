"""How fast is the generator, and does its memory stay flat as the rows grow?"""

from collections.abc import Callable
from pathlib import Path

from benchmarks.commands import adlake, empty, expect_lines, original, python
from benchmarks.harness import Case, Question

DUCKDB = """
import duckdb, sys
duckdb.connect(config={"threads": 2}).execute(f'''
    copy (
        select
            'c' || cast(random() * 5000 as int) as campaign_id,
            'Campaign ' || cast(random() * 5000 as int) as campaign_name,
            ['Google ADS', 'Facebook ADS', 'TikTok ADS'][1 + cast(random() * 2 as int)] as platform,
            'Audience ' || cast(random() * 8 as int) as target_audience,
            cast(random() * 90000 as bigint) as impressions,
            cast(random() * 900 as bigint) as clicks,
            cast(random() * 900 as decimal(18, 6)) as cost,
            cast(random() * 900 as decimal(18, 6)) as revenue,
            cast(random() * 9 as decimal(18, 6)) as conversions,
            cast(random() * 9 as decimal(18, 6)) as video_view_time,
            cast(random() * 900 as bigint) as video_views,
            date '2024-01-01' + cast(i % 366 as int) as date
        from range({sys.argv[2]}) as rows (i)
    ) to '{sys.argv[1]}' (
        format parquet, compression zstd, compression_level 1, partition_by (date)
    )
''')
"""


def ask(folder: Path, *, quick: bool) -> Question:
    """The same year with ten times the rows; the original makes fewer, as it needs so long."""
    home = folder / "generate_rows"
    few = 10_000 if quick else 1_000_000
    fewer = few // 2
    lots, lot_rows = home / "lots", few // 100
    return Question(
        "The generator: a year of rows",
        [
            make_case(home / "lake", few),
            make_case(home / "lake", few * 10),
            Case(
                name="DuckDB: random() COPY PARTITION_BY",
                rows=few * 10,
                commands=[python(DUCKDB, home / "duckdb", str(few * 10))],
                prepare=empty(home / "duckdb"),
                check=lambda: None,
            ),
            Case(
                name="original: generate (Faker, pandas)",
                rows=fewer,
                commands=[
                    original("generate", lots, "--rows", str(fewer), "--lot-rows", str(lot_rows))
                ],
                prepare=empty(lots),
                check=expect_lines(lots / "marketing_data_1.csv", lot_rows + 1),
            ),
        ],
    )


def make_case(lake: Path, rows: int) -> Case:
    """A year of so many rows, written to a folder."""
    return Case(
        name="adlake generate",
        rows=rows,
        commands=[adlake("generate", "--rows", str(rows), "--lake", lake)],
        prepare=empty(lake),
        check=_expect_days(lake, 366),
    )


def _expect_days(lake: Path, days: int) -> Callable[[], None]:
    def check() -> None:
        found = len(list(lake.glob("raw/ad_day/*/*.manifest.json")))
        assert found == days, f"{found} days were made; expected {days}"

    return check
