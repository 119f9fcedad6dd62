"""A merge that another writer beats begins anew, and what it has read stays true."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import Lake
from pipeline.manifest import account_of
from pipeline.schema import AD_DAY
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.merge import merge
from pipeline.storage import open_storage
from tests.lakes import commit_rows, make_row
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS

DELIVERIES = 12
SOME = st.sets(st.integers(0, DELIVERIES - 1), min_size=2, max_size=6)
"""Deliveries that come at a time: every fourth is a file, the others are generated days."""


def deliver(lake: Lake, number: int) -> None:
    if number % 4 == 3:
        lines = [make_line(campaign_id=f"c{number}-{place}") for place in range(number)]
        write_lot(Path(lake.uri) / f"landing/lots/{number}.csv", lines)
    else:
        day = date(2024, 3, 1)
        request = GenerateRequest(start=day, end=day, seed=number, rows=5 + number)
        generate_days(lake, request, today=date(2024, 12, 31), workers=1)


def beat(lake: Lake, numbers: Sequence[int]) -> Callable[[int], None]:
    """What is called while a merge reads: brings deliveries, and commits before it does."""
    left = list(numbers)

    def come_between(_files: int) -> None:
        if left:
            for number in left:
                deliver(lake, number)
            left.clear()
            commit_rows(lake, [make_row(source="another", date=date(2024, 3, 1))])

    return come_between


def merge_beaten(lake: Lake, numbers: Sequence[int]) -> MergeOutcome:
    return merge(lake, settings=SETTINGS, on_file=beat(lake, numbers))


def read_rows(lake: Lake) -> list[tuple[Any, ...]]:
    """All that the master holds of its deliveries, but when a file was seen first."""
    files = lake.fetch(lake.take_snapshot().file_uris)
    rows = pl.read_parquet(files, glob=False, hive_partitioning=False)
    rows = rows.filter(pl.col("source") != "another")
    names = [name for name in AD_DAY.names if name not in {"delivered_at", "delivery_id"}]
    return sorted(rows.select(names).rows(), key=repr)


def make_lake(root: Path) -> Lake:
    lake = Lake(open_storage(str(root)))
    lake.initialise()
    return lake


def test_days_that_were_read_together_stay_apart_when_another_comes_between(
    tmp_path: Path,
) -> None:
    # In the order of their accounts, which is that of their numbers in a merge.
    first, between, last = sorted_by_account(0, 2, 4)
    lake = make_lake(tmp_path / "lake")
    for number in (first, last):
        deliver(lake, number)
    outcome = merge_beaten(lake, [between])
    assert outcome.rows_added == sum(5 + number for number in (0, 2, 4))
    assert sorted(account.accepted for account in outcome.accounts) == [5, 7, 9]


def sorted_by_account(*numbers: int) -> list[int]:
    return sorted(numbers, key=account_of)


@pytest.mark.slow
@given(before=SOME, meanwhile=SOME)
@settings(max_examples=25)
def test_a_second_attempt_comes_to_what_one_would_have(
    tmp_path_factory: pytest.TempPathFactory, before: set[int], meanwhile: set[int]
) -> None:
    place = tmp_path_factory.mktemp("lakes")
    beaten, alone = make_lake(place / "beaten"), make_lake(place / "alone")
    for number in before:
        deliver(beaten, number)
    merge_beaten(beaten, sorted(meanwhile - before))
    merge(beaten, settings=SETTINGS)
    for number in sorted(before | meanwhile):
        deliver(alone, number)
    merge(alone, settings=SETTINGS)
    assert read_rows(beaten) == read_rows(alone)
