"""Who is told that a task has failed for good."""

import email
import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import LakeError

if TYPE_CHECKING:
    from airflow.sdk import DAG

# Airflow's own imports warn while a run starts.
pytestmark = [pytest.mark.airflow, pytest.mark.filterwarnings("default")]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def fail(dag: "DAG", lake: Path, *, day: int) -> None:
    """Runs a day on a lake without files, whose merge only a person can help."""
    conf = {"lake": str(lake), "rows_per_day": 0}
    run = dag.test(logical_date=datetime(2024, 3, day, tzinfo=UTC), run_conf=conf)
    assert run.state == "failed"


class Webhook(ThreadingHTTPServer):
    """Takes what is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), WebhookHandler)
        self.posted: list[tuple[str, str | None, dict[str, Any]]] = []
        self.status = 204


class WebhookHandler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posted.append((self.path, self.headers.get("Authorization"), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_failure_that_cannot_pass_is_tried_once_and_told_to_the_webhook(
    daily: "DAG",
    database: None,
    lake: Path,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    url = f"http://127.0.0.1:{webhook.server_port}/services/secret-path"
    connection = {"conn_type": "http", "host": url, "password": "secret-token"}
    monkeypatch.setenv("AIRFLOW_CONN_ADLAKE_ALERT", json.dumps(connection))
    fail(daily, lake, day=6)
    ((path, authorization, told),) = webhook.posted
    assert (path, authorization) == ("/services/secret-path", "Bearer secret-token")
    assert told["task_id"] == "unify"
    assert told["day"] == "2024-03-06"
    assert told["try_number"] == 1
    assert "holds no file to merge" in told["error"]
    log = caplog.text + "".join(capfd.readouterr())
    assert "adlake_failure" in log
    assert "secret-token" not in log
    assert "secret-path" not in log


def test_a_long_error_is_cut_and_a_webhook_that_refuses_is_an_error_in_the_log(
    airflow_home: Path,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from pipeline.airflow.alert import MOST_CHARACTERS, tell_failure

    webhook.status = 503
    connection = {"conn_type": "http", "host": f"http://127.0.0.1:{webhook.server_port}/"}
    monkeypatch.setenv("AIRFLOW_CONN_ADLAKE_ALERT", json.dumps(connection))
    instance: Any = SimpleNamespace(dag_id="d", run_id="r", task_id="t", try_number=4)
    tell_failure({"ti": instance, "exception": LakeError("x" * 10_000)})
    ((_, _, told),) = webhook.posted
    assert told["error"].startswith("LakeError: xxx")
    assert len(told["error"]) == MOST_CHARACTERS + len(" ...")
    assert "the webhook answered 503" in [
        record.message for record in caplog.records if record.levelname == "ERROR"
    ]


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail, in clear and from everybody."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MailHandler)
        self.mails: list[str] = []


class MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.answer(220)
        while line := self.rfile.readline().decode().strip().upper():
            if line == "DATA":
                self.answer(354)
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.server.mails.append("".join(lines))
            self.answer(221 if line == "QUIT" else 250)
            if line == "QUIT":
                return

    def answer(self, code: int) -> None:
        self.wfile.write(f"{code} so\r\n".encode())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_failure_is_told_by_mail_where_the_connection_is_a_mail_server(
    daily: "DAG",
    database: None,
    lake: Path,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": mail_server.server_address[1],
        "extra": {
            "from_email": "airflow@example.com",
            "to": "team@example.com",
            "disable_ssl": True,
            "disable_tls": True,
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_ADLAKE_ALERT", json.dumps(connection))
    fail(daily, lake, day=7)
    (mail,) = map(email.message_from_string, mail_server.mails)
    assert mail["To"] == "team@example.com"
    assert mail["Subject"] == "marketing_pipeline_v1: unify failed for 2024-03-07"
    (body,) = (part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart())
    assert isinstance(body, bytes)
    assert b"holds no file to merge" in body
