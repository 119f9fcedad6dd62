"""What keeps a lake whole works in a bucket as in a folder."""

from datetime import timedelta

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from pipeline.errors import ChangedOutsideError
from pipeline.lake import Lake
from pipeline.schema import SORT_ORDER
from pipeline.steps.compact import compact
from pipeline.steps.fsck import fsck
from pipeline.steps.history import read_history
from pipeline.steps.merge import merge
from pipeline.steps.rebuild import rebuild
from pipeline.steps.report import roll_up
from pipeline.steps.upgrade import upgrade
from pipeline.steps.vacuum import vacuum
from pipeline.storage import open_storage
from tests.lakes import commit_rows, make_row
from tests.lots import HEADER, make_line
from tests.steps.conftest import SETTINGS

FOREIGN = {"AWS_ALLOW_HTTP": "true"}
"""What Delta's own writer has to be told of a server on this machine."""


def test_check_clear_up_and_rebuild_a_lake_in_a_bucket(s3_uri: str) -> None:
    lake = Lake(open_storage(s3_uri))
    for name in ("a", "b"):
        text = f"{HEADER}\n{make_line(campaign_id=name)}\n{make_line(clicks=-1)}\n"
        lake.storage.create(f"landing/lots/{name}.csv", text.encode())
        merge(lake, settings=SETTINGS)
        roll_up(lake, lake.take_snapshot(), settings=SETTINGS)
    rows = read_rows(lake)
    lake.storage.create("quarantine/00000009-killed.parquet", b"x")
    checkup = fsck(lake, settings=SETTINGS)
    assert checkup.findings == []
    assert checkup.orphans["quarantine"] == 1
    cleared = vacuum(lake, settings=SETTINGS, retention=timedelta(0), force=True)
    assert {one.place: one.files for one in cleared if one.files} == {
        "master": 1,
        "quarantine": 1,
        "rollup": 2,  # of the days and of the campaigns
    }
    assert rebuild(lake, settings=SETTINGS).rows == 2
    assert read_rows(lake).equals(rows)
    assert fsck(lake, settings=SETTINGS).findings == []
    assert upgrade(lake)[0] == upgrade(lake)[1]
    assert [row[3] for row in read_history(lake).rows] == ["rebuild", "merge", "merge", "create"]
    (data,) = [file.path for file in lake.take_snapshot().files]
    lake.storage.overwrite(f"master/{data}", b"x")
    assert [one.path for one in fsck(lake, settings=SETTINGS).findings] == [f"master/{data}"]


def test_small_files_in_a_bucket_become_one_by_one_commit(s3_uri: str) -> None:
    lake = Lake(open_storage(s3_uri))
    lake.initialise()
    for name in ("a", "b", "c"):
        commit_rows(lake, [make_row(campaign_id=name, cost=1)])
    rows = read_rows(lake)
    outcome = compact(lake, settings=SETTINGS)
    assert (outcome.transaction, outcome.files_removed, outcome.files_added) == (4, 3, 1)
    assert read_rows(lake).equals(rows)
    assert compact(lake, settings=SETTINGS).transaction is None
    assert fsck(lake, settings=SETTINGS).findings == []


def test_a_foreign_compaction_in_a_bucket_is_refused_or_comes_too_late(s3_uri: str) -> None:
    lake = Lake(open_storage(s3_uri))
    lake.initialise()
    for name in ("a", "b"):
        commit_rows(lake, [make_row(campaign_id=name, cost=1)])
    stale = DeltaTable(lake.locate("master"), storage_options=FOREIGN)
    rows = read_rows(lake)
    assert compact(lake, settings=SETTINGS).files_removed == 2
    with pytest.raises(CommitFailedError):
        stale.optimize.compact()
    assert read_rows(lake).equals(rows)
    commit_rows(lake, [make_row(campaign_id="c", cost=1)])
    DeltaTable(lake.locate("master"), storage_options=FOREIGN).optimize.compact()
    with pytest.raises(ChangedOutsideError, match="by OPTIMIZE"):
        compact(lake, settings=SETTINGS)


def read_rows(lake: Lake) -> pl.DataFrame:
    paths = [f"master/{file.path}" for file in lake.take_snapshot().files]
    rows = [pl.read_parquet(lake.storage.fetch(path), glob=False) for path in paths]
    return pl.concat(rows).select(SORT_ORDER).sort(SORT_ORDER)
