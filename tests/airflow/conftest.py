"""One Airflow home for all tests of this folder, and the DAGs as Airflow reads them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

DAGS = Path(__file__).parents[2] / "dags"
DAILY = "marketing_pipeline_v1"
UPKEEP = "lake_maintenance"


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh home; Airflow reads the variables when it is first imported."""
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{home}/airflow.db")
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(DAGS))
        patch.delenv("ADLAKE_URI", raising=False)
        yield home


@pytest.fixture(scope="session")
def bag(airflow_home: Path) -> "DagBag":
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(DAGS)


@pytest.fixture(scope="session")
def daily(bag: "DagBag") -> "DAG":
    return bag.dags[DAILY]


@pytest.fixture(scope="session")
def upkeep(bag: "DagBag") -> "DAG":
    return bag.dags[UPKEEP]


@pytest.fixture(scope="session")
def database(airflow_home: Path) -> None:
    """Airflow's own tables, which `dag.test` works on."""
    from airflow.utils.db import initdb

    initdb()


class Extras(dict[Any, Any]):
    """Takes what a task says of its assets."""

    class Event:
        extra: dict[str, Any]

    def __missing__(self, asset: object) -> "Extras.Event":
        event = self[asset] = self.Event()
        return event


def call_task(dag: "DAG", task_id: str, *values: object, ds: str | None, **params: Any) -> Any:
    """Calls a task's function with what it uses of the context that Airflow gives it."""
    task: Any = dag.get_task(task_id)
    context = {"params": dag.params.dump() | params, "run_id": f"manual__{ds}"}
    context["outlet_events"] = Extras()
    if ds:
        context["ds"] = ds
    if task_id == "wait_for_deliveries":
        return task.poke(context)
    result = task.python_callable(*values, **context)
    json.dumps(result)  # an XCom holds nothing but plain values
    return result


def run_day(dag: "DAG", ds: str, *, last: str = "summarise", **params: Any) -> dict[str, Any]:
    """Runs the tasks of one day in their order, up to a last one, and returns what each gave."""
    given: dict[str, Any] = {}
    for task in dag.topological_sort():
        values: list[Any] = []
        if task.task_id in {"quality_gate", "kpis", "report", "export"}:
            values = [given["unify"]]
        elif task.task_id == "summarise":
            names = ("generate", "unify", "quality_gate", "kpis", "report", "export")
            values = [given[name] for name in names]
        given[task.task_id] = call_task(dag, task.task_id, *values, ds=ds, **params)
        if task.task_id == last:
            break
    return given


def list_files(root: Path) -> dict[str, int]:
    return {
        os.fspath(path.relative_to(root)): path.stat().st_mtime_ns
        for path in root.rglob("*")
        if path.is_file()
    }
