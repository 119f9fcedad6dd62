"""What others do in the moment before a merge commits, in a folder and in a bucket."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import polars as pl
import pytest

from pipeline.delta.table import Table
from pipeline.lake import Lake
from pipeline.steps.compact import compact
from pipeline.steps.fsck import fsck
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import MergeOutcome, merge
from pipeline.steps.vacuum import RETENTION, Cleared, vacuum
from pipeline.storage import open_storage
from tests.lakes import commit_rows, make_row
from tests.lots import HEADER, make_line
from tests.steps.conftest import SETTINGS

LOT = "landing/lots/a.csv"


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.faults)])
def lake(request: pytest.FixtureRequest) -> Lake:
    if request.param == "bucket":
        return Lake(open_storage(request.getfixturevalue("s3_uri")))
    return Lake(open_storage(str(request.getfixturevalue("tmp_path") / "lake")))


def put(lake: Lake, *campaigns: str, path: str = LOT) -> None:
    lines = [make_line(campaign_id=campaign) for campaign in campaigns]
    lake.storage.overwrite(path, "\n".join([HEADER, *lines, ""]).encode())


def merge_but_first(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]
) -> MergeOutcome:
    """Merges; when all is read and written, and before it is committed, something else happens."""
    real = Table.commit
    with monkeypatch.context() as patch:

        def commit(table: Table, **arguments: Any) -> None:
            patch.setattr(Table, "commit", real)
            act()
            real(table, **arguments)

        patch.setattr(Table, "commit", commit)
        return merge(lake, settings=SETTINGS)


def read_campaigns(lake: Lake) -> list[str]:
    files = lake.fetch(lake.take_snapshot().file_uris)
    campaigns: list[str] = pl.read_parquet(files)["campaign_id"].sort().to_list()
    return campaigns


def count_outcomes(lake: Lake) -> list[tuple[str, int]]:
    ledger = read_ledger(lake, lake.take_snapshot().ledger)
    return ledger.sort("n").select("outcome", "accepted").rows()


def test_an_input_that_is_overwritten_after_it_was_read_comes_in_as_another_one(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, "old-1", "old-2")
    merge_but_first(lake, monkeypatch, lambda: put(lake, "new"))
    assert read_campaigns(lake) == ["old-1", "old-2"]
    assert merge(lake, settings=SETTINGS).transaction == 2
    assert read_campaigns(lake) == ["new", "old-1", "old-2"]
    assert count_outcomes(lake) == [("merged", 2), ("merged", 1)]
    assert merge(lake, settings=SETTINGS).transaction is None
    assert fsck(lake, settings=SETTINGS).findings == []


def test_an_input_that_is_deleted_after_it_was_read_is_merged_as_it_was(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, "a")
    merge_but_first(lake, monkeypatch, lambda: lake.storage.delete(LOT))
    assert read_campaigns(lake) == ["a"]
    put(lake, "b", path="landing/lots/b.csv")
    assert merge(lake, settings=SETTINGS).rows == 2
    checkup = fsck(lake, settings=SETTINGS)
    assert (checkup.findings, checkup.gone) == ([], 1)


def test_a_slow_first_writer_finds_that_a_fast_second_one_has_done_its_work(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, "a")
    fast: list[MergeOutcome] = []
    slow = merge_but_first(lake, monkeypatch, lambda: fast.append(merge(lake, settings=SETTINGS)))
    assert (fast[0].transaction, slow.transaction, slow.rows) == (1, None, 1)
    assert count_outcomes(lake) == [("merged", 1)]
    assert fsck(lake, settings=SETTINGS).findings == []


def test_a_slow_first_writer_adds_to_what_a_fast_second_one_brought(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, "a")

    def bring_another() -> None:
        put(lake, "b", path="landing/lots/b.csv")
        lake.storage.delete(LOT)
        merge(lake, settings=SETTINGS)
        put(lake, "a")

    slow = merge_but_first(lake, monkeypatch, bring_another)
    assert (slow.transaction, slow.rows) == (2, 2)
    assert read_campaigns(lake) == ["a", "b"]
    assert count_outcomes(lake) == [("merged", 1), ("merged", 1)]


def test_a_compaction_of_ours_sends_a_merge_back(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.initialise()
    for name in ("b", "c"):
        commit_rows(lake, [make_row(campaign_id=name, date=date(2024, 3, 1), cost=1)])
    put(lake, "a")
    joined: list[MergeOutcome] = []
    outcome = merge_but_first(
        lake, monkeypatch, lambda: joined.append(compact(lake, settings=SETTINGS))
    )
    assert (joined[0].transaction, joined[0].files_removed) == (3, 2)
    assert (outcome.transaction, outcome.rows) == (4, 3)
    assert read_campaigns(lake) == ["a", "b", "c"]
    assert fsck(lake, settings=SETTINGS).findings == []


def test_a_vacuum_takes_an_old_orphan_and_leaves_a_merge_its_files(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a bucket nothing can be made older, so it is the vacuum's clock that is set."""
    put(lake, "a")
    merge(lake, settings=SETTINGS)
    lake.storage.create("master/year=2024/month=03/00000002-killed-0.parquet", b"x")
    between = datetime.now(UTC)
    time.sleep(1.1)  # a store tells seconds apart, and no less
    put(lake, "b", path="landing/lots/b.csv")
    cleared: list[Cleared] = []

    def clear() -> None:
        set_clock(monkeypatch, between + RETENTION)
        cleared.extend(vacuum(lake, settings=SETTINGS))

    assert merge_but_first(lake, monkeypatch, clear).transaction == 2
    assert {one.place: one.files for one in cleared if one.files} == {"master": 1}
    assert read_campaigns(lake) == ["a", "b"]
    assert fsck(lake, settings=SETTINGS).findings == []


def test_what_a_merge_replaced_stays_for_seven_days(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        put(lake, name, path=f"landing/lots/{name}.csv")
        merge(lake, settings=SETTINGS)
    now = datetime.now(UTC)
    for days, gone in ((6.9, 0), (7.1, 1)):
        assert lake.take_snapshot(1).rows == 1
        set_clock(monkeypatch, now + timedelta(days=days))
        assert sum(one.files for one in vacuum(lake, settings=SETTINGS)) == gone
    assert read_campaigns(lake) == ["a", "b"]
    assert fsck(lake, settings=SETTINGS).findings == []


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """What the vacuum takes for now."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment

    monkeypatch.setattr("pipeline.steps.vacuum.datetime", Clock)
