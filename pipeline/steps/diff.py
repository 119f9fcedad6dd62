"""Compares the KPIs of two versions."""

from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.diff import COLUMNS, COMPARED, compare_rows
from pipeline.kpi.query import Result
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.selection import Selection
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake
from pipeline.settings import Settings
from pipeline.steps.pin import pin_snapshot

_KINDS = (DAILY,)
_Rows = list[dict[str, object]]


def diff(
    lake: Lake, before: int, after: int, selection: Selection, *, settings: Settings
) -> Result:
    """Says which KPIs moved between two versions and by how much.

    Args:
        lake: The lake.
        before: Version of the master.
        after: Another one; it may be the older of the two.
        selection: What both are about.
        settings: How many threads there are.

    Returns:
        The columns of `kpi.diff.COLUMNS`: one row a KPI, row of it, currency and measure that is
        not the same in both.

    Raises:
        EmptyLakeError: There is no such version.
        LakeError: Files of a version were deleted.
    """
    old = _read_kpis(lake, before, selection, settings=settings)
    new = _read_kpis(lake, after, selection, settings=settings)
    rows = [row for name in COMPARED for row in compare_rows(name, old[name], new[name])]
    return Result(COLUMNS, tuple(rows))


def _read_kpis(
    lake: Lake, version: int, selection: Selection, *, settings: Settings
) -> dict[str, _Rows]:
    snapshot = pin_snapshot(lake, version=version)
    with open_kpi_connection(
        lake, snapshot, workers=settings.workers, stored=_KINDS, kept=_KINDS, quarantine=False
    ) as connection:
        return {name: run_kpi(connection, name, selection).to_dicts() for name in COMPARED}
