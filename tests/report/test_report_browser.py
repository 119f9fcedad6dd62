"""The HTML report in a real browser: what is shown, and that nothing else happens."""

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.generate.request import GenerateRequest
from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.selection import Selection
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake
from pipeline.report.content import FORMS
from pipeline.report.english import ENGLISH
from pipeline.report.headline import HEADLINE, build_cards
from pipeline.report.measures import MEASURES
from pipeline.report.period import Period
from pipeline.report.tables import GROUP_COLUMNS, STEPS, TIME_COLUMNS
from pipeline.settings import Settings
from pipeline.steps.html_report import html_report
from pipeline.steps.run import run
from pipeline.storage import LocalStorage
from tests.kpi.oracle import begin_week
from tests.lakes import build_lake, make_row
from tests.report.conftest import DESKTOP, PHONE, Reader

pytestmark = pytest.mark.browser

SETTINGS = Settings(workers=2)
START, END = date(2024, 1, 1), date(2024, 4, 9)
OPEN = Callable[..., Reader]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A hundred generated days."""
    lake = Lake(LocalStorage(tmp_path_factory.mktemp("browser") / "lake"))
    request = GenerateRequest(start=START, end=END, rows=4000, seed=42)
    run(lake, request, settings=SETTINGS, today=date(2026, 1, 1), local_dir=None)
    return lake


@pytest.fixture(scope="module")
def html(lake: Lake) -> bytes:
    return html_report(lake, lake.take_snapshot(), settings=SETTINGS)


@pytest.fixture(scope="module")
def read_kpi(lake: Lake) -> Iterator[Callable[..., Rows]]:
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:

        def read(name: str, **filters: Any) -> Rows:
            return run_kpi(connection, name, Selection(**filters)).to_dicts()

        yield read


def write(row: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    """The measures of a KPI's row as the page has to show them."""
    return [FORMS[MEASURES[key].form](row[key]) for key in keys if key != "share"]


def drop_share(key: str, cells: list[str]) -> list[str]:
    place = GROUP_COLUMNS[key].index("share") + 1
    return cells[:place] + cells[place + 1 :]


def test_it_draws_its_charts_loads_nothing_and_says_nothing(html: bytes, open_report: OPEN) -> None:
    reader = open_report(html)

    reader.wait_for_charts()

    assert reader.complaints == []
    assert reader.page.locator("[data-chart] svg").count() == 7
    assert reader.page.locator("#filters").is_visible()


def test_without_scripts_the_same_figures_stand_there(
    lake: Lake, html: bytes, open_report: OPEN
) -> None:
    for lang in ("en", "es"):
        page = html_report(lake, lake.take_snapshot(), settings=SETTINGS, lang=lang)
        plain = open_report(page)
        plain.wait_for_charts()
        shown = plain.read_figures()
        dead = page.replace(b"showPage();\n}", b"}")
        assert dead != page
        # The changed script is not the one that the policy names, so it does not run.
        still = open_report(dead).read_figures()

        assert shown == still


def test_the_filters_show_what_the_kpis_say(
    html: bytes, open_report: OPEN, read_kpi: Callable[..., Rows]
) -> None:
    reader = open_report(html)
    platforms = ("Facebook ADS", "Google ADS")
    chance = random.Random(7)
    for _ in range(12):
        start = START + timedelta(days=chance.randrange(90))
        end = start + timedelta(days=chance.randrange(40))
        end = min(end, END)
        platform = chance.choice((None, *platforms))
        audience = chance.choice((None, None, "Mujer 18-25", "Hombre +46"))
        choose(reader, start=start, end=end, platform=platform, audience=audience)

        shown = reader.read_figures()

        chosen = {"start": start, "end": end, "platform": platform, "audience": audience}
        totals = read_kpi("total", **chosen)
        headline = reader.page.locator("[data-figure] .value").all_inner_texts()
        assert headline == (write(totals[0], HEADLINE) if totals else ["\N{EN DASH}"] * 8)
        stages = {row["stage"]: row["value"] for row in read_kpi("funnel", **chosen)}
        assert [row[1] for row in shown["funnel"]] == [
            FORMS[MEASURES[step].form](stages.get(step)) for step in STEPS
        ]
        audiences = read_kpi("audience", **chosen)
        assert [drop_share("target_audience", row)[1:] for row in shown["target_audience"]] == [
            write(row, GROUP_COLUMNS["target_audience"]) for row in audiences
        ]
        assert [row[0] for row in shown["target_audience"]] == [
            row["target_audience"] for row in audiences
        ]
        assert [drop_share("platform", row) for row in shown["platform"]] == [
            [row["platform"], *write(row, GROUP_COLUMNS["platform"])]
            for row in read_kpi("platform", **chosen)
        ]
        days = {row["day"]: write(row, TIME_COLUMNS) for row in read_kpi("day", **chosen)}
        length = (end - start).days + 1
        assert [row[1:] for row in shown["time"]] == [
            days.get(start + timedelta(days=place), ["\N{EN DASH}"] * len(TIME_COLUMNS))
            for place in range(length)
        ]


@pytest.mark.parametrize("length", [90, 400])
def test_weeks_months_and_changes_are_what_the_kpis_say(
    tmp_path: Path, open_report: OPEN, length: int
) -> None:
    first, chance = date(2023, 1, 3), random.Random(length)
    days = [first + timedelta(days=chance.randrange(2 * length)) for _ in range(60)]
    rows = [
        make_row(
            date=day,
            platform=chance.choice(("Google ADS", "Meta")),
            campaign_id=f"c{number}",
            **{key: chance.randrange(1, 999) for key in ("cost", "revenue", "conversions")},
        )
        for number, day in enumerate([first, *days])
    ]
    lake = build_lake(tmp_path / "lake", rows)
    reader = open_report(html_report(lake, lake.take_snapshot(), settings=SETTINGS))
    start = first + timedelta(days=length)
    chosen = Period(start, min(start + timedelta(days=length - 1), max(days)))
    choose(reader, start=chosen.start, end=chosen.end, platform="Meta")

    shown = reader.read_figures()

    span = "week" if length == 90 else "month"
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:

        def read(name: str, period: Period) -> Rows:
            wanted = Selection(start=period.start, end=period.end, platform="Meta")
            return run_kpi(connection, name, wanted).to_dicts()

        known = {str(row[span]): write(row, TIME_COLUMNS) for row in read(span, chosen)}
        [total], [before] = read("total", chosen), read("total", chosen.before)
    every = [chosen.start + timedelta(days=place) for place in range(chosen.days)]
    names = [str(begin_week(day)) if span == "week" else f"{day:%Y-%m}" for day in every]
    dashes = ["\N{EN DASH}"] * len(TIME_COLUMNS)
    assert [row[1:] for row in shown["time"]] == [
        known.get(name, dashes) for name in dict.fromkeys(names)
    ]
    assert len(known) >= 8
    cards = build_cards(total, before, ENGLISH)
    assert [row[2] for row in shown["headline"]] == [
        f"{card.change} {f'before: {card.before}' if card.before else ''}".strip() for card in cards
    ]
    assert sum(card.change != "\N{EN DASH}" for card in cards) == 5


def choose(
    reader: Reader, *, start: date, end: date, platform: str | None, audience: str | None = None
) -> None:
    """What a person would click; only the last change is told to the page."""
    reader.page.evaluate(
        """([start, end, names]) => {
          document.getElementById("start").value = start;
          document.getElementById("end").value = end;
          for (const [key, name] of Object.entries(names)) {
            for (const box of document.querySelectorAll(`input[name=${key}]`)) {
              box.checked = name === null || box.parentNode.textContent.trim() === name;
            }
          }
          document.getElementById("end").dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        [start.isoformat(), end.isoformat(), {"platform": platform, "target_audience": audience}],
    )


def test_it_opens_with_the_days_and_has_the_rows_that_are_asked_for(
    lake: Lake, open_report: OPEN, read_kpi: Callable[..., Rows]
) -> None:
    chosen = {"start": date(2024, 2, 3), "end": date(2024, 2, 20), "platform": "Google ADS"}
    page = html_report(lake, lake.take_snapshot(), Selection(**chosen), settings=SETTINGS)

    reader = open_report(page)
    reader.wait_for_charts()

    def read_headline() -> list[str]:
        return reader.page.locator("[data-figure] .value").all_inner_texts()

    shown = reader.read_figures()
    without_scripts = open_report(page.replace(b"showPage();\n}", b"}")).read_figures()
    [total] = read_kpi("total", **chosen)
    assert read_headline() == write(total, HEADLINE)
    assert shown == without_scripts
    before = {"start": date(2024, 1, 16), "end": date(2024, 2, 2), "platform": "Google ADS"}
    [was] = read_kpi("total", **before)
    assert f"before: {write(was, ('spend',))[0]}" in shown["headline"][0][2]
    reader.page.get_by_role("radio", name="All").check()
    whole = {"end": chosen["end"], "platform": "Google ADS"}
    assert read_headline() == write(read_kpi("total", **whole)[0], HEADLINE)
    reader.page.get_by_role("button", name="Reset").click()
    assert read_headline() == write(total, HEADLINE)
    assert reader.complaints == []


def test_campaigns_are_of_the_days_it_opens_with_and_say_so_when_others_are_chosen(
    lake: Lake, open_report: OPEN, read_kpi: Callable[..., Rows]
) -> None:
    chosen = {"start": date(2024, 2, 1), "end": date(2024, 2, 29)}
    page = html_report(lake, lake.take_snapshot(), Selection(**chosen), settings=SETTINGS)
    reader = open_report(page)
    note = reader.page.locator("#campaigns-note")
    table = reader.page.locator("section[aria-labelledby=campaigns] table").first

    best = max(read_kpi("campaign", **chosen, top=100), key=lambda row: row["roas"] or 0)
    assert table.locator("tbody th").first.inner_text() == best["campaign_name"]
    assert (
        table.locator("tbody tr").first.locator("td").first.inner_text()
        == (write(best, ("spend",))[0])
    )
    assert "from 1 Feb 2024 to 29 Feb 2024, in USD" in note.inner_text()
    assert note.get_attribute("class") == "about"
    reader.page.get_by_role("radio", name="7 days").check()
    assert note.get_attribute("class") == "about notice"
    reader.page.get_by_role("button", name="Reset").click()
    assert note.get_attribute("class") == "about"


def test_a_period_before_without_rows_is_compared_alike_with_and_without_scripts(
    tmp_path: Path, open_report: OPEN
) -> None:
    days = [date(2024, 1, 1), *(date(2024, 4, day) for day in range(1, 31))]
    lake = build_lake(tmp_path / "lake", [make_row(date=day, cost=1) for day in days])
    page = html_report(lake, lake.take_snapshot(), settings=SETTINGS)
    texts = [
        open_report(one).page.locator("#compared").inner_text()
        for one in (page, page.replace(b"showPage();\n}", b"}"))
    ]

    assert texts == ["compared with 2 Mar 2024 to 31 Mar 2024"] * 2


def test_an_audience_alone_shows_the_headline_of_its_kpi(
    html: bytes, open_report: OPEN, read_kpi: Callable[..., Rows]
) -> None:
    reader = open_report(html)
    page = reader.page
    page.get_by_role("radio", name="All").check()
    page.locator(".menu").nth(1).locator("summary").click()
    page.get_by_role("button", name="None").click()
    page.get_by_label("Hombre +46").check()

    headline = reader.page.locator("[data-figure] .value").all_inner_texts()

    [row] = read_kpi("audience", audience="Hombre +46")
    assert headline == write(row, HEADLINE)
    assert reader.read_figures()["target_audience"][0][0] == "Hombre +46"
    page.get_by_role("button", name="None").click()
    assert page.locator("#nothing").is_visible()
    assert set(page.locator("[data-figure] .value").all_inner_texts()) == {"\N{EN DASH}"}
    page.get_by_role("button", name="Reset").click()
    assert page.locator("#nothing").is_hidden()
    assert reader.complaints == []


@pytest.mark.parametrize(
    ("width", "scheme", "lang"),
    [
        (PHONE, "light", "en"),
        (PHONE, "dark", "es"),
        (DESKTOP, "dark", "en"),
        (DESKTOP, "light", "es"),
    ],
)
def test_nothing_is_wider_than_the_screen(
    lake: Lake, open_report: OPEN, width: int, scheme: str, lang: str
) -> None:
    page = html_report(lake, lake.take_snapshot(), settings=SETTINGS, lang=lang)
    reader = open_report(page, width=width, color_scheme=scheme)
    reader.wait_for_charts()

    for _ in range(2):
        widths = reader.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths == [width, width]
        reader.page.evaluate(
            "for (const one of document.querySelectorAll('details')) one.open = true"
        )


def test_words_explain_themselves_to_the_keyboard(html: bytes, open_report: OPEN) -> None:
    reader = open_report(html)
    page = reader.page

    page.locator("[data-figure=cpa] dfn").focus()

    assert page.locator("#note").inner_text() == (
        "Cost per action: spend / conversions, of accounts that state conversions."
    )
    page.keyboard.press("Escape")
    assert page.locator("#note").is_hidden()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_dash_explains_itself_to_the_keyboard_to_a_finger_and_on_paper(
    tmp_path: Path, open_report: OPEN, scripts: bool
) -> None:
    lake = build_lake(tmp_path / "lake", [make_row(cost="5", clicks=2, impressions=9)])
    html = html_report(lake, lake.take_snapshot(), settings=SETTINGS)
    reader = open_report(html, width=PHONE, has_touch=True, java_script_enabled=scripts)
    page, note = reader.page, reader.page.locator("#note")
    if scripts:  # the dashes of the table are others after that
        page.get_by_role("button", name="Reset").click()
    reason = "No value: Revenue is not known, or Spend is 0 or not known."
    in_headline = page.locator("[data-figure=roas] .value .dash")
    in_table = page.locator("[data-table=platform] .dash").nth(1)

    if scripts:
        for dash in (in_headline, in_table):
            dash.focus()
            reader.wait_for_frames()  # in which it is scrolled to
            assert note.inner_text() == reason
            page.keyboard.press("Escape")
            assert note.is_hidden()
            dash.tap()
            assert note.inner_text() == reason
        page.locator("[data-figure=roas] .change .dash").focus()
        assert note.inner_text().startswith("No change is told")
    assert [dash.get_attribute("tabindex") for dash in (in_headline, in_table)] == ["0", "0"]
    below = page.locator("[data-table=platform]").locator("xpath=../following-sibling::p[1]")
    assert below.is_hidden()
    page.emulate_media(media="print")
    assert f"\N{EN DASH} ROAS: {reason}" in below.inner_text()
    assert page.locator("[data-figure=roas] .reasons").inner_text() == reason


def test_money_of_two_currencies_is_shown_one_at_a_time(tmp_path: Path, open_report: OPEN) -> None:
    rows = [
        make_row(currency="EUR", cost="10.01", revenue="5", campaign_id="e"),
        make_row(currency="EUR", cost="0.02", campaign_id="f", platform="Facebook ADS"),
        make_row(currency="USD", cost="7", campaign_id="u"),
    ]
    lake = build_lake(tmp_path / "lake", rows)
    reader = open_report(html_report(lake, lake.take_snapshot(), settings=SETTINGS))
    spend = reader.page.locator("[data-figure=spend] .value")

    assert spend.inner_text() == "10.03"
    campaigns = reader.page.locator("#campaigns-note")
    assert ("in EUR" in campaigns.inner_text(), campaigns.get_attribute("class")) == (True, "about")
    reader.page.select_option("select[name=currency]", label="USD")
    assert campaigns.get_attribute("class") == "about notice"
    assert spend.inner_text() == "7.00"
    assert set(reader.page.locator("[data-currency]").all_inner_texts()) == {"USD"}
    assert "there is also USD" in reader.page.locator(".notice").first.inner_text()


@pytest.mark.parametrize("rows", [[], [make_row()], [make_row(cost="5", impressions=0, clicks=0)]])
def test_what_is_not_known_is_a_dash_with_a_reason(
    tmp_path: Path, open_report: OPEN, rows: Rows
) -> None:
    lake = build_lake(tmp_path / "lake", rows)
    reader = open_report(html_report(lake, lake.take_snapshot(), settings=SETTINGS))

    text = reader.page.locator("body").inner_text()

    assert not {"NaN", "undefined", "None", "null", "Infinity", "inf"} & set(text.split())
    assert reader.complaints == []
    dashes = reader.page.locator("td, .value").filter(has_text="\N{EN DASH}").all()
    for dash in dashes:
        place = dash.locator("[title]").first if dash.locator("[title]").count() else dash
        assert place.get_attribute("title")


def test_sums_beyond_a_float_are_exact(tmp_path: Path, open_report: OPEN) -> None:
    rows = [
        make_row(cost="999999999999.999999", campaign_id=f"c{number}", impressions=2**62, clicks=1)
        for number in range(3)
    ]
    lake = build_lake(tmp_path / "lake", rows)
    reader = open_report(html_report(lake, lake.take_snapshot(), settings=SETTINGS))

    assert reader.read_figures()["platform"][0][1] == "3,000,000,000,000.00"
    assert f"{3 * 2**62:,}" in reader.read_figures()["funnel"][0]


def test_on_paper_the_page_is_light_and_has_no_filters(html: bytes, open_report: OPEN) -> None:
    reader = open_report(html, color_scheme="dark")
    reader.wait_for_charts()

    reader.page.emulate_media(media="print")

    color = "getComputedStyle(document.body).backgroundColor"
    assert reader.page.evaluate(color) == "rgb(255, 255, 255)"
    assert reader.page.locator("#filters").is_hidden()
    assert reader.page.pdf(format="A4").startswith(b"%PDF")
