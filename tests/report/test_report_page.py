"""The HTML page without a browser: its bytes, its policy, its words, its sums."""

import base64
import hashlib
import json
import re
from datetime import date, timedelta
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import altair as alt
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

import pipeline.report
from pipeline.errors import UsageError
from pipeline.kpi.catalogue import list_definitions
from pipeline.report.cells import PLACES, pack_cells
from pipeline.report.charts import make_charts
from pipeline.report.english import ENGLISH
from pipeline.report.headline import find_change
from pipeline.report.language import Language
from pipeline.report.measures import MEASURES
from pipeline.report.page import build_page
from pipeline.report.period import Period, choose_period
from pipeline.report.spanish import SPANISH
from pipeline.report.words import LANGUAGES, find_language
from tests.report.pages import (
    DAY,
    make_campaign,
    make_cell,
    make_figures,
    make_measures,
    render,
)

ASSETS = Path(pipeline.report.__file__).parent / "assets"
MONEY = st.none() | st.decimals(-(10**31), 10**31, places=6)


@given(st.lists(MONEY, max_size=9))
def test_sums_are_packed_without_loss(values: list[Decimal | None]) -> None:
    packed = pack_cells([make_cell(spend=value) for value in values])["sums"]["spend"]

    back = [
        None if value is None else Decimal(value).scaleb(-packed["places"], Context(prec=80))
        for value in packed["values"]
    ]
    assert back == values
    assert 0 <= packed["places"] <= PLACES
    assert all(not isinstance(value, int) or abs(value) < 2**53 for value in packed["values"])


def test_cells_name_their_names_once() -> None:
    cells = [make_cell(platform=name, date=day) for name, day in ((None, DAY), ("b", DAY))]

    packed = pack_cells([*cells, make_cell(platform="a", date=date(2024, 3, 5))])

    assert packed["platform"] == {"names": ["a", "b", "(none)"], "places": [2, 1, 0]}
    assert (packed["first"], packed["day"]) == ("2024-03-01", [0, 0, 4])
    assert pack_cells([])["first"] is None


def test_a_sum_with_more_places_than_the_lake_has_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 6 places"):
        pack_cells([make_cell(spend=Decimal("0.0000001"))])


def test_the_newest_month_is_shown_where_there_is_one_before_it() -> None:
    first, last = date(2024, 1, 1), date(2024, 2, 29)
    assert choose_period(first, last) == Period(date(2024, 1, 31), last)
    assert choose_period(first, last).before == Period(first, date(2024, 1, 30))
    assert choose_period(date(2024, 1, 2), last) == Period(date(2024, 1, 2), last)
    assert choose_period(DAY, DAY).days == 1


@pytest.mark.parametrize(
    ("value", "before", "change"),
    [
        (Decimal("3.75"), Decimal(3), 0.25),
        (1, 4, -0.75),
        (None, 4, None),
        (4, None, None),
        (4, Decimal("0.000000"), None),
    ],
)
def test_a_change_is_a_part_of_what_was(
    value: object, before: object, change: float | None
) -> None:
    assert find_change(value, before) == change


def test_the_headline_tells_the_change_and_whether_it_is_good() -> None:
    figures = make_figures(
        cells=[make_cell(), make_cell(date=DAY - timedelta(days=1))],
        totals=[make_measures(cpa=3.0, clicks=1100)],
        totals_before=[make_measures(cpa=2.0, clicks=1000, spend=Decimal(2))],
    )

    cards = {card.key: card for card in build_page(figures, ENGLISH).cards}

    assert (cards["cpa"].change, cards["cpa"].good) == ("\u25b2 +50.0 %", -1)
    assert (cards["clicks"].change, cards["clicks"].good) == ("\u25b2 +10.0 %", 1)
    assert (cards["spend"].change, cards["spend"].good) == ("\u25bc \u221250.0 %", 0)
    assert (cards["roas"].value, cards["roas"].change) == ("\u2013", "\u2013")
    assert "Revenue is not known" in cards["roas"].why


def test_an_earlier_period_counts_where_the_page_has_its_days() -> None:
    inside = Period(DAY + timedelta(days=1), DAY + timedelta(days=1))
    cells = [make_cell(), make_cell(date=inside.end)]

    for period, compared in ((inside, True), (Period(DAY, inside.end), False)):
        figures = make_figures(cells=cells, period=period, totals_before=[make_measures()])
        page = build_page(figures, ENGLISH)
        assert page.compared.startswith("compared with") == compared
        assert (page.cards[0].before != "") == compared


def test_the_page_opens_with_a_currency_that_its_days_have() -> None:
    """Of all days most sums are of EUR, and of the period none."""
    old = [make_cell(currency="EUR", date=DAY - timedelta(days=ago)) for ago in (40, 41, 42)]
    cells = [*old, make_cell(), make_cell(platform="Q")]

    page = build_page(make_figures(cells=cells, period=Period(DAY, DAY)), ENGLISH)
    assert (page.currency_name, page.currencies) == ("USD", ("EUR", "USD"))
    page = build_page(make_figures(cells=cells, period=Period(old[-1]["date"], DAY)), ENGLISH)
    assert page.currency_name == "EUR"


@pytest.mark.parametrize(("length", "chosen"), [(1, "own"), (7, "7"), (40, "own"), (50, "all")])
def test_the_days_that_the_page_opens_with_are_chosen(length: int, chosen: str) -> None:
    cells = [make_cell(date=DAY + timedelta(days=number)) for number in range(50)]
    last = cells[-1]["date"]
    period = Period(last - timedelta(days=length - 1), last)

    page = build_page(make_figures(cells=cells, period=period), ENGLISH)

    assert [choice.value for choice in page.choices if choice.chosen] == [chosen]
    assert f'id="start" min="2024-03-01" max="{last}" value="{period.start}"' in render(
        make_figures(cells=cells, period=period)
    )


def test_the_page_says_what_it_is_limited_to_and_what_its_campaigns_are_of() -> None:
    filters = {"platform": "A\x1b", "audience": None, "campaign": None, "source": "meta"}

    page = build_page(make_figures(filters=filters), SPANISH)

    assert page.limits == ("Plataforma A\\x1b", "Fuente meta")
    assert "de 1 mar 2024 a 1 mar 2024, en USD" in page.campaigns_note
    assert [column.heading for column in page.campaigns[0].columns][1] == "Costo total USD"


def test_what_has_no_name_is_said_in_the_language_of_the_page() -> None:
    page = render(make_figures([""], cells=[make_cell(platform=None)]), SPANISH)

    assert page.count("(sin nombre)") >= 8
    assert "(none)" not in page


def test_of_few_campaigns_each_is_best_or_weakest() -> None:
    campaigns = [make_campaign(f"c{roas}", roas=roas) for roas in (1, 3, 2)]

    tables = list_campaigns(campaigns=campaigns, unconverted=[])

    assert tables == {"Best campaigns": ["c3", "c2"], "Weakest campaigns": ["c1"]}


def list_campaigns(**parts: Any) -> dict[str, list[str]]:
    """The names in each table of campaigns, by its title."""
    page = build_page(make_figures(**parts), ENGLISH)
    return {table.title: [row[0] for row in table.rows] for table in page.campaigns}


def test_a_campaign_that_has_no_roas_is_in_one_of_the_tables_all_the_same() -> None:
    spent = make_campaign("spent", roas=None, spend_without_conversions=True)
    campaigns = [
        spent,
        make_campaign(None, roas=None, campaign_id="lots"),
        make_campaign("c1", roas=1),
        make_campaign("free", roas=None, spend=Decimal(0)),
    ]

    tables = list_campaigns(campaigns=campaigns, unconverted=[spent])

    assert tables == {
        "Best campaigns": ["c1"],
        "Spent without conversions": ["spent"],
        "Most spent, ROAS not known": ["lots"],
    }


def test_the_policy_names_every_script_and_style_by_its_hash() -> None:
    page = render(make_figures())

    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    blocks = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", page, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy.replace("&#39;", "'")
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert "unsafe" not in policy
    assert not re.search(r'(?:src|href)=|style="', page.partition("<style>")[0])


def test_the_same_figures_give_the_same_bytes() -> None:
    assert render(make_figures(["b", "a"])) == render(make_figures(["b", "a"]))


def test_data_cannot_end_its_element() -> None:
    page = render(make_figures(["</script><script>alert(1)</script><!--"]))

    [data] = re.findall(r'id="report-data">(.*?)</script>', page, re.DOTALL)
    assert "<" not in data
    names = json.loads(data)["cells"]["platform"]["names"]
    assert names == ["</script><script>alert(1)</script><!--"]


def test_a_lake_of_more_days_than_fit_says_so() -> None:
    assert "the newest days only, from 1 Mar 2024" in render(make_figures(cut=True))


def test_languages_say_the_same_things() -> None:
    for language in LANGUAGES.values():
        assert language.words.keys() == ENGLISH.words.keys()
        assert language.measures.keys() == ENGLISH.measures.keys() == MEASURES.keys()
        for key, text in language.words.items():
            fields = re.findall(r"{\w+}", text)
            assert sorted(fields) == sorted(re.findall(r"{\w+}", ENGLISH.words[key])), key
    with pytest.raises(UsageError, match="'fr'; expected en or es"):
        find_language("fr")


def test_formulas_of_the_dictionary_are_translated() -> None:
    spanish = add_formulas(SPANISH)

    assert spanish.define("cpa") == (
        "Costo por acción: costo total / conversiones, de las cuentas que informan conversiones."
    )
    assert spanish.define("roi").endswith("o sea ROAS - 1.")
    assert add_formulas(ENGLISH).define("cpc") == "Cost per click: spend / clicks."
    english = {"of", "accounts", "that", "state", "the", "report", "may", "exceed", "this", "is"}
    for key in spanish.measures:
        assert not english & set(re.findall(r"\w+", spanish.define(key))), key


def add_formulas(language: Language) -> Language:
    return language.add_formulas({one.name: one.meaning for one in list_definitions()})


def test_spanish_writes_numbers_and_days_its_way() -> None:
    page = render(make_figures(totals=[make_measures(spend=Decimal("1234567.891"))]), SPANISH)

    assert ">1.234.567,89<" in page
    assert "Datos hasta el 1 mar 2024" in page
    assert "CPC real" in page


@pytest.mark.parametrize("name", make_charts())
def test_charts_are_vega_lite(name: str) -> None:
    spec = {**make_charts()[name], "height": 100, "data": {"values": [{"value": 1}]}}

    alt.Chart.from_dict(spec)  # holds it against Vega-Lite's own schema
    assert vl_convert.vegalite_to_vega(spec)["marks"]


LUMINANCE = (0.2126, 0.7152, 0.0722)


def measure_contrast(one: str, other: str) -> float:
    """By the formula of WCAG 2.2."""

    def shine(color: str) -> float:
        parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return sum(weight * part for weight, part in zip(LUMINANCE, linear, strict=True))

    lighter, darker = sorted((shine(one), shine(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", range(3))
def test_every_colour_of_text_can_be_read_on_its_ground(theme: int) -> None:
    style = (ASSETS / "report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root {(.*?)}", style, re.DOTALL)  # light, dark, paper
    colors = dict(re.findall(r"--(\w+): (#\w{6});", blocks[theme]))

    for ground in ("page", "card"):
        assert measure_contrast(colors["ink"], colors[ground]) > 12
        for name in ("muted", "good", "bad"):
            assert measure_contrast(colors[name], colors[ground]) >= 4.5, name
    for name in ("spend", "roas"):
        assert measure_contrast(colors[name], colors["card"]) >= 4.5, name


@pytest.mark.slow
def test_the_bundle_is_the_one_that_vl_convert_makes() -> None:
    assert (ASSETS / "vega.js").read_text(encoding="utf-8") == vl_convert.javascript_bundle(None)
