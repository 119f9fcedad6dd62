"""The DAG on Airflow's real processes: a run, a cleared task, and a worker that is killed."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from scripts.airflow_local import DAG_ID, LocalAirflow, find_free_port

pytestmark = [pytest.mark.airflow, pytest.mark.faults]

PATIENCE_SECONDS = 400
"""How long a busy machine may take for a step that is a matter of seconds on an idle one."""

SETTINGS = {
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # only runs that the tests ask for
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "4",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    home = tmp_path_factory.mktemp("real")
    lake = home / "lake"
    with LocalAirflow(home, lake=str(lake), port=find_free_port(), settings=SETTINGS) as local:
        yield local
    assert list_processes(home) == []


def list_processes(home: Path) -> list[str]:
    """The command lines of processes that work for an Airflow."""
    mark = f"AIRFLOW_HOME={home}\0".encode()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue  # it has ended, or is another user's
    return found


@pytest.fixture
def api(local: LocalAirflow) -> Iterator[httpx.Client]:
    with local.log_in() as client:
        client.base_url = httpx.URL(f"{local.url}/api/v2")
        yield client


@pytest.fixture
def lake(local: LocalAirflow) -> Path:
    return Path(local.environment["ADLAKE_URI"])


def wait_for(read: Callable[[], Any], *, pause: float = 0.5) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        value = read()
        if value is not None:
            return value
        time.sleep(pause)
    raise AssertionError(f"nothing came in {PATIENCE_SECONDS} s")


def trigger(api: httpx.Client, day: str, **conf: Any) -> str:
    body = {"logical_date": f"{day}T00:00:00Z", "conf": conf}
    answer = api.post(f"/dags/{DAG_ID}/dagRuns", json=body).raise_for_status()
    run_id: str = answer.json()["dag_run_id"]
    return run_id


def read_task(api: httpx.Client, run_id: str, task_id: str) -> dict[str, Any]:
    path = f"/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/{task_id}"
    answer: dict[str, Any] = api.get(path).raise_for_status().json()
    return answer


def wait_for_run(api: httpx.Client, run_id: str) -> None:
    def read_end() -> str | None:
        answer = api.get(f"/dags/{DAG_ID}/dagRuns/{run_id}").raise_for_status()
        state: str = answer.json()["state"]
        return state if state in {"success", "failed"} else None

    assert wait_for(read_end) == "success"


def read_counts(lake: Path) -> list[tuple[object, ...]]:
    """Rows a day, by DuckDB over the files that the Delta log names."""
    live: dict[str, None] = {}
    for entry in sorted((lake / "master/_delta_log").glob("*.json")):
        for action in map(json.loads, entry.read_text().splitlines()):
            if "add" in action:
                live[action["add"]["path"]] = None
            elif "remove" in action:
                del live[action["remove"]["path"]]
    files = [str(lake / "master" / path) for path in live]
    return duckdb.sql(
        f"select date, count(*), count(distinct line) from read_parquet({files}) "
        f"group by date order by date"
    ).fetchall()


def read_lake(lake: Path) -> dict[str, int]:
    return {
        str(path.relative_to(lake)): path.stat().st_mtime_ns
        for path in lake.rglob("*")
        if path.is_file()
    }


def test_a_run_for_a_past_date_puts_its_day_into_the_lake(
    local: LocalAirflow, api: httpx.Client, lake: Path
) -> None:
    run_id = trigger(api, "2024-03-05", rows_per_day=1366)
    wait_for_run(api, run_id)
    assert read_counts(lake) == [(date(2024, 3, 5), 1366, 1366)]

    events = api.get("/assets/events").raise_for_status().json()["asset_events"]
    extras = {event["name"]: event["extra"] for event in events}
    assert extras["adlake_master"] == {
        "day": "2024-03-05",
        "version": 1,
        "rows": 1366,
        "rows_added": 1366,
        "rows_removed": 0,
        "findings": 0,
    }
    html = str(lake / "reports/latest.html")
    assert extras["adlake_report"] == {"version": 1, "rows": 1366, "tables": 3, "html": html}


def test_a_merge_that_is_cleared_runs_again_and_changes_nothing(
    local: LocalAirflow, api: httpx.Client, lake: Path
) -> None:
    before = read_lake(lake)
    runs = api.get(f"/dags/{DAG_ID}/dagRuns").raise_for_status().json()["dag_runs"]
    run_id = runs[0]["dag_run_id"]
    tries = read_task(api, run_id, "unify")["try_number"]
    body = {"dry_run": False, "dag_run_id": run_id, "task_ids": ["unify"], "only_failed": False}
    api.post(f"/dags/{DAG_ID}/clearTaskInstances", json=body).raise_for_status()

    def read_next_try() -> bool | None:
        task = read_task(api, run_id, "unify")
        return True if task["try_number"] > tries and task["state"] == "success" else None

    wait_for(read_next_try)
    wait_for_run(api, run_id)
    assert read_lake(lake) == before


def test_a_merge_whose_worker_is_killed_is_tried_again_and_counts_once(
    local: LocalAirflow, api: httpx.Client, lake: Path
) -> None:
    commits = sorted((lake / "master/_delta_log").glob("*.json"))
    run_id = trigger(api, "2024-03-06", rows_per_day=500_000)
    pid = wait_for(lambda: find_merging(api, run_id, lake), pause=0.02)
    worker = find_parent(pid)
    for process in (pid, worker):
        os.kill(process, signal.SIGSTOP)  # first, so that neither commits in between
    assert sorted((lake / "master/_delta_log").glob("*.json")) == commits
    for process in (worker, pid):
        os.kill(process, signal.SIGKILL)

    wait_for_run(api, run_id)
    assert read_task(api, run_id, "unify")["try_number"] >= 2
    assert read_counts(lake) == [
        (date(2024, 3, 5), 1366, 1366),
        (date(2024, 3, 6), 500_000, 500_000),
    ]


def test_a_backfill_on_the_scheduler_fills_its_days_whatever_their_order(
    local: LocalAirflow, lake: Path, api: httpx.Client
) -> None:
    days = ("--from-date", "2024-03-10", "--to-date", "2024-03-11")
    conf = json.dumps({"rows_per_day": 200})
    local.run(
        "backfill", "create", "--dag-id", DAG_ID, *days, "--run-backwards", "--dag-run-conf", conf
    )

    def read_backfilled() -> list[tuple[object, ...]] | None:
        runs = api.get(f"/dags/{DAG_ID}/dagRuns", params={"run_type": "backfill"}).json()
        ended = [run["state"] for run in runs["dag_runs"] if run["end_date"]]
        return read_counts(lake) if ended == ["success"] * 2 else None

    counts = wait_for(read_backfilled)
    assert counts[-2:] == [(date(2024, 3, day), 200, 200) for day in (10, 11)]


def find_merging(api: httpx.Client, run_id: str, lake: Path) -> int | None:
    """The process of a merge that has begun to read, or None."""
    if not any(lake.glob(".scratch-*/*")):
        return None
    task = read_task(api, run_id, "unify")
    pid: int = task["pid"]
    return pid if task["state"] == "running" else None


def find_parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
