"""The daily run: make the day's rows, take what is new into the master, report.

Parsing does no work and imports nothing of `pipeline`: the scheduler reads this file every few
seconds, and the libraries take longer to import than the whole file to parse.
"""

# ruff: noqa: PLC0415 - a task imports what it needs when it runs

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, task
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from pipeline.lake import Lake
    from pipeline.settings import Settings

DOC = """
### Marketing pipeline

`generate >> unify >> report`, once a day for the day that has just ended (UTC).

* **generate** makes the rows of the run's logical date in the lake's `raw/`. The same seed and
  rows make the same bytes, so a run that is repeated writes nothing.
* **unify** takes everything that is new in `raw/` and `landing/` into the master, exactly once,
  and writes the rollups that the reports read.
* **report** prints the KPIs per platform and per audience into its log.

A task may be cleared and run again at any time. Errors that only a person can mend (a wrong
parameter, a lake changed from outside) fail at once; others are tried again.

**lake** is a local path or URI; empty means `ADLAKE_URI` of the worker's environment, else
`./lake` below the worker's working folder. Trigger it by hand with a logical date, or backfill:
without a logical date the run does not know its day and fails.
"""


@dag(
    dag_id="marketing_pipeline_v1",
    description="Generate, unify and report one day of advertising data",
    doc_md=DOC,
    # This timetable's logical date is the day that has ended; `@daily`'s would be the day that
    # has just begun.
    schedule=CronDataIntervalTimetable("0 0 * * *", "UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["marketing", "etl"],
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=1),
    },
    params={
        "rows_per_day": Param(
            1366, type="integer", minimum=1, description="Rows of the day; 366 days make 500,000."
        ),
        "seed": Param(
            42, type="integer", minimum=0, description="The same seed makes the same rows."
        ),
        "lake": Param(
            None,
            type=["null", "string"],
            description="Root of the lake; empty: ADLAKE_URI, else ./lake.",
        ),
    },
)
def marketing_pipeline_v1() -> None:
    """Declares the tasks and their order."""
    unified = unify()
    generate() >> unified
    report(unified)  # type: ignore[arg-type]  # Airflow hands the task its value


@task
def generate(
    *, ds: str | None = None, params: Mapping[str, Any] | None = None
) -> dict[str, str | int]:
    """Makes the logical date's rows.

    Returns:
        The day, and how many rows and days were written: none where they were there already.
    """
    from pipeline.generate.request import GenerateRequest
    from pipeline.generate.write import generate_days

    if ds is None or params is None:
        raise AirflowFailException(
            "this run has no logical date, so it is not known which day to make: trigger it "
            "again with a logical date, such as 2024-03-05"
        )
    day = datetime.fromisoformat(ds).date()
    with _open_lake(params) as (lake, settings):
        outcome = generate_days(
            lake,
            GenerateRequest(
                start=day, end=day, seed=params["seed"], rows_per_day=params["rows_per_day"]
            ),
            today=datetime.now(UTC).date(),
            workers=settings.workers,
        )
    return {"day": ds, "rows": outcome.rows, "days_written": outcome.days_written}


@task
def unify(*, params: Mapping[str, Any] | None = None) -> dict[str, int]:
    """Takes what is new into the master and writes the rollups that its version lacks.

    Returns:
        The master's version and rows, how many came and went, and how many files were decided on.
    """
    from pipeline.steps.merge import merge
    from pipeline.steps.report import roll_up

    with _open_lake(params or {}) as (lake, settings):
        outcome = merge(lake, settings=settings)
        rollups = roll_up(lake, lake.take_snapshot(outcome.version), settings=settings)
    return {
        "version": outcome.version,
        "rows": outcome.rows,
        "rows_added": outcome.rows_added,
        "rows_removed": outcome.rows_removed,
        "files": len(outcome.accounts),
        "files_to_look_at": len(outcome.to_look_at),
        "rollups": rollups,
    }


@task
def report(
    unified: Mapping[str, int], *, params: Mapping[str, Any] | None = None
) -> dict[str, int]:
    """Prints the report of the version that `unify` made into the task's log.

    Returns:
        The version, its rows, and how many tables the report has.
    """
    from pipeline.report.console import print_report
    from pipeline.steps import report as step

    with _open_lake(params or {}) as (lake, settings):
        snapshot = lake.take_snapshot(unified["version"])
        made = step.report(lake, snapshot, settings=settings)
    print_report(made, file=sys.stdout)
    return {"version": snapshot.version, "rows": snapshot.rows, "tables": len(made.sections)}


@contextlib.contextmanager
def _open_lake(params: Mapping[str, Any]) -> Iterator[tuple["Lake", "Settings"]]:
    """Opens the run's lake, and fails the task for good where trying again cannot help."""
    from pipeline.errors import AdlakeError
    from pipeline.lake import Lake
    from pipeline.settings import Settings
    from pipeline.storage import open_storage

    try:
        settings = Settings.from_env(os.environ)
        if params.get("lake"):
            settings = replace(settings, lake_uri=params["lake"])
        yield Lake(open_storage(settings.lake_uri)), settings
    except AdlakeError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from error


marketing_pipeline_v1()
