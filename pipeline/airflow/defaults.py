"""What every task and every DAG of adlake has in common."""

from datetime import timedelta
from typing import Any, Final

from airflow.sdk import Param

from pipeline.airflow.alert import tell_failure
from pipeline.airflow.retry import RetryWhatMayPass

DEFAULT_ARGS: Final[dict[str, Any]] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": RetryWhatMayPass(),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": tell_failure,
}


def make_lake_param() -> Param:
    """The param `lake`, which `open_run` reads."""
    return Param(
        None,
        type=["null", "string"],
        minLength=1,
        maxLength=1024,
        description="Root of the lake; empty: the worker's ADLAKE_URI, else ./lake.",
    )
