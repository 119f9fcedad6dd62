"""The report: KPIs of one version of the master, and what became of every row."""

from pipeline.kpi.catalogue import read_account, run_kpi
from pipeline.kpi.rollup import write_rollups
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake, Snapshot
from pipeline.report.content import Report, build_report
from pipeline.settings import Settings


def roll_up(lake: Lake, snapshot: Snapshot, *, settings: Settings) -> int:
    """Writes the rollups that the version lacks and returns how many."""
    return write_rollups(lake, snapshot, workers=settings.workers)


def report(lake: Lake, snapshot: Snapshot, *, settings: Settings) -> Report:
    """Makes the report of a version."""
    with open_reading_connection(
        lake, snapshot, workers=settings.workers, with_raw=False
    ) as connection:
        platforms = run_kpi(connection, "platform").to_dicts()
        audiences = run_kpi(connection, "audience").to_dicts()
        account = read_account(connection).to_dicts()[0]
    return build_report(
        platforms=platforms, audiences=audiences, account=account, version=snapshot.version
    )
