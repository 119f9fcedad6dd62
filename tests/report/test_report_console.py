"""The report on a terminal and as plain text."""

import io
import re
from datetime import date
from decimal import Decimal

import pytest

from pipeline.report.console import make_section, print_report, print_section
from pipeline.report.content import DASH, Column, Section
from pipeline.report.spanish import SPANISH
from tests.report.pages import make_campaign, make_report

MEASURES = {"currency": "USD", "cpc": 0.2548, "ctr": 0.02997, "roas": 3.1999, "roi": 2.1999}
PLATFORMS = [
    {
        "platform": "Facebook ADS",
        "spend": Decimal("955556213.50"),
        "clicks": 3750688753,
        "impressions": 125149714164,
        **MEASURES,
    },
]
AUDIENCES = [
    {
        "target_audience": "Hombre +46",
        "avg_view_time": 5.0498,
        "avg_view_time_weighted": 5.0435,
        "spend": Decimal("238845248.48"),
        "clicks": 934575155,
        **MEASURES,
        "cpc": 0.2555,
        "ctr": 0.02989,
    },
]
ACCOUNT = dict.fromkeys(
    ("files", "rows_in", "accepted", "quarantined", "duplicates", "superseded"), 500_000
)

REPORT = make_report(platforms=PLATFORMS, audiences=AUDIENCES, account=ACCOUNT)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_the_default_lake_fits_80_columns_with_nothing_cut_or_broken() -> None:
    screen = Terminal()

    print_report(REPORT, file=screen, width=80)

    lines = ESCAPES.sub("", screen.getvalue()).splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in screen.getvalue()
    [row] = [line for line in lines if line.startswith("Facebook ADS")]
    figures = "955,556,213.50 3,750,688,753 125,149,714,164 0.25 3.00 3.20 2.20"
    assert row.split() == ["Facebook", "ADS", *figures.split()]
    assert "\x1b[1m" in screen.getvalue()


def test_on_a_narrow_terminal_each_row_is_a_list_with_nothing_cut() -> None:
    screen = Terminal()

    print_report(REPORT, file=screen, width=50)

    lines = ESCAPES.sub("", screen.getvalue()).splitlines()
    assert max(map(len, lines)) <= 50
    assert "Impressions  125,149,714,164" in lines


def test_plain_text_has_no_colour_no_lines_and_no_limit_of_width() -> None:
    output = io.StringIO()

    print_report(REPORT, file=output, width=20)

    text = output.getvalue()
    assert "\x1b" not in text
    assert "─" not in text
    assert text.splitlines()[:4] == [
        "Advertising report, table version 3",
        "",
        "Platforms",
        "Platform           Spend USD         Clicks      Impressions   CPC  CTR %  ROAS   ROI",
    ]
    assert "Hombre +46      5.05      5.04  238,845,248.48  934,575,155  0.26   2.99  3.20" in text
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_long_names_stand_above_their_figures_where_there_is_no_room_beside_them() -> None:
    name = "Miranda, Lopez and Sosa | Trafico | República | 2024-09-24 #8"
    report = make_report(campaigns=[make_campaign(name, clicks=9), make_campaign("b", roas=1.0)])
    section = report.sections[5]
    wide, usual, narrow, plain = Terminal(), Terminal(), Terminal(), io.StringIO()

    for file, width in ((wide, 160), (usual, 80), (narrow, 40), (plain, None)):
        print_section(section, file=file, width=width)

    figures = ["Spend USD", "Revenue", "ROAS", "Conversions", "CPA", "Clicks", "CPC"]
    _, heading, above, below, *_ = ESCAPES.sub("", usual.getvalue()).splitlines()
    assert (heading.split("  "), above) == (figures, name)
    assert below.split() == ["1.00", DASH, "1.50", DASH, DASH, "9", DASH]
    assert plain.getvalue() == ESCAPES.sub("", usual.getvalue())
    assert any(name in line and "1.50" in line for line in wide.getvalue().splitlines())
    assert "ROAS         1.50" in narrow.getvalue()


def test_an_empty_section_says_so() -> None:
    output = io.StringIO()

    print_section(Section("Platforms", (Column("Platform", numeric=False),), ()), file=output)

    assert output.getvalue() == "Platforms\nno rows\n\n"


def test_an_empty_report_says_so_in_its_language_and_a_dash_has_its_reason() -> None:
    unknown = {**PLATFORMS[0], "roas": None, "roi": None}
    output = io.StringIO()

    print_report(
        make_report(platforms=[unknown], audiences=[], language=SPANISH),
        file=output,
    )

    lines = output.getvalue().splitlines()
    place = lines.index("Audiencias")
    assert lines[place + 1] == "sin filas"
    assert lines[place - 3 : place - 1] == [
        "\N{EN DASH} ROAS: Sin valor: Ingresos se desconoce, o Costo total es 0 o se desconoce.",
        "\N{EN DASH} ROI: Sin valor: Ingresos se desconoce, o Costo total es 0 o se desconoce.",
    ]


def test_the_title_tells_what_the_report_is_limited_to() -> None:
    filters = {"platform": "x\x1b", "campaign": None}

    report = make_report(filters=filters, start=date(2024, 3, 1), language=SPANISH)

    assert report.title.endswith("versión 3 de la tabla, Desde 1 mar 2024, Plataforma x\\x1b")


def test_cells_are_shown_as_they_are_and_never_as_orders_to_the_terminal() -> None:
    section = make_section(
        "",
        names=["name [bold]", "n"],
        rows=[("[red]x[/red] :smile:\x1b]0;t\x07\n", "1"), ("b", "-2.5e-07")],
    )
    screen = Terminal()

    print_section(section, file=screen, width=80)

    text = ESCAPES.sub("", screen.getvalue())
    assert "[red]x[/red] :smile:\\x1b]0;t\\x07\\n" in text
    assert "name [bold]" in text
    assert [column.numeric for column in section.columns] == [False, True]


def test_wide_characters_are_aligned_by_their_width_on_screen() -> None:
    section = make_section("", names=["name", "n"], rows=[("東京", "1"), ("ab", "22")])
    output = io.StringIO()

    print_section(section, file=output)

    assert output.getvalue() == "name   n\n東京   1\nab    22\n\n"


def test_sums_of_any_size_are_shown_whole() -> None:
    huge = {**PLATFORMS[0], "spend": Decimal(10**31), "clicks": 27 * 10**18}
    report = make_report(platforms=[huge])
    screen = Terminal()

    print_report(report, file=screen, width=80)

    assert f"{10**31:,}.00" in screen.getvalue()
    assert f"{27 * 10**18:,}" in screen.getvalue()
