"""A thousand random sets of rows: every KPI, with and without filters, is what Decimal gives.

The sets lie in one lake, each in a currency and with accounts of its own: no KPI adds two
currencies, so one run of a KPI answers for all sets at once.
"""

import functools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.kpi.catalogue import list_kpis, run_kpi
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.selection import RANKINGS, Selection
from pipeline.kpi.views import open_kpi_connection
from tests.kpi import oracle
from tests.kpi.grains import list_keys
from tests.kpi.oracle import EXPECTED, Facts
from tests.lakes import build_lake, make_row

SETS = 1_000
CAMPAIGNS = {"campaign", "unconverted"}
CHECKED_ELSEWHERE = {"quality", "quarantine", *CAMPAIGNS}
FIRST = date(2024, 1, 20)

SELECTIONS: Mapping[str, dict[str, Any]] = {
    "all": {},
    "cut months": {"start": date(2024, 2, 3), "end": date(2024, 4, 11)},
    "inside a month": {"start": date(2024, 2, 3), "end": date(2024, 2, 20)},
    "from a first to a last": {"start": date(2024, 2, 1), "end": date(2024, 2, 29)},
    "only a start": {"start": date(2024, 2, 2)},
    "only an end": {"end": date(2024, 3, 30)},
    "platform and audience": {"platform": "Google ADS", "audience": "Hombre +46"},
    "campaign": {"campaign": "c1"},
    "campaign by name, and source": {"campaign": "Spring", "source": "lots"},
}

RANKS = [(None, None, None), ("roas", 2, None), ("cpa", 1, 2)]
"""What campaigns are ranked by, and how many from the top and the bottom."""


def make_set(number: int) -> Iterator[dict[str, Any]]:
    """Rows of one to twelve campaign days, with a currency and accounts of their own."""
    pick = random.Random(number)
    accounts = [(f"{number}-a", True, True), (f"{number}-b", pick.random() < 0.5, True)]
    accounts += [(f"{number}-c", False, False), (f"{number}-d", True, False)]
    for line in range(pick.randrange(1, 13)):
        account, earns, converts = pick.choice(accounts)
        yield make_row(
            source=pick.choice(["lots", "meta"]),
            account=account,
            currency=f"{number:04d}",
            campaign_id=pick.choice([None, "c1", "c2"]),
            campaign_name=pick.choice([None, "Spring", "Summer"]),
            platform=pick.choice(["Facebook ADS", "Google ADS", None]),
            target_audience=pick.choice(["Mujer 18-25", "Hombre +46", None]),
            breakdown=pick.choice(["", "", "", "age", "placement"]),
            date=FIRST + timedelta(days=pick.randrange(100)),
            cost=pick.choice([None, 0, make_amount(pick), make_amount(pick)]),
            revenue=pick.choice([None, make_amount(pick)]) if earns else None,
            conversions=pick.choice([None, 0, make_amount(pick)]) if converts else None,
            impressions=pick.choice([None, 0, pick.randrange(2**63)]),
            clicks=pick.choice([None, 0, pick.randrange(2**63)]),
            video_view_time=pick.choice([None, Decimal(pick.randrange(10**8)).scaleb(-6)]),
            video_views=pick.choice([None, pick.randrange(10**9)]),
            line=line,
        )


def make_amount(pick: random.Random) -> Decimal:
    return Decimal(pick.randrange(10 ** pick.choice([4, 8, 18]))).scaleb(-6)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [row for number in range(SETS) for row in make_set(number)]


@pytest.fixture(scope="module")
def facts(rows: list[dict[str, Any]]) -> Callable[[str], Facts]:
    """The rows that a selection leaves, by its name."""
    return functools.cache(lambda selection: Facts(rows, **SELECTIONS[selection]))


@pytest.fixture(scope="module")
def connections(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[Any]]:
    """The lake once without rollups, and once with those of all months but one."""
    lake = build_lake(tmp_path_factory.mktemp("lake"), rows)
    snapshot = lake.take_snapshot()
    with open_kpi_connection(lake, snapshot) as computed:
        write_rollups(lake, snapshot)
        for path in Path(lake.uri).glob("rollup/*/year=2024/month=02/*"):
            path.unlink()
        with open_kpi_connection(lake, snapshot) as rolled_up:
            yield computed, rolled_up


def test_every_kpi_is_checked_here_or_elsewhere() -> None:
    known = {*EXPECTED, *CHECKED_ELSEWHERE}
    assert set(list_kpis()) - known == set(), "add what each must be to tests/kpi/oracle.py"
    assert known <= set(list_kpis())


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_kpi_of_a_thousand_sets_is_what_decimal_gives(
    facts: Callable[[str], Facts], connections: Sequence[Any], name: str, selection: str
) -> None:
    wanted, columns = EXPECTED[name](facts(selection)), list_keys(name)
    for connection in connections:
        found = run_kpi(connection, name, Selection(**SELECTIONS[selection])).to_dicts()
        keys = [tuple(row[column] for column in columns) for row in found]
        assert len(keys) == len(set(keys))
        assert set(keys) == set(wanted)
        for key, row in zip(keys, found, strict=True):
            assert_same(row, dict(zip(columns, key, strict=True)) | wanted[key], where=name)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_campaigns_of_a_thousand_sets_are_ranked_as_decimal_ranks_them(
    facts: Callable[[str], Facts], connections: Sequence[Any], selection: str
) -> None:
    filters = SELECTIONS[selection]
    campaigns = oracle.expect_campaigns(facts(selection))
    wasted = [row for row in campaigns if row["spend_without_conversions"]]
    for connection in connections:
        for by, top, bottom in RANKS:
            wanted = cut_ranks(
                oracle.rank_campaigns(campaigns, by or "spend"),
                by=by or "spend",
                top=top,
                bottom=bottom,
            )
            ranked = Selection(**filters, by=by, top=top, bottom=bottom)
            assert_all_same(run_kpi(connection, "campaign", ranked).to_dicts(), wanted)
        found = run_kpi(connection, "unconverted", Selection(**filters)).to_dicts()
        wanted = oracle.rank_campaigns(wasted, "spend")
        assert_all_same(found, [{name: row[name] for name in found[0]} for row in wanted])


@pytest.mark.parametrize("by", RANKINGS)
def test_campaigns_are_ranked_by_each_measure_as_decimal_ranks_them(
    rows: list[dict[str, Any]], connections: Sequence[Any], by: str
) -> None:
    filters = SELECTIONS["cut months"]
    ranked = oracle.rank_campaigns(oracle.expect_campaigns(Facts(rows, **filters)), by)
    wanted = cut_ranks(ranked, by=by, top=2, bottom=1)

    found = run_kpi(connections[1], "campaign", Selection(**filters, by=by, top=2, bottom=1))

    assert_all_same(found.to_dicts(), wanted)


def cut_ranks(
    ranked: Sequence[dict[str, Any]], *, by: str, top: int | None, bottom: int | None
) -> list[dict[str, Any]]:
    if top is None and bottom is None:
        return list(ranked)
    places: dict[str, int] = {}
    for row in ranked:
        places[row["currency"]] = places.get(row["currency"], 0) + (row[by] is not None)
    return [
        row
        for row in ranked
        if (top is not None and row["rank"] <= top)
        or (
            bottom is not None
            and places[row["currency"]] - bottom < row["rank"] <= places[row["currency"]]
        )
    ]


def assert_all_same(
    found: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]
) -> None:
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        assert_same(got, want, where="campaign")


def assert_same(found: Mapping[str, Any], wanted: Mapping[str, Any], *, where: str) -> None:
    """Sums are equal to the last digit; ratios are 64-bit floats."""
    assert set(found) == set(wanted), where
    for name, want in wanted.items():
        got = found[name]
        if isinstance(want, float):
            # A change is a difference of two floats, each with an error of its own.
            scale = abs(found.get(f"{name.removesuffix('_change')}_previous") or 0)
            assert isinstance(got, float), (where, name)
            assert math.isclose(got, want, rel_tol=1e-12, abs_tol=max(scale * 1e-12, 1e-300)), (
                where,
                name,
                got,
                want,
            )
        else:
            assert got == want, (where, name)
