"""The daily run on a lake in a bucket, whose credentials an Airflow connection holds."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import SetupError
from pipeline.lake import Lake
from pipeline.storage import open_storage
from tests.airflow.conftest import call_task, run_day
from tests.s3 import Server

if TYPE_CHECKING:
    from airflow.sdk import DAG

# Airflow's own imports warn while a run starts.
pytestmark = [pytest.mark.airflow, pytest.mark.filterwarnings("default")]

DAY = "2024-03-05"


@pytest.fixture
def connection(s3_server: Server, s3_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's credentials, in Airflow's connection and nowhere else."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name)  # and back at the end, whatever a task has set
    extra = {"region_name": "us-east-1", "endpoint_url": s3_server.endpoint}
    held = {"conn_type": "aws", "login": s3_server.key_id, "password": s3_server.secret}
    monkeypatch.setenv("AIRFLOW_CONN_ADLAKE_AWS", json.dumps(held | {"extra": extra}))


def test_without_credentials_a_run_ends_at_once(
    daily: "DAG", connection: None, s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ADLAKE_AWS")
    with pytest.raises(SetupError, match="no AWS credentials were found") as caught:
        call_task(daily, "unify", ds=DAY, lake=s3_uri)
    assert not caught.value.retryable


def test_a_token_of_the_worker_does_not_go_with_the_keys_of_the_connection(
    daily: "DAG", connection: None, s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a token of other keys")
    call_task(daily, "generate", ds=DAY, lake=s3_uri, rows_per_day=1)
    assert "AWS_SESSION_TOKEN" not in os.environ


def test_a_day_in_a_bucket_is_there_once_however_often_it_is_run(
    daily: "DAG", upkeep: "DAG", connection: None, s3_uri: str
) -> None:
    given = run_day(daily, DAY, lake=s3_uri, rows_per_day=50)
    assert given["report"]["html"] == f"{s3_uri}/reports/latest.html"
    lake = Lake(open_storage(s3_uri))
    before = {entry.path for entry in lake.storage.list("")}
    assert f"exports/days/{DAY}/marketing_master_dataset.csv" in before
    assert run_day(daily, DAY, lake=s3_uri, rows_per_day=50)["unify"]["rows"] == 50
    assert {entry.path for entry in lake.storage.list("")} == before
    for task_id in ("compact", "fsck", "vacuum"):
        call_task(upkeep, task_id, ds=None, lake=s3_uri)
    assert lake.take_snapshot().rows == 50


def test_airflow_runs_a_day_in_a_bucket_and_its_log_holds_no_secret(
    daily: "DAG",
    database: None,
    connection: None,
    s3_server: Server,
    s3_uri: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    conf = {"lake": s3_uri, "rows_per_day": 50}
    run = daily.test(logical_date=datetime(2024, 3, 8, tzinfo=UTC), run_conf=conf)
    assert run.state == "success"
    assert os.environ["AWS_ACCESS_KEY_ID"] == s3_server.key_id
    told = caplog.text + "".join(capfd.readouterr())
    assert "adlake_run" in told
    assert s3_server.secret not in told
