"""What the daily DAG does to a lake, task by task and as a run of Airflow's."""

import json
import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipeline.errors import CommitConflictError, EmptyLakeError, QualityError, UsageError
from tests.airflow.conftest import call_task, list_files, run_day
from tests.lots import make_line, write_lot

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.airflow

DAY = "2024-03-05"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def test_a_run_needs_a_day_and_takes_one_only(daily: "DAG", lake: Path) -> None:
    def generate(ds: str | None, **params: Any) -> Any:
        return call_task(daily, "generate", ds=ds, lake=str(lake), **params)

    with pytest.raises(UsageError, match=r"no logical date.*param day, such as"):
        generate(None)
    with pytest.raises(UsageError, match="date is 2024-03-05, but its param day says 2024-03-06"):
        generate(DAY, day="2024-03-06")
    with pytest.raises(UsageError, match="2999-01-01, which is not here yet"):
        generate("2999-01-01")
    assert not lake.exists()
    made = {"day": DAY, "rows": 10, "days_written": 1}
    assert generate(None, day=DAY, rows_per_day=10) == made
    assert generate(DAY, day=DAY, rows_per_day=10) == made | {"rows": 0, "days_written": 0}


def test_a_day_leaves_its_rows_its_sums_and_its_csv(daily: "DAG", lake: Path) -> None:
    run_day(daily, "2024-03-04", lake=str(lake), rows_per_day=50)
    given = run_day(daily, DAY, lake=str(lake), rows_per_day=50)
    assert given["unify"] == {
        "version": 2,
        "rows": 100,
        "transaction": 2,
        "rows_added": 50,
        "rows_removed": 0,
        "files": 1,
        "files_to_look_at": 0,
    }
    assert given["kpis"]["version"] == 2
    assert given["kpis"]["rollups"] > 0
    html = lake / "reports/latest.html"
    assert given["report"] == {"version": 2, "rows": 100, "tables": 8, "html": str(html)}
    assert b"<!DOCTYPE html>" in html.read_bytes()
    assert given["export"] == {"folder": f"exports/days/{DAY}", "rows": 50}
    csv = lake / "exports/days" / DAY / "marketing_master_dataset.csv"
    query = f"select count(*), min(date), max(date) from read_csv('{csv}')"
    assert duckdb.sql(query).fetchall() == [(50, date(2024, 3, 5), date(2024, 3, 5))]
    assert not (lake / "exports/marketing_master_dataset.csv").exists()


def test_a_repeated_day_writes_nothing_but_its_csv_again(daily: "DAG", lake: Path) -> None:
    run_day(daily, DAY, lake=str(lake), rows_per_day=50)
    before = list_files(lake)
    run_day(daily, DAY, lake=str(lake), rows_per_day=50)
    after = list_files(lake)
    assert after.keys() == before.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {f"exports/days/{DAY}/marketing_master_dataset.csv", "reports/latest.html"}


def test_all_days_are_exported_where_it_is_asked_for(daily: "DAG", lake: Path) -> None:
    run_day(daily, "2024-03-04", lake=str(lake), rows_per_day=50)
    given = run_day(daily, DAY, lake=str(lake), rows_per_day=50, full_export=True)
    assert given["export"]["full_rows"] == 100
    lines = (lake / "exports/marketing_master_dataset.csv").read_text().splitlines()
    assert len(lines) == 101


def test_a_lake_of_deliveries_alone_generates_nothing(daily: "DAG", lake: Path) -> None:
    write_lot(lake / "landing/lots/a.csv", [make_line(date=DAY)])
    given = run_day(daily, DAY, lake=str(lake), rows_per_day=0)
    assert given["unify"]["rows"] == 1
    assert not (lake / "raw").exists()


def test_the_sensor_waits_for_the_sources_of_its_list_alone(daily: "DAG", lake: Path) -> None:
    def look(*sources: str) -> Any:
        return call_task(
            daily, "wait_for_deliveries", ds=DAY, lake=str(lake), wait_for=list(sources)
        )

    assert call_task(daily, "wait_for_deliveries", ds=DAY, lake=str(lake)) is True  # by default
    assert look() is True
    assert not lake.exists()
    assert look("google") is False
    write_lot(lake / "landing/google/a.csv", [make_line(date=DAY)])
    assert look("google") is True
    assert look("google", "meta") is False


def test_the_gate_warns_or_stops_by_its_param(daily: "DAG", lake: Path) -> None:
    write_lot(
        lake / "landing/lots/a.csv",
        [make_line(date=DAY), make_line(date=DAY, campaign_id="c2", clicks=-1)],
    )
    params = {"lake": str(lake), "rows_per_day": 0}
    unified = call_task(daily, "unify", ds=DAY, **params)
    assert call_task(daily, "quality_gate", unified, ds=DAY, **params) == {"quarantine_share": 1}
    stop = params | {"on_bad_quality": "stop"}
    with pytest.raises(QualityError, match="1 of 2 rows are in quarantine"):
        call_task(daily, "quality_gate", unified, ds=DAY, **stop)
    call_task(daily, "quality_gate", unified, ds=DAY, **stop, max_quarantine_share=0.5)


def test_a_merge_whose_answer_was_lost_is_told_and_judged_by_the_next_try(
    daily: "DAG", lake: Path
) -> None:
    """The bad row came long after the day, so that only this run's merge speaks of it."""
    lines = [make_line(date=DAY), make_line(date=DAY, campaign_id="c2", clicks=-1)]
    write_lot(lake / "landing/lots/delivered=2024-04-01/a.csv", lines)
    params = {"lake": str(lake), "rows_per_day": 0}
    lost = call_task(daily, "unify", ds=DAY, **params)
    assert (lost["transaction"], lost["rows_added"], lost["files"]) == (1, 1, 1)
    found = call_task(daily, "unify", ds=DAY, **params)
    assert found == lost
    assert call_task(daily, "quality_gate", found, ds=DAY, **params) == {"quarantine_share": 1}

    other = call_task(daily, "unify", ds="2024-03-06", **params)
    assert other == lost | {
        "transaction": None,
        "rows_added": 0,
        "files": 0,
        "files_to_look_at": 0,
    }
    assert call_task(daily, "quality_gate", other, ds="2024-03-06", **params) == {}


def test_a_lake_without_a_master_is_told_by_what_reads_it(daily: "DAG", lake: Path) -> None:
    unified = {"version": 1, "transaction": 1}
    for task_id in ("quality_gate", "kpis", "report", "export"):
        with pytest.raises(EmptyLakeError, match="holds no master table yet"):
            call_task(daily, task_id, unified, ds=DAY, lake=str(lake))
    assert not lake.exists()


def test_an_aws_connection_gives_a_lake_on_s3_its_credentials(
    daily: "DAG", monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    from pipeline.airflow.run import read_aws_connection

    assert read_aws_connection() == {}
    connection = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret",
        "extra": {"region_name": "eu-west-1", "endpoint_url": "http://127.0.0.1:9"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_ADLAKE_AWS", json.dumps(connection))
    assert read_aws_connection() == {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ
    connection["extra"] = {"role_arn": "arn:aws:iam::1:role/lake"}
    monkeypatch.setenv("AIRFLOW_CONN_ADLAKE_AWS", json.dumps(connection))
    with pytest.raises(UsageError, match="adlake_aws holds role_arn, which adlake does not read"):
        read_aws_connection()


@pytest.mark.filterwarnings("default")  # of Airflow's own imports
def test_airflow_runs_a_day_and_its_log_tells_of_it_in_one_line(
    daily: "DAG",
    database: None,
    lake: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    conf = {"lake": str(lake), "rows_per_day": 1366}
    run = daily.test(logical_date=datetime(2024, 3, 5, tzinfo=UTC), run_conf=conf)
    assert run.state == "success"
    rows = duckdb.sql(
        f"select date, count(*), count(distinct line) from '{lake}/master/*/*/*.parquet' group by 1"
    ).fetchall()
    assert rows == [(date(2024, 3, 5), 1366, 1366)]
    assert "Advertising report, table version 1" in "".join(capfd.readouterr())
    (line,) = [line for line in caplog.messages if line.startswith("adlake_run ")]
    told = json.loads(line.removeprefix("adlake_run "))
    assert told["generate"] == {"day": DAY, "rows": 1366, "days_written": 1}
    assert told["unify"]["rows"] == 1366
    assert told["export"] == {"folder": f"exports/days/{DAY}", "rows": 1366}


@pytest.mark.filterwarnings("default")  # of Airflow's own imports
@pytest.mark.parametrize(("on_bad_quality", "passes"), [("warn", True), ("stop", False)])
def test_a_gate_that_stops_does_so_at_once_and_announces_nothing(
    daily: "DAG", database: None, lake: Path, on_bad_quality: str, passes: bool
) -> None:
    bad = make_line(date="2024-03-12", campaign_id="c2", clicks=-1)
    write_lot(lake / "landing/lots/a.csv", [make_line(date="2024-03-12"), bad])
    conf = {"lake": str(lake), "rows_per_day": 0, "on_bad_quality": on_bad_quality}
    day = datetime(2024, 3, 12 if passes else 13, tzinfo=UTC)
    run = daily.test(logical_date=day, run_conf=conf)
    tasks = {task.task_id: task for task in run.get_task_instances()}
    assert tasks["quality_gate"].try_number == 1
    assert tasks["quality_gate"].state == ("success" if passes else "failed")
    for task_id in ("kpis", "report", "export"):
        assert tasks[task_id].state == ("success" if passes else "upstream_failed")
    assert (lake / "reports/latest.html").exists() == passes
    assert sorted(list_announced(run.run_id)) == (
        ["adlake_master", "adlake_report"] if passes else []
    )


def list_announced(run_id: str) -> list[str]:
    """The assets that a run has told of."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run_id))
        return [event.asset.name for event in events]


def test_an_error_that_may_pass_leaves_the_task_to_its_retries(
    daily: "DAG", lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise CommitConflictError("others were faster")

    monkeypatch.setattr("pipeline.steps.merge.merge", refuse)
    with pytest.raises(CommitConflictError):
        call_task(daily, "unify", ds=DAY, lake=str(lake))
