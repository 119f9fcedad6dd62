"""The weekly upkeep: fewer files, the same rows, and nothing deleted from a damaged lake."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import LakeError
from pipeline.lake import Lake
from pipeline.storage import LocalStorage
from tests.airflow.conftest import call_task, list_files, run_day

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.airflow


def test_upkeep_keeps_every_row_and_checks_what_is_left(
    daily: "DAG", upkeep: "DAG", tmp_path: Path
) -> None:
    for day in ("2024-03-04", "2024-03-05"):
        run_day(daily, day, lake=str(tmp_path), rows_per_day=50)
    for task_id in ("compact", "fsck", "vacuum"):
        given = call_task(upkeep, task_id, ds=None, lake=str(tmp_path))
        assert all(isinstance(count, int) for count in given.values())
    assert Lake(LocalStorage(tmp_path)).take_snapshot().rows == 100


def test_a_damaged_lake_fails_the_check_by_name(
    daily: "DAG", upkeep: "DAG", tmp_path: Path
) -> None:
    run_day(daily, "2024-03-05", lake=str(tmp_path), rows_per_day=50)
    (file,) = [name for name in list_files(tmp_path) if name.startswith("master/year")]
    (tmp_path / file).write_bytes(b"")
    with pytest.raises(LakeError, match=file) as caught:
        call_task(upkeep, "fsck", ds=None, lake=str(tmp_path))
    assert not caught.value.retryable
