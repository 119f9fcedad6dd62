"""The weekly upkeep of a lake: join small files, check everything, delete what nobody needs.

As in `marketing_pipeline_v1`, parsing does no work and imports nothing that does.
"""

# ruff: noqa: PLC0415 - a task imports what it needs when it runs

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, chain, dag, task

from pipeline.airflow.defaults import DEFAULT_ARGS, make_lake_param
from pipeline.airflow.run import log_summary, open_run

LATE = timedelta(hours=1)

DOC = """
### Lake maintenance

`compact >> fsck >> vacuum`, on Sundays at 03:00 UTC. It may run beside the daily pipeline: of two
that commit at once, the slower one begins again.

* **compact** joins small files of the master; no row changes.
* **fsck** reads all of the lake, and fails where something is damaged, so that nothing is deleted.
* **vacuum** deletes files that no version of the last *retention_days* needs. After that the tasks
  of older runs cannot be cleared one by one: clear such a run from **unify** on.
"""


@dag(
    dag_id="lake_maintenance",
    description="Join small files, check the lake, delete what no version needs",
    doc_md=DOC,
    # Without a start date the first run is on a Sunday to come, when there is a lake to look after;
    # it is still begun when the scheduler sees it up to an hour late.
    schedule=CronTriggerTimetable("0 3 * * 0", timezone="UTC", run_immediately=LATE),
    catchup=False,
    max_active_runs=1,
    tags=["marketing", "maintenance"],
    default_args=DEFAULT_ARGS | {"execution_timeout": timedelta(hours=6)},
    params={
        "lake": make_lake_param(),
        "retention_days": Param(
            30,
            type="integer",
            minimum=7,
            maximum=36_500,
            description="Versions of so many days stay readable.",
        ),
    },
)
def lake_maintenance() -> None:
    """Declares the tasks and their order."""
    chain(compact(), fsck(), vacuum())


@task
def compact(**context: Any) -> dict[str, int]:
    """Joins small files, and writes the rollups of the files that came of it.

    Returns:
        The master's version, and how many files went and came.
    """
    from pipeline.steps.compact import compact as join_files
    from pipeline.steps.report import roll_up

    run = open_run(context)
    joined = join_files(run.lake, settings=run.settings)
    roll_up(run.lake, run.lake.take_snapshot(joined.version), settings=run.settings)
    return {
        "version": joined.version,
        "files_removed": joined.files_removed,
        "files_added": joined.files_added,
    }


@task
def fsck(**context: Any) -> dict[str, int]:
    """Checks the whole lake.

    Returns:
        How many files of each place were checked.
    """
    from pipeline.errors import LakeError
    from pipeline.steps.fsck import fsck as check

    run = open_run(context)
    checkup = check(run.lake, settings=run.settings)
    if checkup.findings:
        lines = "\n".join(f"{path}: {detail}" for path, detail in checkup.findings)
        raise LakeError(f"{run.lake.uri} is damaged; docs/operations.md says what to do:\n{lines}")
    return checkup.checked


@task
def vacuum(**context: Any) -> dict[str, int]:
    """Deletes what no version within the retention needs.

    Returns:
        How many files of each place were deleted.
    """
    from pipeline.steps.vacuum import vacuum as clear

    run = open_run(context)
    cleared = clear(
        run.lake,
        settings=run.settings,
        retention=timedelta(days=run.params["retention_days"]),
    )
    log_summary("adlake_vacuum", cleared=[place._asdict() for place in cleared])
    return {place.place: place.files for place in cleared}


lake_maintenance()
