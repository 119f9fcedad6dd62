"""How fast is the generator, and does its memory stay flat as the rows grow?"""

from collections.abc import Callable
from pathlib import Path

from benchmarks.commands import adlake, empty, expect_lines, original
from benchmarks.harness import Case, Question


def ask(folder: Path, *, quick: bool) -> Question:
    """The same year with ten times the rows; the original makes fewer, as it needs so long."""
    home = folder / "generate_rows"
    few = 10_000 if quick else 1_000_000
    fewer = few // 10
    lots = home / "lots"
    return Question(
        "The generator: a year of rows",
        [
            _make_case(home / "lake", few),
            _make_case(home / "lake", few * 10),
            Case(
                name="original: generate (Faker, pandas)",
                rows=fewer,
                commands=[original("generate", lots, "--rows", str(fewer), "--lot-rows", "1000")],
                prepare=empty(lots),
                check=expect_lines(lots / "marketing_data_1.csv", 1001),
            ),
        ],
    )


def _make_case(lake: Path, rows: int) -> Case:
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
