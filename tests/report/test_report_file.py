"""The HTML report as a file: where it is written, how large it is, and what it refuses."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.generate.request import GenerateRequest
from pipeline.kpi.selection import Selection
from pipeline.lake import Lake, Snapshot
from pipeline.settings import Settings
from pipeline.steps import report as reports
from pipeline.steps.diff import diff
from pipeline.steps.html_report import LATEST, html_report
from pipeline.steps.run import run
from pipeline.storage import LocalStorage
from tests.lakes import build_lake, make_ledger_row, make_row

ROOT = Path(__file__).parents[2]
SETTINGS = Settings(workers=2)
LARGEST = 3_000_000


def report(lake: Lake, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "report", "--lake", lake.uri, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_main_job_leaves_the_report_in_the_lake(tmp_path: Path) -> None:
    lake = Lake(LocalStorage(tmp_path / "lake"))
    request = GenerateRequest(start=date(2024, 3, 1), end=date(2024, 3, 3), rows=60, seed=1)

    outcome = run(lake, request, settings=SETTINGS, today=date(2026, 1, 1), local_dir=None)

    written = lake.storage.read(LATEST)
    assert written == html_report(lake, lake.take_snapshot(), settings=SETTINGS)
    assert outcome.report.title.encode() in written


def test_the_command_writes_one_file_and_says_so(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake", [make_row(cost="3")])

    done = report(lake, "--html", "out/march.html", "--lang", "es", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "out/march.html: the report of version 1 (1.0 MB)\n"
    page = (tmp_path / "out/march.html").read_text(encoding="utf-8")
    assert '<html lang="es">' in page
    assert "Costo total" in page
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["march.html"]


def list_campaigns(lake: Lake) -> dict[str, list[str]]:
    """The names in each table of campaigns on the page, by its title."""
    page = html_report(lake, lake.take_snapshot(), settings=SETTINGS).decode()
    section = page.partition('aria-labelledby="campaigns"')[2].partition("</section>")[0]
    titles = re.findall(r"<h3>(.*?)</h3>", section)
    tables = section.split("<h3>")[1:]
    rows = [re.findall(r'<th scope="row"><bdi>(.*?)</bdi>', table) for table in tables]
    return dict(zip(titles, rows, strict=True))


def test_the_campaign_that_burns_most_money_is_on_the_page(tmp_path: Path) -> None:
    campaigns = (("Good", 5, 10), ("Meh", 5, 4), ("Burn", 1000, None))
    rows = [
        make_row(campaign_id=name, campaign_name=name, cost=cost, revenue=revenue)
        for name, cost, revenue in campaigns
    ]
    lake = build_lake(tmp_path / "lake", rows)

    assert list_campaigns(lake) == {
        "Best campaigns": ["Good"],
        "Weakest campaigns": ["Meh"],
        "Spent without conversions": ["Burn"],
    }


def test_campaigns_without_revenue_and_conversions_are_shown_by_spend(tmp_path: Path) -> None:
    rows = [make_row(campaign_id=f"c{cost}", cost=cost) for cost in range(12)]
    lake = build_lake(tmp_path / "lake", rows)

    most = [f"c{cost}" for cost in range(11, 1, -1)]
    assert list_campaigns(lake) == {"Most spent, ROAS not known": most}


@pytest.mark.slow
def test_wrong_use_is_told(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake", [make_row()])

    for arguments, message in (
        (("--html", "x.html", "--lang", "fr"), "--lang is 'fr'; expected en or es"),
        (("--lang", "fr"), "--lang is 'fr'; expected en or es"),
        (("--html", "lake/landing/x.html"), "lies in the lake itself"),
        (("--html", "x.html", "--format", "json"), "leave --format out"),
        (("--format", "json", "--lang", "fr"), "--lang is 'fr'; expected en or es"),
        (("--html", "."), ". is a folder; name a file"),
        (("--html", "x.html", "--start", "2024-01-02"), "rows of this version end with 2024-01-01"),
        (("--html", "x.html", "--end", "2023-01-02"), "to 2023-01-02: no row matches"),
        (("--start", "2024-01-02", "--end", "2024-01-01"), "is after the last day"),
    ):
        done = report(lake, *arguments, cwd=tmp_path)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert not list(tmp_path.glob("*.html"))


def test_a_console_report_in_spanish_has_the_words_of_the_original(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake", [make_row(cost="1234.5", clicks=10, impressions=100)])

    done = report(lake, "--lang", "es", cwd=tmp_path)

    assert "Plataforma  Costo total USD  Clics" in done.stdout
    assert "1.234,50" in done.stdout
    assert "CPC real" in done.stdout


@pytest.mark.slow
def test_the_report_follows_the_filters_of_kpis(tmp_path: Path) -> None:
    rows = [
        make_row(source=source, platform=platform, cost=cost, date=date(2024, month, 3))
        for source, platform, cost, month in (
            ("lots", "Google ADS", 1, 1),
            ("lots", "Meta", 2, 2),
            ("meta", "Meta", 4, 2),
        )
    ]
    files = [
        make_ledger_row(source=source, path=f"landing/{source}/a.csv", rows_in=number)
        for source, number in (("lots", 2), ("meta", 1))
    ]
    lake = build_lake(tmp_path / "lake", rows, ledger=files)

    def read(*arguments: str) -> Any:
        return json.loads(report(lake, "--format", "json", *arguments, cwd=tmp_path).stdout)

    assert [row["spend"] for row in read()["platform"]] == [1, 6]
    assert [row["spend"] for row in read("--start", "2024-02-01")["platform"]] == [6]
    assert [row["spend"] for row in read("--source", "lots")["platform"]] == [1, 2]
    assert [read(*some)["account"][0]["rows_in"] for some in ((), ("--source", "meta"))] == [3, 1]
    table = report(lake, "--platform", "Meta", "--end", "2024-02-03", cwd=tmp_path).stdout
    assert table.startswith("Advertising report, table version 1, To 3 Feb 2024, Platform Meta\n")
    assert "Google" not in table
    html = ("--html", "x.html", "--source", "meta")
    assert report(lake, *html, cwd=tmp_path).returncode == 0
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<span>Source meta</span>" in page
    assert "Google" not in page.partition("<body>")[2].partition("<script>")[0]
    assert "lots" not in page.partition("<body>")[2].partition("<script>")[0]


def diff_with_empty(lake: Lake, snapshot: Snapshot, chosen: Selection, settings: Settings) -> None:
    diff(lake, 0, snapshot.version, chosen, settings=settings)


@pytest.mark.parametrize(
    "make", [html_report, reports.report, reports.read_figures, diff_with_empty]
)
def test_a_filter_that_nobody_matches_is_named_with_what_there_is(
    make: Callable[..., object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [make_row(platform="Google ADS", source="lots"), make_row(platform="X", source="meta")]
    lake = build_lake(tmp_path / "lake", rows)
    snapshot = lake.take_snapshot()

    make(lake, snapshot, Selection(platform="Gogle ADS", source="lots"), settings=SETTINGS)

    message = "--platform is 'Gogle ADS', which no row that counts in this version has: did you"
    assert caplog.messages == [f"{message} mean 'Google ADS'?"]
    caplog.clear()
    make(lake, snapshot, Selection(source="meta", platform="Google ADS"), settings=SETTINGS)
    assert caplog.messages == []


def test_an_empty_report_has_its_columns_all_the_same(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake", [], ledger=[make_ledger_row(outcome="no_rows")])

    done = report(lake, "--format", "csv", cwd=tmp_path)

    platforms, audiences, account = done.stdout.strip().split("\n\n")
    assert platforms.startswith("platform,currency,spend,")
    assert audiences.startswith("target_audience,currency,avg_view_time,")
    assert account.startswith("files,rows_in,")


@pytest.mark.slow
def test_the_report_of_the_default_lake_is_below_3_megabytes(tmp_path: Path) -> None:
    lake = Lake(LocalStorage(tmp_path / "lake"))
    start, end = date(2024, 1, 1), date(2024, 12, 31)
    request = GenerateRequest(start=start, end=end, rows=500_000, seed=42)
    run(lake, request, settings=SETTINGS, today=date(2026, 1, 1), local_dir=None)

    assert len(lake.storage.read(LATEST)) < LARGEST
