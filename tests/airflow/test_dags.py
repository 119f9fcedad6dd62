"""The DAGs as Airflow sees them: what they are made of, and what reading them costs."""

import copy
import itertools
import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipeline import errors
from pipeline.lake import Lake
from pipeline.storage import LocalStorage
from tests.airflow.conftest import DAGS, DAILY, UPKEEP, run_day

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

pytestmark = pytest.mark.airflow

MANUAL = Path(__file__).parents[2] / "docs" / "airflow.md"


def test_all_dags_load_without_an_error_or_a_warning(bag: "DagBag") -> None:
    assert bag.import_errors == {}
    assert bag.captured_warnings == {}
    assert sorted(bag.dags) == [UPKEEP, DAILY]


@pytest.mark.parametrize("dag_id", [DAILY, UPKEEP])
def test_the_tasks_stand_in_the_order_that_the_manual_tells(bag: "DagBag", dag_id: str) -> None:
    dag = bag.dags[dag_id]
    order = [task.task_id for task in dag.topological_sort()]
    for task_id, following in itertools.pairwise(order):
        assert following in dag.get_task(task_id).downstream_task_ids
    text = re.sub(r"\s+", " ", MANUAL.read_text(encoding="utf-8"))
    assert " >> ".join(order) in text


def test_the_original_tasks_are_there_in_the_original_order(daily: "DAG") -> None:
    order = [task.task_id for task in daily.topological_sort()]
    assert [one for one in order if one in {"generate", "unify", "report"}] == [
        "generate",
        "unify",
        "report",
    ]
    assert daily.tags == {"marketing", "etl"}


def test_the_daily_dag_runs_once_a_day_one_run_at_a_time(daily: "DAG") -> None:
    from airflow.sdk import CronDataIntervalTimetable

    assert daily.timetable == CronDataIntervalTimetable("0 0 * * *", "UTC")


@pytest.mark.parametrize("dag_id", [DAILY, UPKEEP])
def test_every_task_is_tried_again_with_growing_pauses_and_a_time_limit(
    bag: "DagBag", dag_id: str
) -> None:
    dag = bag.dags[dag_id]
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert dag.doc_md
    for task in dag.tasks:
        assert task.retries == 3
        assert task.retry_exponential_backoff == 2
        assert task.retry_delay == timedelta(seconds=15)
        assert task.max_retry_delay == timedelta(minutes=10)
        assert task.execution_timeout is not None
        assert task.execution_timeout <= timedelta(hours=6)
        assert task.has_on_failure_callback


def test_waiting_takes_no_place_of_a_worker(daily: "DAG") -> None:
    sensor: Any = daily.get_task("wait_for_deliveries")
    assert (sensor.mode, sensor.timeout, sensor.soft_fail) == ("reschedule", 12 * 3600, False)


def test_params_refuse_what_is_no_good(daily: "DAG", upkeep: "DAG") -> None:
    from airflow.sdk.exceptions import ParamValidationError

    wrong: list[tuple[DAG, str, object]] = [
        (daily, "rows_per_day", -1),
        (daily, "rows_per_day", 10**9),
        (daily, "rows_per_day", "many"),
        (daily, "seed", -1),
        (daily, "seed", 2**63),
        (daily, "lake", 1),
        (daily, "lake", ""),
        (daily, "day", "2024-3-5"),
        (daily, "day", "yesterday"),
        (daily, "wait_for", "google"),
        (daily, "wait_for", ["a/b"]),
        (daily, "on_bad_quality", "ignore"),
        (daily, "max_quarantine_share", 1.5),
        (daily, "max_age_days", -1),
        (daily, "max_spend_change", 0.5),
        (daily, "full_export", "yes"),
        (upkeep, "retention_days", 6),
        (upkeep, "lake", 1),
    ]
    for dag, name, value in wrong:
        with pytest.raises(ParamValidationError):
            copy.deepcopy(dag.params.get_param(name)).resolve(value)
    assert {name for _, name, _ in wrong} == {*daily.params, *upkeep.params}
    assert copy.deepcopy(daily.params.get_param("day")).resolve("2024-02-29") == "2024-02-29"


def test_the_consumer_in_the_manual_waits_for_the_master_and_reads_what_was_announced(
    daily: "DAG", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import Asset

    (example,) = re.findall(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "consumer.py").write_text(example, encoding="utf-8")
    bag = DagBag(tmp_path)
    assert (bag.import_errors, bag.captured_warnings) == ({}, {})
    (consumer,) = bag.dags.values()
    master = Asset("adlake_master")
    assert list(consumer.timetable.asset_condition.objects) == [master]

    monkeypatch.chdir(tmp_path)
    told = []
    for day in ("2024-03-04", "2024-03-05"):
        given = run_day(daily, day, last="unify", lake="lake", rows_per_day=10)
        told.append(SimpleNamespace(extra={"version": given["unify"]["version"]}))
    read: Any = consumer.get_task("read_spend")
    files = read.python_callable(triggering_asset_events={master: told})
    assert duckdb.read_parquet(files).shape[0] == 20
    assert Lake(LocalStorage(tmp_path / "lake")).take_snapshot().version == 2


def list_errors(
    base: type[errors.AdlakeError] = errors.AdlakeError,
) -> list[type[errors.AdlakeError]]:
    return [base, *(found for one in base.__subclasses__() for found in list_errors(one))]


def test_only_errors_that_may_pass_are_tried_again(daily: "DAG") -> None:
    from airflow.sdk import RetryAction

    def decide(error: Exception) -> RetryAction:
        policy: Any = daily.get_task("unify").retry_policy
        action: RetryAction = policy.evaluate(error, try_number=1, max_tries=3).action
        return action

    for kind in list_errors():
        error = kind("rule", "detail") if kind is errors.BadFileError else kind("text")
        expected = RetryAction.DEFAULT if kind.retryable else RetryAction.FAIL
        assert decide(error) == expected, kind
    assert decide(MemoryError()) == RetryAction.DEFAULT
    assert decide(errors.CommitConflictError("others were faster")) == RetryAction.DEFAULT
    assert decide(errors.DeniedError("no right")) == RetryAction.FAIL


READ = """
import json, runpy, sys
from airflow.sdk import (
    Asset, BaseSensorOperator, Connection, CronDataIntervalTimetable, CronTriggerTimetable, Param,
    RetryDecision, RetryPolicy, chain, dag, task,
)
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

@dag(schedule=None)
def empty():
    @task
    def nothing(): pass
    nothing()

empty()
before, events = set(sys.modules), []
sys.addaudithook(lambda event, values: events.append([event, str(values[0]) if values else ""]))
runpy.run_path(sys.argv[1])
touching = ("open", "os.", "socket.", "subprocess.", "sqlite3.", "shutil.", "tempfile.", "glob.")
touched = [one for one in events if one[0].startswith(touching)]
print(json.dumps({"loaded": sorted(set(sys.modules) - before), "touched": touched}))
"""


@pytest.mark.parametrize("dag_id", [DAILY, UPKEEP])
def test_reading_a_dag_does_no_more_than_reading_an_empty_one(
    airflow_home: Path, dag_id: str
) -> None:
    """Beside Airflow it loads a few modules of ours, of which files nothing else is opened."""
    command = [sys.executable, "-W", "error", "-c", READ, str(DAGS / f"{dag_id}.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert {name for name in seen["loaded"] if not name.startswith("pipeline.airflow")} == {
        "pipeline",
        "pipeline.errors",
        "pipeline.secret",
    }
    places = {Path(place) for event, place in seen["touched"] if event != "os.listdir"}
    assert {place.suffix for place in places} <= {".py", ".pyc"}, places
    assert {event for event, _ in seen["touched"]} <= {"open", "os.listdir"}
