"""Does a day's merge cost the same in an old lake as in a young one?"""

from datetime import date, timedelta
from pathlib import Path

from benchmarks.commands import adlake, link
from benchmarks.harness import Case, Question, run_command

FIRST = date(2020, 1, 1)
DAY_ROWS = 2_000


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
    last = FIRST + timedelta(days=days - 1)
    rows = str(DAY_ROWS)
    span = ("--start", str(FIRST), "--end", str(last), "--rows-per-day", rows)
    run_command(adlake("generate", *span, "--lake", grown))
    run_command(adlake("merge", "--lake", grown))
    one = str(last + timedelta(days=1))
    day = ("--start", one, "--end", one, "--rows-per-day", rows)
    run_command(adlake("generate", *day, "--lake", grown))
    return Case(
        name=f"adlake merge into a lake of {days:,} days",
        rows=DAY_ROWS,
        commands=[adlake("merge", "--lake", lake)],
        prepare=link(grown, lake),
        check=lambda: None,
    )
