"""Tells a webhook or a mailbox that a task has failed for good.

Where to is the Airflow connection `adlake_alert`; without it a failure is only logged.

http    host: the webhook's URL; password: a bearer token, if it wants one
smtp    the mail server; extra: {"from_email": ..., "to": ...}
"""

import json
import logging
from html import escape
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from pipeline.secret import scrub

if TYPE_CHECKING:
    from airflow.sdk import Context

ALERT_CONNECTION: Final = "adlake_alert"
TIMEOUT_SECONDS: Final = 10
MOST_CHARACTERS: Final = 2000
"""Of an error's text; the whole stands in the task's log."""

_log = logging.getLogger(__name__)


def tell_failure(context: "Context") -> None:
    """Tells of a failed task; for `on_failure_callback`.

    Airflow logs what goes wrong in here and otherwise leaves the task as it is.
    """
    failure = describe_failure(context)
    _log.error("adlake_failure %s", json.dumps(failure, sort_keys=True))
    try:
        connection = Connection.get(ALERT_CONNECTION)
    except AirflowNotFoundException:
        return
    if connection.conn_type == "smtp":
        _send_mail(connection, failure, context)
    else:
        _post(connection, failure)


def describe_failure(context: "Context") -> dict[str, Any]:
    """What is told: names, the day, the try and the error's text; never params."""
    instance = context["ti"]
    error = context.get("exception")
    text = scrub(f"{type(error).__name__}: {error}") if error else "the task was killed"
    return {
        "dag_id": instance.dag_id,
        "run_id": instance.run_id,
        "task_id": instance.task_id,
        "day": context.get("ds"),
        "try_number": instance.try_number,
        "error": text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} ...",
        "log_url": getattr(instance, "log_url", None),
    }


def _post(connection: Any, failure: dict[str, Any]) -> None:
    import httpx  # noqa: PLC0415 - needed by a failure only

    mask_secret(connection.host)  # a webhook's URL is its secret
    headers = {"Authorization": f"Bearer {connection.password}"} if connection.password else {}
    answer = httpx.post(connection.host, json=failure, headers=headers, timeout=TIMEOUT_SECONDS)
    level = logging.INFO if answer.is_success else logging.ERROR
    _log.log(level, "the webhook answered %d", answer.status_code)


def _send_mail(connection: Any, failure: dict[str, Any], context: "Context") -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415 - likewise

    SmtpNotifier(
        to=connection.extra_dejson["to"],
        subject=f"{failure['dag_id']}: {failure['task_id']} failed for {failure['day']}",
        html_content=_write_html(failure),
        smtp_conn_id=ALERT_CONNECTION,
    ).notify(context)


def _write_html(failure: dict[str, Any]) -> str:
    rows = (
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in failure.items()
    )
    return f"<table>{''.join(rows)}</table>"
