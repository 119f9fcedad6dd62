"""Days run later, in another order or twice leave the same lake as days run in turn."""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipeline.kpi.catalogue import list_kpis, run_kpi
from pipeline.kpi.output import render_csv
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake
from pipeline.schema import SORT_ORDER
from pipeline.storage import LocalStorage
from tests.airflow.conftest import run_day
from tests.lots import make_line, write_lot

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.airflow

FIRST = date(2024, 2, 15)
DAYS = [str(FIRST + timedelta(days=number)) for number in range(30)]
TWICE = [DAYS[3], DAYS[17], DAYS[29]]


def shuffle(days: list[str]) -> list[str]:
    return random.Random(20240215).sample(days, len(days))


ORDERS = {
    "forward": DAYS,
    "backward": DAYS[::-1],
    "random": shuffle(DAYS),
    "three days twice": shuffle([*DAYS, *TWICE]),
}


def restate(lake: Path) -> None:
    """Two deliveries of another source; the second restates rows of the first."""
    lines = [make_line(date=day, campaign_id=f"c{day}") for day in DAYS]
    write_lot(lake / "landing/lots/delivered=2024-03-15T06:00:00Z/a.csv", lines)
    lines = [make_line(date=day, campaign_id=f"c{day}", clicks=21) for day in DAYS[10:]]
    write_lot(lake / "landing/lots/delivered=2024-03-16T06:00:00Z/b.csv", lines)


def read_master(lake: Lake) -> pl.DataFrame:
    uris = list(lake.take_snapshot().file_uris)
    rows = pl.read_parquet(uris, glob=False, hive_partitioning=False)
    return rows.sort(SORT_ORDER)


def read_kpis(lake: Lake) -> dict[str, bytes]:
    with open_reading_connection(lake, lake.take_snapshot(), with_raw=False) as connection:
        return {name: render_csv(run_kpi(connection, name)).encode() for name in list_kpis()}


def test_thirty_days_in_any_order_and_some_of_them_twice_make_the_same_lake(
    daily: "DAG", tmp_path: Path
) -> None:
    masters, kpis = [], []
    for name, days in ORDERS.items():
        root = tmp_path / name
        for number, day in enumerate(days):
            if number == 12:
                restate(root)
            run_day(daily, day, last="kpis", lake=str(root), rows_per_day=40)
        lake = Lake(LocalStorage(root))
        masters.append(read_master(lake))
        kpis.append(read_kpis(lake))
    assert masters[0].height == 30 * 40 + 30
    delivered = masters[0].filter(source="lots")
    assert delivered["clicks"].to_list() == [20] * 10 + [21] * 20  # the restated ones
    assert all(master.equals(masters[0]) for master in masters[1:])
    assert all(one == kpis[0] for one in kpis[1:])
    assert len(kpis) == len(ORDERS) == 4
