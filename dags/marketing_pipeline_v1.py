"""The daily run: make the day's rows, take what is new into the master, check, report, export.

Parsing does no work and imports nothing that does: the scheduler reads this file every few
seconds, and the libraries take longer to import than the whole file to parse.
"""

# ruff: noqa: PLC0415 - a task imports what it needs when it runs

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, CronDataIntervalTimetable, Param, chain, dag, task

from pipeline.airflow.defaults import DEFAULT_ARGS, make_lake_param
from pipeline.airflow.run import log_summary, open_run
from pipeline.airflow.sensor import DeliverySensor

MASTER = Asset("adlake_master")
REPORT = Asset("adlake_report")

Counts = dict[str, Any]

DOC = """
### Marketing pipeline

Once a day, for the day that has just ended (UTC): the run's logical date.

* **generate** makes the day's rows in the lake's `raw/`; with *rows_per_day* 0 it makes none. The
  same seed and rows make the same bytes, so a run that is repeated writes nothing.
* **wait_for_deliveries** waits until each source in *wait_for* has delivered, for up to 12 hours;
  by default it waits for none.
* **unify** takes everything that is new in `raw/` and `landing/` into the master, exactly once.
* **quality_gate** looks at what was refused, how fresh each source is, whether the rows add up,
  and at the spend against the day before. *on_bad_quality* says whether it warns or stops the run.
* **kpis** writes the sums that reports are made from.
* **report** prints the KPIs per platform and per audience into its log, and writes the newest
  version's HTML report to `reports/latest.html`; its output names the file.
* **export** writes the day's CSV to `exports/days/DAY/`, and with *full_export* all days' to
  `exports/`.
* **summarise** writes the run's figures into its log, as one line of JSON.

A task may be cleared and run again at any time. Errors that only a person can mend (a wrong
parameter, missing rights, a lake changed from outside) fail at once; others are tried again.

**Run by hand:** with a logical date, or without one and with *day*. **Backfill:** `airflow backfill
create --dag-id marketing_pipeline_v1 --from-date 2024-03-01 --to-date 2024-03-31`.
"""

PARAMS = {
    "rows_per_day": Param(
        1366,
        type="integer",
        minimum=0,
        maximum=100_000_000,
        description="Rows to generate for the day; 366 days of 1,366 make 500,000. 0: none.",
    ),
    "seed": Param(
        42,
        type="integer",
        minimum=0,
        maximum=2**63 - 1,
        description="The same seed makes the same rows.",
    ),
    "lake": make_lake_param(),
    "day": Param(
        None,
        type=["null", "string"],
        format="date",
        description="The day, for a run by hand that has no logical date.",
    ),
    "wait_for": Param(
        [],
        type="array",
        items={"type": "string", "pattern": "^[^/]+$", "maxLength": 128},
        maxItems=100,
        description="Sources (folders in landing/) to wait for.",
    ),
    "on_bad_quality": Param(
        "warn", enum=["warn", "stop"], description="What the quality gate does when a limit breaks."
    ),
    "max_quarantine_share": Param(
        0.05, type="number", minimum=0, maximum=1, description="Of a source's rows that arrived."
    ),
    "max_age_days": Param(
        3,
        type="integer",
        minimum=0,
        maximum=28,
        description="Days that a source which delivers may be behind.",
    ),
    "max_spend_change": Param(
        3.0,
        type="number",
        minimum=1,
        maximum=1_000_000,
        description="Spend may be this many times that of the day before, or that part of it.",
    ),
    "full_export": Param(
        False, type="boolean", description="Also export the CSV of all days, as the original did."
    ),
}


@dag(
    dag_id="marketing_pipeline_v1",
    description="Generate, unify, check, report and export one day of advertising data",
    doc_md=DOC,
    # This timetable's logical date is the day that has ended; `@daily`'s would be the day that
    # has just begun.
    schedule=CronDataIntervalTimetable("0 0 * * *", "UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["marketing", "etl"],
    default_args=DEFAULT_ARGS,
    params=PARAMS,
)
def marketing_pipeline_v1() -> None:
    """Declares the tasks and their order."""
    made, unified = generate(), unify()
    waiting = DeliverySensor(
        task_id="wait_for_deliveries",
        mode="reschedule",  # so that a worker's place is free meanwhile
        poke_interval=60,
        exponential_backoff=True,
        max_wait=timedelta(minutes=15),
        timeout=timedelta(hours=12),
    )
    checked, rolled_up = quality_gate(unified), kpis(unified)
    reported, exported = report(unified), export(unified)
    summary = summarise(made, unified, checked, rolled_up, reported, exported)
    chain(made, waiting, unified, checked, rolled_up, reported, exported, summary)


@task
def generate(**context: Any) -> Counts:
    """Makes the day's rows.

    Returns:
        The day, and how many rows and days were written: none where they were there already.
    """
    from pipeline.generate.request import GenerateRequest
    from pipeline.generate.write import generate_days

    run = open_run(context)
    day, rows = run.day, run.params["rows_per_day"]
    if rows == 0:
        return {"day": str(day), "rows": 0, "days_written": 0}
    made = generate_days(
        run.lake,
        GenerateRequest(start=day, end=day, seed=run.params["seed"], rows_per_day=rows),
        today=datetime.now(UTC).date(),  # to refuse days that are not here yet, nothing else
        workers=run.settings.workers,
    )
    return {"day": str(day), "rows": made.rows, "days_written": made.days_written}


@task
def unify(**context: Any) -> Counts:
    """Takes what is new into the master.

    Returns:
        The master's version and rows, the transaction of this run's merge (None where nothing was
        new), how many rows came and went with it, and how many files it decided on.
    """
    from pipeline.steps.merge import find_commit, merge

    run, job = open_run(context), context["run_id"]
    merged = merge(run.lake, settings=run.settings, job=job)
    # By the log, as an earlier try may have died between its commit and its answer.
    commit = find_commit(run.lake, job=job)
    return {
        "version": merged.version,
        "rows": merged.rows,
        "transaction": commit.get("n"),
        "rows_added": commit.get("rows_added", 0),
        "rows_removed": commit.get("rows_removed", 0),
        "files": commit.get("ledger", {}).get("rows", 0),
        "files_to_look_at": commit.get("files_to_look_at", 0),
    }


@task(outlets=[MASTER])
def quality_gate(unified: Any, **context: Any) -> Counts:
    """Checks the day, and announces the master that passed, or may pass with a warning.

    Returns:
        How many findings there are, by check.
    """
    from pipeline.report.quality import Limits
    from pipeline.steps.quality import check_quality, settle

    run = open_run(context)
    findings = check_quality(
        run.lake,
        run.lake.take_snapshot(unified["version"]),
        day=run.day,
        transaction=unified["transaction"],
        limits=Limits(**{name: run.params[name] for name in Limits.__slots__}),
        settings=run.settings,
    )
    counts = settle(findings, day=run.day, stop=run.params["on_bad_quality"] == "stop")
    context["outlet_events"][MASTER].extra = {
        "day": str(run.day),
        "version": unified["version"],
        "rows": unified["rows"],
        "rows_added": unified["rows_added"],
        "rows_removed": unified["rows_removed"],
        "findings": len(findings),
    }
    return counts


@task
def kpis(unified: Any, **context: Any) -> Counts:
    """Writes the rollups that the version lacks, which all KPIs are made from.

    Returns:
        The version and how many rollups were written.
    """
    from pipeline.steps.report import roll_up

    run = open_run(context)
    snapshot = run.lake.take_snapshot(unified["version"])
    written = roll_up(run.lake, snapshot, settings=run.settings)
    return {"version": snapshot.version, "rollups": written}


@task(outlets=[REPORT])
def report(unified: Any, **context: Any) -> Counts:
    """Prints the report of the version into the task's log, and writes the lake's HTML report.

    Returns:
        The version, its rows, how many tables the report has, and the full name of the HTML file.
    """
    from pipeline.report.console import print_report
    from pipeline.steps import report as step
    from pipeline.steps.html_report import LATEST, write_latest

    run = open_run(context)
    snapshot = run.lake.take_snapshot(unified["version"])
    made = step.report(run.lake, snapshot, settings=run.settings)
    print_report(made, file=sys.stdout)
    # The newest version's, so that an older run that is cleared does not take it back.
    write_latest(run.lake, run.lake.take_snapshot(), settings=run.settings)
    counts = {
        "version": snapshot.version,
        "rows": snapshot.rows,
        "tables": len(made.sections),
        "html": run.lake.locate(LATEST),
    }
    log_summary("adlake_report", **counts)
    context["outlet_events"][REPORT].extra = counts
    return counts


@task
def export(unified: Any, **context: Any) -> Counts:
    """Writes the day's CSV, and that of all days where it is asked for.

    Returns:
        The day's folder in the lake, its rows, and those of the full CSV.
    """
    from pipeline.export.run import export_csv
    from pipeline.export.target import LakeTarget

    run = open_run(context)
    lake, day = run.lake, run.day
    snapshot = lake.take_snapshot(unified["version"])
    folder = LakeTarget(lake.storage, f"days/{day}")
    done = export_csv(lake, snapshot, targets=[folder], start=day, end=day)
    counts: Counts = {"folder": f"exports/days/{day}", "rows": done.rows}
    if run.params["full_export"]:
        done = export_csv(lake, snapshot, targets=[LakeTarget(lake.storage)])
        counts["full_rows"] = done.rows
    return counts


@task
def summarise(*counts: Any, **context: Any) -> None:
    """Writes what every task counted into the log, as one line of JSON."""
    names = ("generate", "unify", "quality_gate", "kpis", "report", "export")
    told = dict(zip(names, counts, strict=True))
    log_summary("adlake_run", run_id=context["run_id"], **told)


marketing_pipeline_v1()
