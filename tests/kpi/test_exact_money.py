"""A thousand random sets of rows: what SQL adds up is what Python's Decimal adds up."""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.views import open_kpi_connection
from tests.lakes import build_lake, make_row

SETS = 1_000


def make_set(number: int) -> list[dict[str, Any]]:
    """Rows of one platform of its own, from none to forty."""
    pick = random.Random(number)
    return [
        make_row(
            platform=f"platform {number:04d}",
            campaign_id=f"c{number}-{row}",
            date=date(2024, 1, 1) + timedelta(days=pick.randrange(366)),
            cost=Decimal(pick.randrange(10**18)).scaleb(-6),
            revenue=pick.choice([None, Decimal(pick.randrange(10**18)).scaleb(-6)]),
            conversions=pick.choice([None, Decimal(pick.randrange(10**9)).scaleb(-6)]),
            impressions=pick.choice([0, pick.randrange(2**63)]),
            clicks=pick.choice([0, pick.randrange(2**63)]),
        )
        for row in range(pick.randrange(1, 41))
    ]


@pytest.mark.parametrize("rolled_up", [False, True])
def test_a_thousand_random_sets_add_up_as_decimals_do(tmp_path: Path, rolled_up: bool) -> None:
    rows = [row for number in range(SETS) for row in make_set(number)]
    lake = build_lake(tmp_path, rows)
    snapshot = lake.take_snapshot()
    if rolled_up:
        write_rollups(lake, snapshot)
    with open_kpi_connection(lake, snapshot) as connection:
        found = {row["platform"]: row for row in run_kpi(connection, "platform").to_dicts()}
    wanted: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        sums = wanted[row["platform"]]
        for name, column in (
            ("spend", "cost"),
            ("revenue", "revenue"),
            ("conversions", "conversions"),
            ("impressions", "impressions"),
            ("clicks", "clicks"),
        ):
            if row[column] is not None:
                sums[name] = sums.get(name, 0) + row[column]
    assert len(found) == SETS
    for platform, sums in wanted.items():
        for name in ("spend", "revenue", "conversions", "impressions", "clicks"):
            assert found[platform][name] == sums.get(name), (platform, name)
