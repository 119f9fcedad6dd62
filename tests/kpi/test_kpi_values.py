"""The KPIs, against sums that Python's Decimal makes by itself."""

import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.kpi.catalogue import list_kpis, read_account, run_kpi
from pipeline.kpi.output import render_csv, render_json
from pipeline.kpi.query import Result
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.views import open_kpi_connection, open_reading_connection
from pipeline.lake import Lake
from pipeline.schema import AD_DAY
from tests.kpi import oracle
from tests.kpi.oracle import Facts
from tests.lakes import (
    build_lake,
    commit_files,
    make_ledger_row,
    make_row,
    write_master_file,
)

Row = Mapping[str, Any]

AMOUNTS = st.decimals(min_value=0, max_value=10**12 - 1, places=6)
COUNTS = st.integers(min_value=0, max_value=2**63 - 1)

ROWS = st.lists(
    st.builds(
        make_row,
        account=st.sampled_from(["main", "second"]),
        campaign_id=st.uuids().map(str),
        platform=st.sampled_from(["Facebook ADS", "Google ADS", None]),
        target_audience=st.sampled_from(["Mujer 18-25", "Hombre +46", None]),
        currency=st.sampled_from(["USD", "EUR"]),
        breakdown=st.sampled_from(["", "", "age", "placement"]),
        date=st.dates(date(2024, 1, 30), date(2024, 3, 2)),
        impressions=st.none() | st.sampled_from([0, 1, 9 * 10**18]) | COUNTS,
        clicks=st.none() | st.sampled_from([0, 1, 9 * 10**18]) | COUNTS,
        cost=st.none() | st.sampled_from([Decimal(0), Decimal("0.10")]) | AMOUNTS,
        revenue=st.none() | AMOUNTS,
        conversions=st.none() | AMOUNTS,
        video_view_time=st.none() | st.decimals(min_value=0, max_value=600, places=6),
        video_views=st.none() | st.integers(min_value=0, max_value=10**12),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def fresh_root(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: tmp_path_factory.mktemp("lake")


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, rolled_up=st.booleans())
def test_every_kpi_equals_what_decimal_arithmetic_gives(
    rows: list[Row], rolled_up: bool, fresh_root: Callable[[], Path]
) -> None:
    lake = build_lake(fresh_root(), rows)
    if rolled_up:
        write_rollups(lake, lake.take_snapshot())

    facts = Facts(rows)
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        for name, wanted in (
            ("platform", facts.measure_by(lambda row: (row["platform"], row["currency"]))),
            ("audience", oracle.expect_audiences(facts)),
        ):
            found = run_kpi(connection, name).to_dicts()
            assert len(found) == len(wanted)
            for row in found:
                key = "target_audience" if name == "audience" else name
                check_measures(row, wanted[row[key], row["currency"]])


def test_a_million_times_ten_cents_is_exactly_a_hundred_thousand(tmp_path: Path) -> None:
    count = 1_000_000
    plain = make_row(cost="0.10", impressions=10, clicks=1)
    columns = [
        pa.repeat(pa.scalar(plain[field.name], field.type), count)
        if field.name != "line"
        else pa.array(range(count), pa.int64())
        for field in AD_DAY
    ]
    lake = build_lake(tmp_path)
    commit_files(lake, [write_master_file(lake, pa.table(columns, schema=AD_DAY))])

    [row] = compute(lake, "platform").to_dicts()

    assert row["spend"] == Decimal("100000.00")
    assert row["clicks"] == count


def test_three_times_nine_quintillion_is_counted_right(tmp_path: Path) -> None:
    big = 9 * 10**18
    lake = build_lake(
        tmp_path,
        [make_row(campaign_id=name, clicks=big, impressions=big, cost=1) for name in "abc"],
    )

    [row] = compute(lake, "platform").to_dicts()

    assert (row["clicks"], row["impressions"], row["ctr"]) == (3 * big, 3 * big, 1.0)
    assert '"clicks": 27000000000000000000,' in render_json(compute(lake, "platform"))


@pytest.mark.parametrize(
    ("columns", "nulls"),
    [
        ({"clicks": 0, "impressions": 9, "cost": 1}, {"cpc", "cvr"}),
        ({"clicks": 0, "impressions": 0, "cost": 1}, {"cpc", "ctr", "cpm", "cvr"}),
        ({"clicks": 3, "impressions": 9, "cost": 0, "revenue": 4}, {"roas", "roi"}),
        ({"clicks": 3, "impressions": 9, "cost": 1, "conversions": 0}, {"cpa", "roas", "roi"}),
        ({"clicks": None, "impressions": None, "cost": 1}, {"cpc", "ctr", "cpm", "cvr"}),
    ],
)
def test_a_ratio_is_null_where_its_denominator_is_zero_or_missing(
    tmp_path: Path, columns: dict[str, Any], nulls: set[str]
) -> None:
    lake = build_lake(tmp_path, [make_row(**columns)])

    for kpi in ("platform", "audience", "platform_audience", "day", "week", "month", "weekday"):
        [row] = compute(lake, kpi).to_dicts()
        assert nulls <= {name for name, value in row.items() if value is None}
        assert not any(
            isinstance(value, float) and not math.isfinite(value) for value in row.values()
        )


def test_an_empty_lake_has_typed_kpis_without_rows(tmp_path: Path) -> None:
    lake = build_lake(tmp_path)

    for kpi in list_kpis():
        result = compute(lake, kpi)
        assert result.rows == ()
        assert len(result.columns) > 4
        assert render_json(result) == "[]\n"


def test_kpis_have_the_columns_that_scripts_rely_on(tmp_path: Path) -> None:
    lake = build_lake(tmp_path)
    measures = ["spend", "clicks", "impressions", "cpc", "ctr", "cpm", "cvr", "cpa", "roas", "roi"]
    measures += ["conversions", "revenue", "value_per_conversion"]
    measures += ["revenue_known", "conversions_known"]

    assert list(compute(lake, "platform").columns) == ["platform", "currency", *measures]
    assert list(compute(lake, "month").columns)[: len(measures) + 2] == [
        "month",
        "currency",
        *measures,
    ]
    assert list(compute(lake, "audience").columns) == [
        "target_audience",
        "currency",
        "avg_view_time",
        "avg_view_time_weighted",
        *measures,
    ]


def test_an_unknown_kpi_is_refused_with_the_names_of_those_there_are(tmp_path: Path) -> None:
    lake = build_lake(tmp_path)

    with pytest.raises(UsageError, match=r"no KPI 'nosuch'; there are audience, campaign, day"):
        compute(lake, "nosuch")
    with pytest.raises(UsageError, match=r"no KPI 'plattform'; did you mean platform\? there are"):
        compute(lake, "plattform")
    with pytest.raises(UsageError, match="no KPI"):
        compute(lake, "../views/ad_day")


def test_currencies_are_never_added(tmp_path: Path) -> None:
    lake = build_lake(
        tmp_path,
        [make_row(currency="USD", cost=1), make_row(currency="EUR", campaign_id="c2", cost=2)],
    )

    rows = compute(lake, "platform").to_dicts()

    assert [(row["currency"], row["spend"]) for row in rows] == [("EUR", 2), ("USD", 1)]


def test_breakdowns_of_the_same_spend_are_counted_once(tmp_path: Path) -> None:
    whole = make_row(breakdown="", cost=10)
    by_age = [make_row(breakdown="age", segment=age, cost=6) for age in ("18-24", "25-34")]
    next_day = date(2024, 1, 2)
    small = make_row(breakdown="age", segment="18-24", date=next_day, cost=3)
    large = make_row(breakdown="placement", segment="feed", date=next_day, cost=4)
    equal = make_row(breakdown="ad", segment="x", date=next_day, cost=4)
    lake = build_lake(tmp_path, [whole, *by_age, small, large, equal])

    [row] = compute(lake, "platform").to_dicts()

    assert row["spend"] == 10 + 4
    with open_reading_connection(lake, lake.take_snapshot()) as connection:
        chosen = connection.execute(
            "select date, breakdown, largest_spend from primary_rollup order by date"
        ).fetchall()
    assert chosen == [(date(2024, 1, 1), "", False), (next_day, "ad", True)]


def test_facts_tell_attributions_apart_of_one_campaign_as_of_all(tmp_path: Path) -> None:
    windows = {"7-day click": 5, "1-day view": 3, None: 2}
    lake = build_lake(
        tmp_path,
        [
            make_row(attribution=window, target_audience=str(number), cost=cost)
            for number, (window, cost) in enumerate(windows.items())
        ],
    )
    with open_reading_connection(lake, lake.take_snapshot()) as connection:
        for campaign in ("null", "'c1'"):
            facts = f"facts(null, null, null, null, {campaign}, null)"
            found = connection.execute(f"select attribution, spend from {facts}").fetchall()
            assert dict(found) == windows


def test_audiences_are_ordered_by_view_time_with_unknown_ones_last(tmp_path: Path) -> None:
    times = {"b": "2", "a": "2", "c": "9.5", "x": None}
    lake = build_lake(
        tmp_path,
        [make_row(target_audience=name, video_view_time=time) for name, time in times.items()],
    )

    rows = compute(lake, "audience").to_dicts()

    assert [row["target_audience"] for row in rows] == ["c", "a", "b", "x"]


def test_weighted_view_time_takes_only_rows_where_views_are_known(tmp_path: Path) -> None:
    lake = build_lake(
        tmp_path,
        [
            make_row(campaign_id="a", video_view_time="1", video_views=30),
            make_row(campaign_id="b", video_view_time="4", video_views=10),
            make_row(campaign_id="c", video_view_time="10", video_views=None),
            make_row(campaign_id="d", video_view_time=None, video_views=500),
        ],
    )

    [row] = compute(lake, "audience").to_dicts()

    assert row["avg_view_time"] == 5.0
    assert row["avg_view_time_weighted"] == 70 / 40


def test_ratios_equal_pandas_groupby(tmp_path: Path) -> None:
    rows = [
        make_row(
            campaign_id=str(number),
            platform=("Facebook ADS", "Google ADS")[number % 2],
            impressions=1000 + number * 37,
            clicks=10 + number,
            cost=f"{number * 7 % 90}.{number % 100:02}",
            revenue=number,
        )
        for number in range(1, 2000)
    ]
    lake = build_lake(tmp_path, rows)
    facts = pd.DataFrame(rows).astype({"cost": float, "revenue": float})
    sums = facts.groupby("platform")[["cost", "clicks", "impressions", "revenue"]].sum()

    for row in compute(lake, "platform").to_dicts():
        want = sums.loc[str(row["platform"])]
        assert row["cpc"] == pytest.approx(want.cost / want.clicks, rel=1e-12)
        assert row["ctr"] == pytest.approx(want.clicks / want.impressions, rel=1e-12)
        assert row["cpm"] == pytest.approx(1000 * want.cost / want.impressions, rel=1e-12)
        assert row["roas"] == pytest.approx(want.revenue / want.cost, rel=1e-12)
        assert row["roi"] == pytest.approx((want.revenue - want.cost) / want.cost, rel=1e-12)


def test_the_account_counts_a_file_with_its_newest_judgement(tmp_path: Path) -> None:
    lake = build_lake(
        tmp_path,
        [make_row()],
        ledger=[make_ledger_row(path="landing/a.csv", rows_in=5, accepted=3, quarantined=2)],
    )
    replayed = make_ledger_row(path="landing/a.csv", rows_in=5, accepted=5)
    other = make_ledger_row(path="landing/b.csv", sha256="1" * 64, rows_in=4, duplicates=4)
    commit_files(lake, [], ledger=[replayed, other])

    with open_reading_connection(lake, lake.take_snapshot()) as connection:
        [account] = read_account(connection).to_dicts()

    account.pop("last_merge_at")
    assert account == {
        "files": 2,
        "rows_in": 9,
        "accepted": 5,
        "quarantined": 0,
        "duplicates": 4,
        "superseded": 0,
    }


@pytest.mark.slow
def test_output_depends_on_no_time_zone_hash_seed_or_thread_count(tmp_path: Path) -> None:
    days = [date(2024, 2, 29), date(2024, 3, 31), date(2024, 12, 31)]
    rows = [
        make_row(campaign_id=f"c{number}", date=days[number % 3], cost=f"0.{number:02}")
        for number in range(50)
    ]
    build_lake(tmp_path, rows)
    script = (
        "import sys; from pathlib import Path\n"
        "from pipeline.kpi.catalogue import run_kpi\n"
        "from pipeline.kpi.output import render_csv\n"
        "from pipeline.kpi.query import run_query\n"
        "from pipeline.kpi.views import open_reading_connection\n"
        "from pipeline.lake import Lake; from pipeline.storage import LocalStorage\n"
        "lake = Lake(LocalStorage(Path(sys.argv[1])))\n"
        "with open_reading_connection(lake, lake.take_snapshot(), workers=int(sys.argv[2])) as c:\n"
        "    sys.stdout.write(render_csv(run_kpi(c, 'month')))\n"
        "    sys.stdout.write(render_csv(run_query(c, 'from ad_day order by campaign_id')))\n"
    )

    surroundings = [
        ("UTC", "0", 2),
        ("Pacific/Kiritimati", "1", 1),
        ("America/St_Johns", "7", 4),
    ]
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), str(threads)],
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for zone, seed, threads in surroundings
    ]

    assert outputs[0] == outputs[1] == outputs[2]
    assert b"2024-02-29" in outputs[0]
    assert b"2025-01-01T00:00:00Z" in outputs[0]


def test_csv_leaves_null_empty(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row(cost="1.50", clicks=0, impressions=0)])

    text = render_csv(compute(lake, "platform"))

    assert text.splitlines()[1] == "Google ADS,USD,1.5,0,0,,,,,,,,,,,0.0,0.0"


def compute(lake: Lake, kpi: str) -> Result:
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        return run_kpi(connection, kpi)


def check_measures(found: Row, wanted: Row) -> None:
    for name, want in wanted.items():
        if isinstance(want, float):
            assert found[name] == pytest.approx(want, rel=1e-12, abs=1e-300), name
        else:
            assert found[name] == want, name
