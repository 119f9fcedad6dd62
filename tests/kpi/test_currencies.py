"""Money of several currencies: apart by default, one by dated rates, and never guessed."""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.rates import RATES, describe_rates, parse_rates, read_rates, say_rates
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.selection import Selection
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake
from pipeline.settings import Settings
from pipeline.steps.html_report import html_report
from pipeline.steps.report import report
from tests.lakes import build_lake, make_row

FIRST = date(2024, 1, 1)
HEADER = "date,from,to,rate\n"


def put_rates(lake: Lake, *lines: str) -> None:
    lake.storage.overwrite(RATES, (HEADER + "".join(f"{line}\n" for line in lines)).encode())


def read_kpi(
    lake: Lake, name: str, currency: str, selection: Selection | None = None
) -> list[dict[str, Any]]:
    selection = selection or Selection()
    rates = read_rates(lake, currency, selection)
    with open_kpi_connection(lake, lake.take_snapshot(), rates=rates) as connection:
        return run_kpi(connection, name, selection).to_dicts()


def test_cost_and_revenue_are_converted_by_the_rate_of_the_day(tmp_path: Path) -> None:
    lake = build_lake(
        tmp_path,
        [
            make_row(date=FIRST, cost="100", revenue="300", clicks=10, currency="USD"),
            make_row(date=date(2024, 1, 2), cost="100", revenue="300", clicks=10, currency="USD"),
            make_row(campaign_id="c2", cost="50", revenue="10", clicks=5, currency="EUR"),
        ],
    )
    write_rollups(lake, lake.take_snapshot())  # which are of the money as it was delivered
    put_rates(lake, "2024-01-01,USD,EUR,0.9", "2024-01-02,USD,EUR,0.95", "2024-01-01,EUR,USD,1.1")
    [total] = read_kpi(lake, "total", "EUR")
    assert total["currency"] == "EUR"
    assert total["spend"] == Decimal(90 + 95 + 50)
    assert total["revenue"] == Decimal(270 + 285 + 10)
    assert total["roas"] == pytest.approx(565 / 235)
    campaigns = {row["campaign_id"]: row["spend"] for row in read_kpi(lake, "campaign", "EUR")}
    assert campaigns == {"c1": Decimal(185), "c2": Decimal(50)}
    [one_day] = read_kpi(lake, "campaign", "EUR", Selection(start=date(2024, 1, 2)))
    assert one_day["spend"] == Decimal(95)
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        native = {row["currency"]: row["spend"] for row in run_kpi(connection, "total").to_dicts()}
    assert native == {"USD": Decimal(200), "EUR": Decimal(50)}


def test_random_sums_are_those_of_decimal_arithmetic(tmp_path: Path) -> None:
    pick = random.Random(7)
    days = [FIRST + timedelta(days=number) for number in range(20)]
    rates = {
        (day, code): Decimal(pick.randrange(1, 10**12)).scaleb(-pick.randrange(6, 12))
        for day in days
        for code in ("USD", "JPY")
    }
    rows = [
        make_row(
            campaign_id=f"c{number}",
            date=pick.choice(days),
            cost=Decimal(pick.randrange(10**9)).scaleb(-6),
            currency=pick.choice(["USD", "JPY", "EUR"]),
            platform=pick.choice(["a", "b"]),
        )
        for number in range(500)
    ]
    lake = build_lake(tmp_path, rows)
    put_rates(lake, *(f"{day},{code},EUR,{rate:f}" for (day, code), rate in rates.items()))
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        expected[row["platform"]] += row["cost"] * rates.get(
            (row["date"], row["currency"]), Decimal(1)
        )
    found = {row["platform"]: row["spend"] for row in read_kpi(lake, "platform", "EUR")}
    assert found.keys() == expected.keys()
    for platform, spend in found.items():
        # A sum is rounded once a day and audience, and no row by itself.
        assert abs(spend - expected[platform]) < Decimal("0.0001")


@pytest.mark.parametrize(("age", "is_known"), [(0, True), (7, True), (8, False)])
def test_a_rate_holds_for_seven_days_and_its_date_is_said(
    tmp_path: Path, age: int, is_known: bool
) -> None:
    lake = build_lake(tmp_path, [make_row(date=FIRST + timedelta(days=age), cost="10")])
    put_rates(lake, f"{FIRST},USD,EUR,0.5", "2023-01-01,USD,EUR,9", "2024-06-01,USD,EUR,9")
    if not is_known:
        with pytest.raises(UsageError, match="USD: the first 2024-01-09, 1 in all"):
            read_kpi(lake, "total", "EUR")
        return
    assert [row["spend"] for row in read_kpi(lake, "total", "EUR")] == [Decimal(5)]
    with open_kpi_connection(
        lake, lake.take_snapshot(), rates=read_rates(lake, "EUR")
    ) as connection:
        used = describe_rates(connection, "EUR")
    assert say_rates(used) == "in EUR, by rates of 2024-01-01 to 2024-01-01"


def test_only_days_that_are_asked_for_need_rates(tmp_path: Path) -> None:
    days = [date(2024, month, 10) for month in (1, 2, 3)]
    rows = [make_row(date=day, cost="10", revenue=None if day == days[1] else "5") for day in days]
    lake = build_lake(tmp_path, rows)
    put_rates(lake, "2024-02-09,USD,EUR,0.5")
    selection = Selection(start=date(2024, 2, 1), end=date(2024, 2, 29))
    rates = read_rates(lake, "EUR", selection)
    snapshot = lake.take_snapshot()
    with open_kpi_connection(lake, snapshot, rates=rates) as connection:
        used = describe_rates(connection, "EUR")
        found = [
            row
            for name in ("total", "campaign", "platform")
            for row in run_kpi(connection, name, selection).to_dicts()
        ]
    assert say_rates(used) == "in EUR, by rates of 2024-02-09 to 2024-02-09"
    assert [row["spend"] for row in found] == [Decimal(5)] * 3
    # Revenue of other days still says that the account states it.
    assert [row["revenue_known"] for row in found] == [1.0] * 3

    settings = Settings(workers=2)
    title = report(lake, snapshot, selection, settings=settings, rates=rates).title
    assert "by rates of 9 Feb 2024, to 9 Feb 2024" in title
    with pytest.raises(UsageError, match="USD: the first 2024-01-10, 1 in all"):
        html_report(lake, snapshot, selection, settings=settings, rates=rates)


def test_money_that_is_in_the_currency_already_needs_no_rate(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row(cost="10")])
    put_rates(lake)
    assert [row["spend"] for row in read_kpi(lake, "total", "USD")] == [Decimal(10)]
    with open_kpi_connection(
        lake, lake.take_snapshot(), rates=read_rates(lake, "USD")
    ) as connection:
        assert say_rates(describe_rates(connection, "USD")) == "in USD, as delivered"


def test_reports_are_in_the_one_currency_and_say_by_which_rates(tmp_path: Path) -> None:
    lake = build_lake(
        tmp_path,
        [make_row(cost="10"), make_row(campaign_id="b", cost="1", currency="EUR")],
    )
    put_rates(lake, f"{FIRST},USD,EUR,0.5")
    snapshot, rates = lake.take_snapshot(), read_rates(lake, "EUR")
    page = html_report(lake, snapshot, settings=Settings(workers=2), rates=rates).decode()
    facts = "<span>in EUR</span><span>by rates of 1 Jan 2024</span><span>to 1 Jan 2024</span>"
    assert facts in page
    assert "Money of two currencies" not in page
    made = report(lake, snapshot, settings=Settings(workers=2), rates=rates)
    assert "in EUR" in made.title
    assert [row[1] for row in made.sections[0].rows] == ["6.00"]


def test_without_a_file_the_message_says_what_to_write(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row(cost="10")])
    with pytest.raises(UsageError, match=r"no config/rates\.csv.*date, from, to, rate"):
        read_kpi(lake, "total", "EUR")
    assert [row["spend"] for row in read_kpi(lake, "total", "USD")] == [Decimal(10)]
    with pytest.raises(UsageError, match="expected a code such as EUR"):
        read_rates(lake, "eur'; drop table x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,from,to\n", "the header is"),
        ("", "the header is"),
        (HEADER + "2024-01-01,USD,EUR\n", "line 2 has 3 cells"),
        (HEADER + "2024-01-01,usd,EUR,1\n", "line 2: 'usd' is no currency"),
        (HEADER + "2024-01-32,USD,EUR,1\n", "line 2: '2024-01-32' is no day"),
        (HEADER + "20240101,USD,EUR,1\n", "line 2: '20240101' is no day"),
        (HEADER + "2024-01-01,USD,EUR,0\n", "line 2: '0' is no rate"),
        (HEADER + "2024-01-01,USD,EUR,-1\n", "line 2: '-1' is no rate"),
        (HEADER + "2024-01-01,USD,EUR,1e3\n", "line 2: '1e3' is no rate"),
        (HEADER + '2024-01-01,USD,EUR,"0,9"\n', "line 2: '0,9' is no rate"),
        (HEADER + "2024-01-01,USD,EUR,1\n2024-01-01,USD,EUR,2\n", "line 3: USD to EUR"),
        (HEADER + '2024-01-01,"USD,EUR,1\n', "is no CSV"),
        (HEADER + "2024-01-01,USD,EUR,\xff\n", "is no CSV in UTF-8"),
    ],
)
def test_a_wrong_line_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_rates(text.encode("latin-1"), "EUR")


def test_blank_lines_and_a_mark_of_a_spreadsheet_are_taken() -> None:
    text = "\ufeff" + HEADER + "2024-01-01,USD,EUR,0.9\r\n\r\n2024-01-01,USD,EUR,0.90\r\n"
    assert parse_rates(text.encode(), "EUR").table.num_rows == 1
