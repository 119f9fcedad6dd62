"""The DAG as Airflow sees it, and one day of it run by Airflow's own command."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipeline.errors import CommitConflictError

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.airflow

DAGS = Path(__file__).parents[2] / "dags"
DAG_ID = "marketing_pipeline_v1"
DAY = "2024-03-05"
PARAMS = {"rows_per_day": 1366, "seed": 42, "lake": None}


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh home; Airflow reads the variable when it is first imported."""
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(DAGS))
        patch.delenv("ADLAKE_URI", raising=False)
        yield home


@pytest.fixture(scope="session")
def pipeline_dag(airflow_home: Path) -> "DAG":
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS)
    assert bag.import_errors == {}
    assert list(bag.dags) == [DAG_ID]
    return bag.dags[DAG_ID]


def test_the_tasks_and_their_order_are_the_original_ones(pipeline_dag: "DAG") -> None:
    assert {task.task_id: task.downstream_task_ids for task in pipeline_dag.tasks} == {
        "generate": {"unify"},
        "unify": {"report"},
        "report": set(),
    }
    assert pipeline_dag.tags == {"marketing", "etl"}


def test_it_runs_daily_one_run_at_a_time_without_catching_up(pipeline_dag: "DAG") -> None:
    from airflow.sdk import CronDataIntervalTimetable

    assert pipeline_dag.timetable == CronDataIntervalTimetable("0 0 * * *", "UTC")
    assert pipeline_dag.catchup is False
    assert pipeline_dag.max_active_runs == 1
    assert pipeline_dag.doc_md


def test_a_task_is_tried_three_times_with_growing_but_bounded_pauses(pipeline_dag: "DAG") -> None:
    for task in pipeline_dag.tasks:
        assert task.retries == 2
        assert task.retry_exponential_backoff == 2
        assert task.retry_delay == timedelta(minutes=1)
        assert task.max_retry_delay == timedelta(minutes=10)
        assert task.execution_timeout == timedelta(hours=1)


def test_the_parameters_have_defaults_and_bounds(pipeline_dag: "DAG") -> None:
    from airflow.sdk.exceptions import ParamValidationError

    assert pipeline_dag.params.dump() == PARAMS
    for name, value in (("rows_per_day", 0), ("rows_per_day", "many"), ("seed", -1), ("lake", 1)):
        with pytest.raises(ParamValidationError):
            pipeline_dag.params.get_param(name).resolve(value)


def test_parsing_imports_none_of_the_libraries_that_do_the_work(airflow_home: Path) -> None:
    code = f"""
import runpy, sys
runpy.run_path({str(DAGS / "marketing_pipeline_v1.py")!r})
heavy = {{"pipeline", "polars", "duckdb", "pyarrow", "deltalake", "numpy"}}
print(sorted(heavy & sys.modules.keys()))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def call_task(dag: "DAG", task_id: str, **context: Any) -> Any:
    """Calls a task's function as Airflow would, with what it would find in the context."""
    task: Any = dag.get_task(task_id)
    return task.python_callable(**context)


def test_a_run_without_a_logical_date_ends_with_a_clear_message(pipeline_dag: "DAG") -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="no logical date"):
        call_task(pipeline_dag, "generate", params=PARAMS)


def test_an_error_that_only_a_person_can_mend_is_not_tried_again(
    pipeline_dag: "DAG", tmp_path: Path
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    params = PARAMS | {"lake": str(tmp_path / "lake")}
    with pytest.raises(AirflowFailException, match="2999-01-01, which is not here yet"):
        call_task(pipeline_dag, "generate", ds="2999-01-01", params=params)
    with pytest.raises(AirflowFailException, match="holds no master table yet"):
        call_task(pipeline_dag, "report", unified={"version": 1}, params=params)
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_may_pass_is_left_to_the_retries(
    pipeline_dag: "DAG", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise CommitConflictError("others were faster")

    monkeypatch.setattr("pipeline.steps.merge.merge", refuse)
    with pytest.raises(CommitConflictError):
        call_task(pipeline_dag, "unify", params=PARAMS | {"lake": str(tmp_path / "lake")})


def run_airflow(*arguments: str, lake: Path) -> str:
    """Runs Airflow's own command, and returns what it prints."""
    command = [str(Path(sys.executable).with_name("airflow")), *arguments]
    done = subprocess.run(
        command,
        env=os.environ | {"ADLAKE_URI": str(lake)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def list_files(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_a_day_run_by_airflow_is_in_the_lake_once_however_often_it_is_run(
    airflow_home: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    run_airflow("db", "migrate", lake=lake)
    log = run_airflow("dags", "test", DAG_ID, DAY, lake=lake)
    assert "Advertising report, table version 1" in log
    rows = duckdb.sql(
        f"select date, count(*), count(distinct line) from '{lake}/master/*/*/*.parquet' group by 1"
    ).fetchall()
    assert rows == [(date(2024, 3, 5), 1366, 1366)]

    before = list_files(lake)
    run_airflow("dags", "test", DAG_ID, DAY, lake=lake)
    assert list_files(lake) == before
