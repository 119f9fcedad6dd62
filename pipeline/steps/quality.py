"""Checks a day's figures before anything is made of them."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb

from pipeline.errors import QualityError
from pipeline.kpi.query import fetch_result
from pipeline.kpi.statements import read_statement
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake, Snapshot
from pipeline.report.quality import (
    Account,
    Arrived,
    Figures,
    Finding,
    Limits,
    Newest,
    Spend,
    count_by_check,
    judge,
)
from pipeline.settings import Settings

_log = logging.getLogger(__name__)


def check_quality(
    lake: Lake,
    snapshot: Snapshot,
    *,
    day: date,
    transaction: int | None,
    limits: Limits,
    settings: Settings,
) -> list[Finding]:
    """Holds one day of a version against the limits.

    Args:
        lake: The lake.
        snapshot: The version.
        day: The day.
        transaction: The merge whose files are judged beside those delivered on the day or the
            day after; None where the day's merge found nothing to do.
        limits: What is still right.
        settings: How much is done at once.

    Raises:
        LakeError: A file of the version is missing or damaged.
    """
    with open_reading_connection(
        lake, snapshot, workers=settings.workers, with_raw=False
    ) as connection:
        (account,) = _fetch(connection, "account")
        figures = Figures(
            arrived=[Arrived(**row) for row in _fetch(connection, "deliveries", day, transaction)],
            newest=[Newest(**row) for row in _fetch(connection, "freshness", day)],
            spends=[Spend(**row) for row in _fetch(connection, "spend", day)],
            account=Account(**account, told_rows=snapshot.commit.metadata.get("rows")),
        )
    return judge(figures, day=day, limits=limits)


def settle(findings: Sequence[Finding], *, day: date, stop: bool) -> dict[str, int]:
    """Warns of what was found, and stops the run where that is asked for.

    Returns:
        How many findings each check has; none where all is well.

    Raises:
        QualityError: There are findings, and `stop` is set.
    """
    for finding in findings:
        _log.warning("%s: %s", finding.check, finding.detail)
    if findings and stop:
        lines = "\n".join(f"{finding.check}: {finding.detail}" for finding in findings)
        raise QualityError(f"the figures of {day} break {len(findings)} limits:\n{lines}")
    return count_by_check(findings)


def _fetch(
    connection: duckdb.DuckDBPyConnection, name: str, *values: object
) -> list[dict[str, Any]]:
    named = dict(zip(("day", "n"), values, strict=False))
    return fetch_result(connection, read_statement(f"quality/{name}"), named).to_dicts()
