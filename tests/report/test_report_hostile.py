"""Hostile texts in every field: they stay text, nothing runs and nothing is loaded."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipeline.report.content import format_name
from pipeline.report.headline import HEADLINE
from pipeline.settings import Settings
from pipeline.steps.html_report import html_report
from tests.lakes import build_lake, make_row
from tests.report.conftest import PHONE, Reader
from tests.report.hostile import NAUGHTY, SCRIPTS
from tests.report.pages import make_figures, render

pytestmark = pytest.mark.browser

OPEN = Callable[..., Reader]
TEXTS = (*NAUGHTY, *SCRIPTS)
A_PAGE = 20
"""Texts on one page: as many campaigns are shown."""

FIND_FOREIGN = """() => {
  const tags = new Set(("html head meta title style body header form fieldset legend label input"
    + " details summary span button p ul li bdi select option main section h1 h2 h3 small strong"
    + " dfn figure figcaption div table thead tbody tr th td dl dt dd footer script"
  ).split(" "));
  const names = new Set(("aria-label aria-labelledby aria-live aria-roledescription"
    + " autocomplete charset checked class colspan content data-about data-chart data-choose"
    + " data-chosen data-currency data-figure"
    + " data-good data-table hidden http-equiv id lang max min name open role scope selected style"
    + " tabindex title type value"
  ).split(" "));
  const foreign = [];
  for (const node of document.querySelectorAll("*")) {
    const drawn = node.closest("[data-chart] svg") !== null;
    if (drawn) {
      if (!["svg", "g", "path", "text", "defs", "clipPath", "rect", "line"].includes(node.tagName))
        foreign.push(node.tagName);
    } else if (!tags.has(node.localName)) foreign.push(node.localName);
    for (const { name, value } of node.attributes) {
      const told = ["title", "data-about"].includes(name);
      if (name.startsWith("on") || (!told && /javascript:/i.test(value)))
        foreign.push(`${node.localName} ${name}=${value}`);
      else if (!drawn && !names.has(name)) foreign.push(`${node.localName} ${name}`);
    }
  }
  if (document.scripts.length !== 3) foreign.push("script");
  return foreign;
}"""

READ_NAMES = """() => [...document.querySelectorAll("bdi")].map((name) => name.textContent)"""


def test_every_text_of_both_lists_is_there() -> None:
    assert (len(NAUGHTY), len(set(SCRIPTS))) == (515, 50)


def test_hostile_texts_in_every_field_stay_text(open_report: OPEN) -> None:
    for first in range(0, len(TEXTS), A_PAGE):
        texts = TEXTS[first : first + A_PAGE]
        reader = open_report(render(make_figures(texts)))
        reader.wait_for_charts()

        assert reader.page.evaluate(FIND_FOREIGN) == []
        assert reader.complaints == []
        # Filters: platform, audience. Tables: platform, audience, campaign by ROAS and without
        # conversions, source; and of the quarantine rule, source, example.
        names = reader.page.evaluate(READ_NAMES)
        for text in set(map(format_name, texts)):
            assert names.count(text) >= 10, text
        reader.page.context.close()


def test_a_hostile_name_that_a_chart_tells_under_the_pointer_stays_text(
    open_report: OPEN,
) -> None:
    for text in ("<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>"):
        reader = open_report(render(make_figures([text])))
        reader.wait_for_charts()

        bar = reader.page.locator("[data-chart=platform_spend] .mark-rect path").last
        bar.scroll_into_view_if_needed()
        reader.wait_for_frames()
        bar.hover()

        note = reader.page.locator("#note")
        note.wait_for(state="visible")
        assert note.inner_text().startswith(f"{text}: 1.00")
        assert reader.page.evaluate(FIND_FOREIGN) == []
        assert reader.complaints == []


def test_hostile_texts_from_a_lake_stay_text(tmp_path: Path, open_report: OPEN) -> None:
    rows = [
        make_row(
            **dict.fromkeys(
                ("source", "account", "campaign_id", "campaign_name", "platform"), text
            ),
            target_audience=text,
            currency=text,
            date=date(2024, 1, 1 + place % 28),
            cost=place,
        )
        for place, text in enumerate(SCRIPTS)
    ]
    lake = build_lake(tmp_path / "lake", rows)
    page = html_report(lake, lake.take_snapshot(), settings=Settings(workers=2))
    reader = open_report(page, width=PHONE)

    options = reader.page.locator("select[name=currency] option")
    assert sorted(options.all_inner_texts()) == sorted(map(format_name, SCRIPTS))
    for place in range(len(SCRIPTS)):
        reader.page.select_option("select[name=currency]", str(place))
        assert reader.page.locator("[data-figure] .value").count() == len(HEADLINE)
    reader.wait_for_charts()
    assert reader.page.evaluate(FIND_FOREIGN) == []
    assert reader.complaints == []
    widths = reader.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths == [PHONE, PHONE]
