"""How many requests a merge and an opening make, and that no history adds to them."""

import functools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import lcm
from pathlib import Path

import pytest

from pipeline.delta.table import CHECKPOINT_EVERY
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.kpi.rollup import KINDS
from pipeline.lake import LANDING, Lake
from pipeline.ledger import FILES_AT_MOST
from pipeline.merge.account import FileAccount
from pipeline.merge.delivery import Found
from pipeline.steps.commit import Change, commit_change
from pipeline.steps.merge import merge
from pipeline.steps.report import roll_up
from pipeline.storage import LocalStorage
from tests.faults.conftest import SETTINGS, Harbour
from tests.lots import make_line, write_lot
from tests.s3 import BUCKET
from tests.steps.conftest import Home

LAST = date(2022, 9, 10)
MOST = 40
MORE = 5
"""A thousand days more may make: pages of the list of raw files, and ranges of a larger ledger."""

ROUND = lcm(CHECKPOINT_EVERY, FILES_AT_MOST)
"""After so many merges the logs and the ledger look alike again."""


def count_merge(harbour: Harbour, name: str) -> int:
    """The requests of a merge of one more file of one row."""
    harbour.deliver(f"{name}.csv", [name])
    harbour.proxy.break_by()
    assert harbour.merge(harbour.open()).transaction
    return len(harbour.proxy.requests)


def count_opening(harbour: Harbour) -> int:
    harbour.proxy.break_by()
    harbour.open().take_snapshot()
    return len(harbour.proxy.requests)


@pytest.mark.faults
def test_no_merge_makes_more_than_forty_requests(harbour: Harbour) -> None:
    names = [f"c{number:04d}" for number in range(3 * ROUND + 1)]
    counts = [count_merge(harbour, name) for name in names]
    assert max(counts) <= MOST, counts
    assert counts[-ROUND:] == counts[-2 * ROUND : -ROUND], counts
    harbour.check(names)


@pytest.mark.faults
def test_the_rollups_of_a_merge_make_no_more_than_forty_others(harbour: Harbour) -> None:
    counts = []
    for number in range(ROUND + 1):
        harbour.deliver(f"{number}.csv", [f"c{number}"])
        harbour.merge(harbour.open_directly())
        harbour.proxy.break_by()
        lake = harbour.open()
        assert roll_up(lake, lake.take_snapshot(), settings=SETTINGS) == len(KINDS)
        counts.append(len(harbour.proxy.requests))
    assert max(counts) <= MOST, counts


@pytest.mark.parametrize(
    "commits",
    [
        pytest.param(200, marks=pytest.mark.faults),
        pytest.param(2_000, marks=pytest.mark.soak),
    ],
)
def test_a_long_history_adds_no_request(harbour: Harbour, tmp_path: Path, commits: int) -> None:
    """The histories are made in a folder and copied, but for what was delivered."""
    young, old = (
        move(make_history(tmp_path / str(count), commits=count), harbour)
        for count in (ROUND, commits)
    )
    assert count_opening(old) == count_opening(young)
    counts = [[count_merge(one, f"new{n}") for n in range(ROUND)] for one in (young, old)]
    assert counts[0] == counts[1]
    assert max(counts[1]) <= MOST, counts
    old.check(["first", *(f"new{n}" for n in range(ROUND))])


@pytest.mark.faults
def test_a_days_merge_makes_no_more_requests_in_a_lake_of_a_thousand_days(harbour: Harbour) -> None:
    """Both lakes have ten days of the month; a day is generated, merged and rolled up."""
    counts = []
    for days in (10, 1_000):
        one = replace(harbour, uri=f"{harbour.uri}-{days}")
        grow(one.open_directly(), LAST - timedelta(days=days - 1), LAST)
        one.proxy.break_by()
        grow(one.open(), LAST + timedelta(1), LAST + timedelta(1))
        counts.append(len(one.proxy.requests))
    assert counts[0] <= counts[1] <= counts[0] + MORE, counts
    assert max(counts) <= 100, counts


def grow(lake: Lake, first: date, last: date) -> None:
    """Generates days, merges them and writes their rollups."""
    request = GenerateRequest(first, last, seed=1, rows_per_day=20)
    generate_days(lake, request, today=last)
    days = (last - first).days + 1
    assert merge(lake, settings=SETTINGS).rows_added == 20 * days
    roll_up(lake, lake.take_snapshot(), settings=SETTINGS)


def give(change: Change, *_: object) -> Change:
    return change


def make_history(root: Path, *, commits: int) -> Home:
    """A lake in a folder, with a merge of one row and then commits that refuse a file each."""
    home = Home(root, Lake(LocalStorage(root)))
    write_lot(root / f"{LANDING}/lots/first.csv", [make_line(campaign_id="first")])
    home.merge()
    with home.lake.storage.scratch() as scratch:
        for number in range(1, commits):
            found = Found(f"{LANDING}/lots/{number}", 1, "etag", datetime.now(UTC))
            refused = FileAccount(found=found, outcome="quarantined", reason="bad_name", detail="")
            change = Change(accounts=[refused])
            commit_change(
                home.lake, functools.partial(give, change), command="merge", scratch=scratch
            )
    assert home.lake.open_master().version == commits
    return home


def move(home: Home, harbour: Harbour) -> Harbour:
    """Copies a lake into the bucket."""
    client = harbour.make_client()
    prefix = f"{harbour.uri}-{home.root.name}"
    folder = prefix.removeprefix(f"s3://{BUCKET}/")

    def put(path: Path) -> None:
        key = f"{folder}/{path.relative_to(home.root)}"
        client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())

    files = [path for path in home.root.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, (path for path in files if LANDING not in path.parts)))
    return Harbour(prefix, harbour.proxy, harbour.server, harbour.monkeypatch)
