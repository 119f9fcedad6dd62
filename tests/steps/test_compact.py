"""compact: fewer files, the same rows."""

import hashlib
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.delta.log import DataFile
from pipeline.errors import ChangedOutsideError, LakeError
from pipeline.lake import Lake
from pipeline.merge.plan import SMALL_ROWS, plan_compaction
from pipeline.schema import SORT_ORDER
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.compact import compact
from pipeline.steps.fsck import fsck
from tests.lakes import build_lake, commit_rows, make_row
from tests.steps.conftest import SETTINGS


def run(lake: Lake) -> MergeOutcome:
    return compact(lake, settings=SETTINGS)


def describe(lake: Lake) -> tuple[int, object, object, str]:
    """Count, two sums, and a hash of the rows that does not depend on their order."""
    uris = list(lake.take_snapshot().file_uris)
    rows = pl.read_parquet(uris, glob=False, hive_partitioning=False).sort(SORT_ORDER)
    digest = hashlib.sha256(repr(rows.rows()).encode()).hexdigest()
    return rows.height, rows["cost"].sum(), rows["clicks"].sum(), digest


def make_parts(parts: list[list[int]]) -> list[list[dict[str, Any]]]:
    """Rows for one commit each; a number gives a row's day, cost and campaign."""
    first = date(2024, 1, 20)
    return [
        [
            make_row(
                date=first + timedelta(days=number % 25),
                campaign_id=f"c{order}-{place}",
                cost=f"{number}.{number:06d}",
                clicks=number if number % 3 else None,
            )
            for place, number in enumerate(numbers)
        ]
        for order, numbers in enumerate(parts)
    ]


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(st.lists(st.integers(0, 9_999), min_size=1, max_size=5), min_size=1, max_size=4))
@pytest.mark.faults
def test_a_hundred_random_compactions_change_no_row(parts: list[list[int]]) -> None:
    with TemporaryDirectory() as folder:
        lake = build_lake(Path(folder) / "lake")
        for rows in make_parts(parts):
            commit_rows(lake, rows)
        before = describe(lake)
        run(lake)
        assert describe(lake) == before
        months = [tuple(file.partition.values()) for file in lake.take_snapshot().files]
        assert len(months) == len(set(months))
        assert run(lake).transaction is None


def test_small_files_of_a_month_become_one_by_one_commit(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake")
    for rows in make_parts([[1, 20], [2], [3]]):
        commit_rows(lake, rows)
    before = describe(lake)
    outcome = run(lake)
    assert (outcome.files_removed, outcome.files_added) == (3, 1)
    assert (outcome.rows_added, outcome.rows_removed, outcome.rows) == (0, 0, 4)
    assert describe(lake) == before
    assert lake.open_ledger().transaction == lake.open_master().transaction == 4
    assert lake.take_snapshot().commit.metadata["command"] == "compact"
    assert fsck(lake, settings=SETTINGS).findings == []


def test_only_small_files_are_joined_and_only_where_there_are_two() -> None:
    def make_file(name: str, rows: int, month: str = "01") -> DataFile:
        return DataFile(name, 1, rows, {"year": "2024", "month": month})

    files = [
        make_file("a", 1),
        make_file("b", SMALL_ROWS),
        make_file("c", SMALL_ROWS - 1),
        make_file("d", 1, "02"),
    ]
    (part,) = plan_compaction(files)
    assert [file.path for file in part.files] == ["a", "c"]
    assert (part.year, part.month, part.file_nos) == ("2024", "01", ())


def test_a_foreign_compaction_is_refused(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake")
    for rows in make_parts([[1], [2]]):
        commit_rows(lake, rows)
    DeltaTable(lake.locate("master")).optimize.compact()
    with pytest.raises(ChangedOutsideError, match="by OPTIMIZE"):
        run(lake)


def test_a_foreign_compaction_on_a_stale_handle_comes_too_late(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake")
    for rows in make_parts([[1], [2]]):
        commit_rows(lake, rows)
    foreign = DeltaTable(lake.locate("master"))
    before = describe(lake)
    assert run(lake).files_removed == 2
    with pytest.raises(CommitFailedError):
        foreign.optimize.compact()
    assert describe(lake) == before
    assert run(lake).transaction is None


def test_a_file_that_is_gone_is_said_to_be_damaged(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake")
    for rows in make_parts([[1], [2]]):
        commit_rows(lake, rows)
    Path(lake.take_snapshot().file_uris[0]).unlink()
    with pytest.raises(LakeError, match=r"2024-01 cannot be read.*adlake fsck"):
        run(lake)
