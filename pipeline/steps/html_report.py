"""The HTML report: the page of a version as one file, and its place in the lake."""

from typing import Final

from pipeline.errors import UsageError
from pipeline.kpi.rates import Rates
from pipeline.kpi.rollup import DAILY
from pipeline.kpi.selection import EVERYTHING, Selection
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import REPORTS, Lake, Snapshot
from pipeline.report.html import render_html
from pipeline.report.page import Page
from pipeline.report.words import find_language
from pipeline.settings import Settings
from pipeline.steps.page import read_page

LATEST: Final = f"{REPORTS}/latest.html"
"""The key of the report that the main job writes."""


def html_report(
    lake: Lake,
    snapshot: Snapshot,
    selection: Selection = EVERYTHING,
    *,
    settings: Settings,
    lang: str = "en",
    rates: Rates | None = None,
) -> bytes:
    """Makes the HTML report of a version.

    Args:
        lake: The lake.
        snapshot: The version.
        selection: What it is about, as for `page.read_page`.
        settings: How much is done at once.
        lang: The language's code.
        rates: By which all money is converted; None: it stays as it was delivered.

    Raises:
        UsageError: There is no such language, no row within the days, or no rate for a day.
    """
    find_language(lang)  # wrong use is said before anything is opened
    if rates is not None:  # the page has the days before the first one as well
        rates = rates._replace(start=None)
    with open_kpi_connection(
        lake, snapshot, workers=settings.workers, kept=(DAILY,), rates=rates
    ) as connection:
        page = read_page(connection, snapshot, selection, lang=lang, rates=rates)
    _refuse_no_days(page, selection)
    return render_html(page)


def write_latest(lake: Lake, snapshot: Snapshot, *, settings: Settings) -> None:
    """Writes the HTML report of a version as the lake's newest."""
    lake.storage.overwrite(LATEST, html_report(lake, snapshot, settings=settings))


def _refuse_no_days(page: Page, selection: Selection) -> None:
    """Refuses a page of no days, where days are asked for; a warning has said why there are none.

    Raises:
        UsageError: As said.
    """
    start, end = selection.start, selection.end
    if page.period is not None or (start is None and end is None):
        return
    raise UsageError(
        f"there is nothing to report from {start or 'the first day'} to {end or 'the last day'}: "
        "no row matches"
    )
