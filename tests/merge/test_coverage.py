"""For which dates a file speaks."""

from datetime import date
from typing import Any

import polars as pl

from pipeline.merge.coverage import Window, join_windows

DAYS = [date(2024, 1, day) for day in range(1, 10)]
CONSTANTS: dict[str, str | None] = {"account": "a", "platform": None, "breakdown": ""}


def make_block(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides={"first_date": pl.Date, "last_date": pl.Date})


def make_dates(first: int, last: int, **columns: str) -> dict[str, Any]:
    return {**columns, "first_date": DAYS[first], "last_date": DAYS[last]}


def test_a_window_goes_from_the_first_to_the_last_date_of_all_blocks() -> None:
    blocks = [make_block([make_dates(3, 4)]), make_block([make_dates(1, 6)])]
    for seen in (blocks, blocks[::-1]):
        windows = join_windows(seen, constants=CONSTANTS, primary="", period=None)
        assert windows == [Window("a", None, "", DAYS[1], DAYS[6], is_primary=False)]


def test_a_declared_period_counts_instead_of_the_dates() -> None:
    windows = join_windows(
        [make_block([make_dates(3, 4)])],
        constants=CONSTANTS,
        primary="",
        period=(DAYS[0], DAYS[8]),
    )
    assert windows == [Window("a", None, "", DAYS[0], DAYS[8])]


def test_each_account_platform_and_breakdown_has_a_window_in_their_order() -> None:
    rows = [
        make_dates(4, 4, account="b", platform="p", breakdown="age"),
        make_dates(2, 2, account="a", platform="q", breakdown="age"),
        make_dates(1, 1, account="a", platform="p", breakdown="place"),
        make_dates(3, 3, account="b", platform="p", breakdown="age"),
    ]
    # A column of the rows counts, whatever the constants say.
    windows = join_windows([make_block(rows)], constants=CONSTANTS, primary="age", period=None)
    assert windows == [
        Window("a", "p", "place", DAYS[1], DAYS[1], is_primary=False),
        Window("a", "q", "age", DAYS[2], DAYS[2], is_primary=True),
        Window("b", "p", "age", DAYS[3], DAYS[4], is_primary=True),
    ]


def test_a_constant_that_is_not_given_is_missing_and_comes_last() -> None:
    blocks = [
        make_block([make_dates(0, 0)]),
        make_block([make_dates(0, 0, platform="p")]),
        make_block([]),
    ]
    constants: dict[str, str | None] = {"account": "a", "breakdown": ""}
    windows = join_windows(blocks, constants=constants, primary="", period=None)
    assert [window.platform for window in windows] == ["p", None]


def test_a_file_without_rows_speaks_for_nothing() -> None:
    period = (DAYS[0], DAYS[1])
    for seen in ([], [make_block([])]):
        assert join_windows(seen, constants=CONSTANTS, primary="", period=period) == []
