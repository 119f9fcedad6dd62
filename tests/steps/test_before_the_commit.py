"""What others do in the moment before a merge commits, in a folder and in a bucket."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from pipeline.delta.table import Table
from pipeline.lake import Lake
from pipeline.steps.fsck import fsck
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import MergeOutcome, merge
from pipeline.storage import open_storage
from tests.lots import HEADER, make_line
from tests.steps.conftest import SETTINGS

LOT = "landing/lots/a.csv"


@pytest.fixture(params=["folder", "bucket"])
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
