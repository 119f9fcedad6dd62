"""A real browser, which says what it was asked to load and what went wrong."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
DESKTOP, PHONE = 1440, 390


class Reader:
    """One window on one report.

    Attributes:
        page: Of the browser.
        complaints: Messages of the console, errors, dialogs, and requests but for the file itself.
    """

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._hear(request.url, file))
        page.goto(file.as_uri())

    def _dismiss(self, dialog: Dialog) -> None:
        self.complaints.append("dialog")
        dialog.dismiss()

    def _hear(self, url: str, file: Path) -> None:
        if url != file.as_uri():
            self.complaints.append(f"request: {url[:80]}")

    def wait_for_charts(self) -> None:
        """Until all of them are drawn."""
        # Not by a function of the page's own: its policy lets no text become one.
        self.page.locator("[data-chart]:not(:has(svg, p))").first.wait_for(state="detached")

    def wait_for_frames(self) -> None:
        """Until what was scrolled has told the page so, which then hides its note."""
        self.page.evaluate(_NEXT_FRAMES)

    def read_figures(self) -> dict[str, list[list[str]]]:
        """The text of the headline and of the tables that follow the filters."""
        found: dict[str, list[list[str]]] = self.page.evaluate(_READ_FIGURES)
        return found


_NEXT_FRAMES = "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"

_READ_FIGURES = """() => {
  const text = (node) => node.textContent.trim();
  const read = (nodes) => [...nodes].map((row) => [...row.children].map(text));
  const figures = { headline: read(document.querySelectorAll("[data-figure]")) };
  for (const table of document.querySelectorAll("[data-table]")) {
    figures[table.dataset.table] = read(table.tBodies[0].rows);
  }
  return figures;
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Reader]]:
    """Opens the bytes of a report; options as for a context of playwright."""
    with contextlib.ExitStack() as stack:

        def open_file(html: bytes | str, *, width: int = DESKTOP, **options: Any) -> Reader:
            data = html.encode() if isinstance(html, str) else html
            file = tmp_path / "report.html"
            file.write_bytes(data)
            viewport = {"width": width, "height": 900}
            context = stack.enter_context(browser.new_context(viewport=viewport, **options))
            return Reader(context.new_page(), file)

        yield open_file
