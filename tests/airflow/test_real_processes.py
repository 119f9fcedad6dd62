"""The DAG on Airflow's real processes: a run, a cleared task, and a worker that is killed."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import polars as pl
import psutil
import pytest

from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import Lake
from pipeline.schema import SORT_ORDER
from pipeline.settings import Settings
from pipeline.steps.merge import merge
from pipeline.storage import LocalStorage
from scripts import airflow_local
from scripts.airflow_local import DAG_ID, LocalAirflow, find_free_port
from tests.fault_proxy import Proxy, Rule, start_proxy
from tests.lots import make_line, write_lot
from tests.s3 import BUCKET, Server, clean_environ, make_client

pytestmark = [pytest.mark.airflow, pytest.mark.faults]

PATIENCE_SECONDS = 400
"""How long a busy machine may take for a step that is a matter of seconds on an idle one."""

SETTINGS = {
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # only runs that the tests ask for
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "4",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}
PRECONDITION_FAILED = 412
BUCKET_LAKE = f"s3://{BUCKET}/scheduled"
DAYS = [date(2024, 2, 15) + timedelta(days=number) for number in range(30)]
COMMIT = r"/{}/master/_delta_log/0*{}\.json$"


@pytest.fixture(scope="module")
def proxy(s3_server: Server) -> Iterator[Proxy]:
    with start_proxy(s3_server.endpoint) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def script(
    tmp_path_factory: pytest.TempPathFactory, s3_server: Server, proxy: Proxy
) -> Iterator[tuple[LocalAirflow, "subprocess.Popen[str]"]]:
    """What `make airflow` runs, on a fresh home; it reaches buckets through the proxy alone."""
    home = tmp_path_factory.mktemp("real")
    local = LocalAirflow(home, lake=str(home / "lake"), port=find_free_port())
    extra = {"region_name": "us-east-1", "endpoint_url": proxy.endpoint}
    held = {"conn_type": "aws", "login": s3_server.key_id, "password": s3_server.secret}
    connection = {"AIRFLOW_CONN_ADLAKE_AWS": json.dumps(held | {"extra": extra})}
    command = [sys.executable, airflow_local.__file__, "--home", str(home)]
    command += ["--lake", str(home / "lake"), "--port", local.url.rpartition(":")[2]]
    environment = clean_environ() | SETTINGS | connection
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            told = "".join(itertools.islice(running.stdout, 4))
            assert f"{local.url}/dags/{DAG_ID}\n" in told
            assert f"user admin, password {local.read_password()}\n" in told
            assert f"lake {home}/lake; Ctrl-C" in told
            yield local, running
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGINT)
            assert running.wait(PATIENCE_SECONDS) == 0
    assert list_processes(home) == []


@pytest.fixture(scope="module")
def local(script: tuple[LocalAirflow, "subprocess.Popen[str]"]) -> LocalAirflow:
    return script[0]


def list_processes(home: Path) -> list[psutil.Process]:
    """The processes of the sessions that were started on a home."""
    leaders = [int(pid) for pid in (home / "lock").read_text(encoding="utf-8").split()]
    assert len(leaders) == 3
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) in leaders and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.fixture
def api(local: LocalAirflow) -> Iterator[httpx.Client]:
    with local.log_in() as client:
        client.base_url = httpx.URL(f"{local.url}/api/v2")
        yield client


@pytest.fixture
def lake(local: LocalAirflow) -> Path:
    return Path(local.environment["ADLAKE_URI"])


def wait_for(read: Callable[[], Any], *, times: int = 1) -> Any:
    """What is read at last; `times` as patient where so many runs are waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS * times
    while time.monotonic() < deadline:
        value = read()
        if value is not None:
            return value
        time.sleep(0.5)
    raise AssertionError(f"nothing came in {PATIENCE_SECONDS * times} s")


def set_paused(api: httpx.Client, paused: bool) -> None:
    api.patch(f"/dags/{DAG_ID}", json={"is_paused": paused}).raise_for_status()


def trigger(api: httpx.Client, logical_day: str | None, **conf: Any) -> str:
    body = {"logical_date": logical_day and f"{logical_day}T00:00:00Z", "conf": conf}
    answer = api.post(f"/dags/{DAG_ID}/dagRuns", json=body).raise_for_status()
    run_id: str = answer.json()["dag_run_id"]
    return run_id


def read_task(api: httpx.Client, run_id: str, task_id: str) -> dict[str, Any]:
    path = f"/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/{task_id}"
    answer: dict[str, Any] = api.get(path).raise_for_status().json()
    return answer


def find_task(api: httpx.Client, run_id: str, task_id: str) -> psutil.Process:
    """The process of a task that runs."""
    task = read_task(api, run_id, task_id)
    assert task["state"] == "running"
    return psutil.Process(task["pid"])


def wait_for_run(api: httpx.Client, run_id: str, *, state: str = "success") -> None:
    def read_end() -> str | None:
        answer = api.get(f"/dags/{DAG_ID}/dagRuns/{run_id}").raise_for_status()
        now: str = answer.json()["state"]
        return now if now in {"success", "failed"} else None

    assert wait_for(read_end) == state


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
        f"select date, count(*), count(distinct (source, line)) from read_parquet({files}) "
        f"group by date order by date"
    ).fetchall()


def read_lake(lake: Path) -> dict[str, int]:
    return {
        str(path.relative_to(lake)): path.stat().st_mtime_ns
        for path in lake.rglob("*")
        if path.is_file()
    }


def test_a_run_for_a_past_date_puts_its_day_and_what_was_delivered_into_the_lake(
    local: LocalAirflow, api: httpx.Client, lake: Path
) -> None:
    write_lot(lake / "landing/lots/a.csv", [make_line(date="2024-03-05")])
    run_id = trigger(api, "2024-03-05", rows_per_day=1366)
    wait_for_run(api, run_id)
    assert read_counts(lake) == [(date(2024, 3, 5), 1367, 1367)]

    events = api.get("/assets/events").raise_for_status().json()["asset_events"]
    extras = {event["name"]: event["extra"] for event in events}
    assert extras["adlake_master"] == {
        "day": "2024-03-05",
        "version": 1,
        "rows": 1367,
        "rows_added": 1367,
        "rows_removed": 0,
        "findings": 0,
    }
    html = str(lake / "reports/latest.html")
    assert extras["adlake_report"] == {"version": 1, "rows": 1367, "tables": 9, "html": html}


def test_nothing_is_reachable_from_another_machine(local: LocalAirflow) -> None:
    listening = {
        connection.laddr
        for process in list_processes(local.home)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert {ip for ip, _ in listening} == {"127.0.0.1"}
    assert f"http://127.0.0.1:{min(port for _, port in listening)}" == local.url


def test_upkeep_begins_on_a_sunday_to_come(api: httpx.Client) -> None:
    """A lake that has just been made needs none, and one without a master cannot have any."""
    dag = api.get("/dags/lake_maintenance").raise_for_status().json()
    due = datetime.fromisoformat(dag["next_dagrun_run_after"])
    assert (due.isoweekday(), due.hour) == (7, 3)
    assert due > datetime.now(UTC) - timedelta(hours=1)


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


def test_a_run_without_a_logical_date_takes_its_day_from_the_params_or_fails_at_once(
    local: LocalAirflow, api: httpx.Client, tmp_path: Path
) -> None:
    conf = {"lake": str(tmp_path), "rows_per_day": 10}
    without = trigger(api, None, **conf)
    wait_for_run(api, without, state="failed")
    assert read_task(api, without, "generate")["try_number"] == 1
    wait_for_run(api, trigger(api, None, day="2024-03-05", **conf))
    assert read_counts(tmp_path) == [(date(2024, 3, 5), 10, 10)]


def test_a_merge_in_a_bucket_whose_worker_is_killed_is_tried_again_and_counts_once(
    local: LocalAirflow, api: httpx.Client, s3_server: Server, proxy: Proxy, tmp_path: Path
) -> None:
    """The commit is on its way when the worker dies, and arrives after that of the retry."""
    proxy.break_by(Rule("hold", "PUT", COMMIT.format("scheduled", 1), times=1))
    run_id = trigger(api, "2024-03-06", rows_per_day=1366, lake=BUCKET_LAKE)
    wait_for(lambda: proxy.done or None)
    merging = find_task(api, run_id, "unify")
    for process in (merging.parent(), merging):
        process.kill()

    wait_for_run(api, run_id)
    assert read_task(api, run_id, "unify")["try_number"] == 2
    proxy.break_by()
    assert wait_for(lambda: proxy.late or None) == [PRECONDITION_FAILED]
    download(s3_server, BUCKET_LAKE, tmp_path)
    assert read_counts(tmp_path) == [(date(2024, 3, 6), 1366, 1366)]
    assert (tmp_path / "reports/latest.html").exists()
    assert (tmp_path / "exports/days/2024-03-06/marketing_master_dataset.csv").exists()


def test_a_backfill_on_the_scheduler_fills_its_days_whatever_their_order(
    local: LocalAirflow, lake: Path, api: httpx.Client
) -> None:
    backfill(local, api, "2024-04-10", "2024-04-11", "--run-backwards", rows_per_day=200)
    assert read_counts(lake)[-2:] == [(date(2024, 4, day), 200, 200) for day in (10, 11)]


@pytest.mark.soak
def test_a_backfill_of_thirty_days_makes_the_master_of_thirty_daily_runs(
    local: LocalAirflow, api: httpx.Client, tmp_path: Path
) -> None:
    backfilled, daily = Lake(LocalStorage(tmp_path / "a")), Lake(LocalStorage(tmp_path / "b"))
    for lake in (backfilled, daily):
        deliver(Path(lake.uri))
    params = {"lake": backfilled.uri, "rows_per_day": 40}
    backfill(local, api, str(DAYS[0]), str(DAYS[-1]), "--max-active-runs", "3", **params)
    for day in DAYS:
        request = GenerateRequest(start=day, end=day, seed=42, rows_per_day=40)
        generate_days(daily, request, today=DAYS[-1], workers=1)
        merge(daily, settings=Settings())
    master = read_master(daily)
    assert master.height == len(DAYS) * 41
    assert read_master(backfilled).equals(master)
    again = ("--reprocess-behavior", "completed")
    repeated = backfill(local, api, str(DAYS[3]), str(DAYS[5]), *again, **params)
    assert [read_task(api, run_id, "unify")["try_number"] for run_id in repeated] == [2] * 3
    assert read_master(backfilled).equals(master)


def deliver(lake: Path) -> None:
    """Another source, and a restatement of its last days."""
    for name, days, clicks in (("15", DAYS, 20), ("16", DAYS[10:], 21)):
        lines = [make_line(date=day, campaign_id=f"c{day}", clicks=clicks) for day in days]
        write_lot(lake / f"landing/lots/delivered=2024-03-{name}/a.csv", lines)


def read_master(lake: Lake) -> pl.DataFrame:
    files = lake.take_snapshot().file_uris
    return pl.read_parquet(files, glob=False, hive_partitioning=False).sort(SORT_ORDER)


def run_unless_locked(local: LocalAirflow, *arguments: str) -> str | None:
    """What an `airflow` command prints; None if another writer was at the database just then."""
    try:
        return local.run(*arguments)
    except SystemExit as error:
        if "database is locked" not in str(error):
            raise
        return None


def backfill(
    local: LocalAirflow, api: httpx.Client, first: str, last: str, *options: str, **conf: Any
) -> list[str]:
    """Runs the days from the first to the last one until all have succeeded: their runs' ids."""
    days = ("--from-date", first, "--to-date", last)
    command: tuple[str, ...] = ("backfill", "create", "--dag-id", DAG_ID, *days)

    def read_over() -> bool | None:
        known = api.get("/backfills", params={"dag_id": DAG_ID}).raise_for_status().json()
        return True if all(one["completed_at"] for one in known["backfills"]) else None

    wait_for(read_over)  # a DAG has one backfill at a time
    # SQLite refuses a writer whose transaction began before the scheduler's last one; Airflow then
    # takes back what it has of the backfill.
    set_paused(api, True)
    try:
        command += (*options, "--dag-run-conf", json.dumps(conf))
        wait_for(lambda: run_unless_locked(local, *command))
    finally:
        set_paused(api, False)
    params = {"run_type": "backfill"}
    params |= {"logical_date_gte": f"{first}T00:00Z", "logical_date_lte": f"{last}T00:00Z"}

    def read_ended() -> dict[str, str] | None:
        runs = api.get(f"/dags/{DAG_ID}/dagRuns", params=params).raise_for_status().json()
        states = {run["dag_run_id"]: run["state"] for run in runs["dag_runs"]}
        return states if {"success", "failed"}.issuperset(states.values()) else None

    count = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    ended = wait_for(read_ended, times=count)
    assert list(ended.values()) == ["success"] * count
    return list(ended)


def test_ctrl_c_ends_all_of_it_and_what_a_task_is_doing(
    script: tuple[LocalAirflow, "subprocess.Popen[str]"], api: httpx.Client, proxy: Proxy
) -> None:
    local, running = script
    proxy.break_by(Rule("hold", "PUT", COMMIT.format("stopped", 1), times=1))
    run_id = trigger(api, "2024-03-07", rows_per_day=10, lake=f"s3://{BUCKET}/stopped")
    wait_for(lambda: proxy.done or None)
    assert find_task(api, run_id, "unify") in list_processes(local.home)
    running.send_signal(signal.SIGINT)
    time.sleep(1)
    running.send_signal(signal.SIGINT)  # somebody who does not want to wait for the task
    assert running.wait(PATIENCE_SECONDS) == 0
    assert list_processes(local.home) == []


def download(server: Server, uri: str, folder: Path) -> None:
    """Copies a lake out of the bucket, past the proxy."""
    client = make_client(server.describe())
    prefix = uri.removeprefix(f"s3://{BUCKET}/") + "/"
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for entry in page["Contents"]:
            path = folder / entry["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read())
