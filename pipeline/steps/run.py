"""The main job: generate, merge, roll up, report, export."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.engine import Engine, LocalEngine
from pipeline.export.run import ExportOutcome, export_csv
from pipeline.export.target import FolderTarget, LakeTarget, Target
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import GenerateOutcome, generate_days
from pipeline.kpi.roll_up import store_rollups
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake, Snapshot
from pipeline.report.html import render_html
from pipeline.report.summary import Report
from pipeline.settings import Settings
from pipeline.steps.html_report import LATEST
from pipeline.steps.merge import MergeOutcome, merge
from pipeline.steps.page import read_page
from pipeline.steps.report import report_on, roll_up

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What the main job did.

    Attributes:
        generated: Days made.
        merged: Files taken into the master.
        report: Of the version after the merge.
        exported: Files written; None where no CSV was asked for.
    """

    generated: GenerateOutcome
    merged: MergeOutcome
    report: Report
    exported: ExportOutcome | None


def run(  # noqa: PLR0913 - each is an option of the command, or its progress
    lake: Lake,
    request: GenerateRequest,
    *,
    settings: Settings,
    today: date,
    local_dir: Path | None,
    on_rows: Callable[[int], None] | None = None,
    on_file: Callable[[int], None] | None = None,
    engine: Engine | None = None,
) -> RunOutcome:
    """Does the main job on a lake, which is made where there is none.

    Args:
        lake: The lake.
        request: What to generate.
        settings: Where further contracts are, and how much is done at once.
        today: The current day in UTC.
        local_dir: The master CSV is written here and into the lake's exports/; None: no CSV.
        on_rows: Called with how many more rows have been generated.
        on_file: Called with how many more files have been read.
        engine: What works on the parts; None: this machine, by the settings.
    """
    _log.info("generating %s to %s", request.start, request.end)
    engine = engine or LocalEngine(settings.workers)
    generated = generate_days(lake, request, today=today, engine=engine, on_rows=on_rows)
    merged = merge(lake, settings=settings, on_file=on_file, engine=engine)
    snapshot = lake.take_snapshot(merged.version)
    if engine.is_remote:  # else they are made from what the report reads
        roll_up(lake, snapshot, settings=settings, engine=engine)
    # Both read the same version, so neither waits for the other.
    with ThreadPoolExecutor(1, thread_name_prefix="adlake-export") as pool:
        exporting = pool.submit(_export, lake, snapshot, local_dir, engine) if local_dir else None
        made = _report(lake, snapshot, settings)
        exported = exporting.result() if exporting else None
    return RunOutcome(generated, merged, made, exported)


def _report(lake: Lake, snapshot: Snapshot, settings: Settings) -> Report:
    """Rolls up and reports, from one reading of the version."""
    with open_kpi_connection(lake, snapshot, workers=settings.workers) as connection:
        _log.info("rolled up %d partitions", store_rollups(connection, lake, snapshot))
        page = read_page(connection, snapshot)
        lake.storage.overwrite(LATEST, render_html(page))
        return report_on(connection, page)


def _export(lake: Lake, snapshot: Snapshot, local_dir: Path, engine: Engine) -> ExportOutcome:
    _log.info("exporting version %d to %s", snapshot.version, local_dir)
    targets: list[Target] = [FolderTarget(local_dir), LakeTarget(lake.storage)]
    return export_csv(lake, snapshot, targets=targets, engine=engine)
