"""Does a day's merge cost the same in an old lake as in a young one, and what does it write?"""

from datetime import date, timedelta
from pathlib import Path

from benchmarks.commands import adlake, expect_rows, link
from benchmarks.harness import Case, Question, run_command

LAST = date(2022, 9, 10)
"""Of the days before, in a young lake and in an old one: both have as much of its month."""

DAY_ROWS = 2_000
MOST_DAY_BYTES = 60 * DAY_ROWS


def ask(folder: Path, *, quick: bool) -> Question:
    """Lakes that were merged once for all their days, and one day more for each."""
    ages = (3, 10) if quick else (10, 1_000)
    home = folder / "daily_merge"
    return Question(
        f"The merge of one more day of {DAY_ROWS:,} rows, on a local folder",
        [_make_case(home, days) for days in ages],
    )


def _make_case(home: Path, days: int) -> Case:
    grown, lake = home / f"grown-{days}", home / f"lake-{days}"
    first = LAST - timedelta(days=days - 1)
    rows = str(DAY_ROWS)
    span = ("--start", str(first), "--end", str(LAST), "--rows-per-day", rows)
    run_command(adlake("generate", *span, "--lake", grown))
    run_command(adlake("merge", "--lake", grown))
    one = str(LAST + timedelta(days=1))
    day = ("--start", one, "--end", one, "--rows-per-day", rows)
    run_command(adlake("generate", *day, "--lake", grown))
    count = expect_rows(lake, DAY_ROWS * (days + 1))
    month = f"year={one[:4]}/month={one[5:7]}"

    def check() -> None:
        count()
        before, after = (_list_sizes(folder / "master" / month) for folder in (grown, lake))
        written = sum(size for name, size in after.items() if name not in before)
        # A file that holds a touched date is written anew with it; the day itself comes on top.
        allowed = 2 * sum(before.values()) + MOST_DAY_BYTES
        assert 0 < written <= allowed, f"{written:,} bytes of data; expected at most {allowed:,}"

    return Case(
        name=f"adlake merge into a lake of {days:,} days",
        rows=DAY_ROWS,
        commands=[adlake("merge", "--lake", lake)],
        prepare=link(grown, lake),
        check=check,
    )


def _list_sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.glob("*.parquet")}
