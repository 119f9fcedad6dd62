import hashlib
import math
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.generate.calendar import season_shift
from pipeline.generate.campaigns import AUDIENCES, OBJECTIVES, PLATFORMS, TARGETINGS, find_campaigns
from pipeline.generate.economy import MEASURES
from pipeline.generate.model import (
    CHUNK_ROWS,
    PART_ROWS,
    RAW,
    Market,
    Part,
    cut_day,
    stream_day,
    stream_part,
)

MakeDay = Callable[..., pa.Table]

DAYS = st.dates(min_value=date(1970, 1, 1), max_value=date(9999, 12, 31))
GOLDEN_NAME = "Uno | Leads | Ñandú | 2024-01-26 #1"
GOLDEN_SHA256 = "599768885283563a606aa2c81698c0d66efa369c47c9911408eae78f1655ee1b"
SEEDS = st.one_of(st.sampled_from([0, 1, 2**63 - 1]), st.integers(0, 2**63 - 1))
NO_FIXTURE_CHECK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_rows_keep_the_rules(table: pa.Table) -> None:
    rows = pl.DataFrame(table).with_columns(
        ctr=pl.col("reported_ctr").cast(pl.Float64), cpc=pl.col("reported_cpc").cast(pl.Float64)
    )
    rules = {
        "impressions": pl.col("impressions").is_between(1_000, 1_000_000),
        "ctr": pl.col("ctr").is_between(0.01, 0.05),
        "cpc": pl.col("cpc").is_between(0.01, 0.5),
        "view time": pl.col("video_view_time").cast(pl.Float64).is_between(0.1, 10),
        "clicks are impressions times the rate before rounding": pl.col("clicks").is_between(
            (pl.col("impressions") * (pl.col("ctr") - 0.000_05) - 1e-6).floor(),
            pl.col("impressions") * (pl.col("ctr") + 0.000_05) + 1e-6,
        ),
        "cost is clicks times the price before rounding": (
            (pl.col("cost").cast(pl.Float64) - pl.col("clicks") * pl.col("cpc")).abs()
            <= 0.005 * pl.col("clicks") + 0.005 + 1e-6
        ),
        "conversions": pl.col("conversions").cast(pl.Float64).is_between(0, pl.col("clicks")),
        "revenue": (pl.col("revenue") > 0) == (pl.col("conversions") > 0),
        "views": pl.col("video_views").is_between(0, pl.col("impressions")),
        "platform": pl.col("platform").is_in(PLATFORMS),
        "audience": pl.col("target_audience").is_in(AUDIENCES),
    }
    broken = rows.select(**{name: (~rule).sum() for name, rule in rules.items()}).row(0, named=True)
    assert broken == dict.fromkeys(rules, 0)
    for name, places in {
        "cost": 2,
        "revenue": 2,
        "conversions": 0,
        "video_view_time": 2,
        "reported_ctr": 4,
        "reported_cpc": 2,
    }.items():
        assert (rows[name] == rows[name].round(places)).all(), name
    assert rows.null_count().sum_horizontal().item() == 0


@NO_FIXTURE_CHECK
@given(seed=SEEDS, day=DAYS, rows=st.integers(1, 3_000))
def test_every_row_keeps_the_rules_whatever_the_seed_and_day(
    make_day: MakeDay, seed: int, day: date, rows: int
) -> None:
    table = make_day(seed=seed, day=day, rows=rows)

    assert table.num_rows == rows
    assert_rows_keep_the_rules(table)
    keys = table.select(["campaign_id", "target_audience"]).to_pylist()
    assert len({tuple(key.values()) for key in keys}) == rows


def test_every_row_of_a_large_day_keeps_the_rules_and_has_a_key_of_its_own(
    make_day: MakeDay,
) -> None:
    table = make_day(rows=300_001)

    assert_rows_keep_the_rules(table)
    rows = pl.DataFrame(table)
    assert rows.n_unique(["campaign_id", "target_audience"]) == len(rows)
    assert rows.n_unique("campaign_name") == rows.n_unique("campaign_id")
    assert rows.n_unique(["campaign_id", "campaign_name"]) == rows.n_unique("campaign_id")


def test_the_figures_of_a_seed_never_change(make_day: MakeDay) -> None:
    rows = make_day(rows=1_000).to_pylist()

    assert rows[0]["campaign_name"] == GOLDEN_NAME
    assert hashlib.sha256(repr(rows).encode()).hexdigest() == GOLDEN_SHA256


def test_campaign_ids_are_version_4_uuids(make_day: MakeDay) -> None:
    ids = set(make_day(rows=8_000)["campaign_id"].to_pylist())

    assert len(ids) == 2_000
    for text in ids:
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant, str(parsed)) == (4, uuid.RFC_4122, text)
    digits = [text.replace("-", "") for text in ids]
    for place in (*range(12), *range(13, 16), *range(17, 32)):
        assert len({text[place] for text in digits}) == 16


@pytest.mark.parametrize("batch_rows", [1, 777, CHUNK_ROWS, 10**9])
def test_batches_are_no_longer_than_asked_and_hold_the_same_rows(
    make_market: Callable[[int], Market], make_day: MakeDay, batch_rows: int
) -> None:
    rows = 40_000 if batch_rows > 1 else 300
    day = date(2024, 3, 5)

    batches = list(stream_day(make_market(42), day, rows=rows, batch_rows=batch_rows))

    assert max(batch.num_rows for batch in batches) == min(batch_rows, CHUNK_ROWS, rows)
    assert pa.Table.from_batches(batches).cast(RAW) == make_day(rows=rows)


def test_a_part_made_alone_is_the_part_of_its_day(
    make_market: Callable[[int], Market], make_day: MakeDay
) -> None:
    rows = PART_ROWS + 1_001
    market, day = make_market(7), date(2024, 3, 5)

    parts = list(cut_day(day, rows=rows))
    last = pa.Table.from_batches(stream_part(market, parts[-1])).cast(RAW)

    assert parts == [Part(day, 0, PART_ROWS), Part(day, 1, 1_001)]
    assert last == make_day(seed=7, rows=rows).slice(PART_ROWS)


def test_a_day_without_rows_has_no_parts(make_market: Callable[[int], Market]) -> None:
    assert list(cut_day(date(2024, 3, 5), rows=0)) == []
    assert list(stream_day(make_market(1), date(2024, 3, 5), rows=0)) == []


@pytest.mark.parametrize("changed", [{"seed": 43}, {"day": date(2024, 3, 6)}])
def test_another_seed_or_day_gives_other_figures(make_day: MakeDay, changed: dict) -> None:
    figures = ["impressions", "clicks", "cost", "revenue", "reported_ctr"]

    ours, others = make_day(rows=1_000), make_day(rows=1_000, **changed)

    for name in figures:
        same = sum(a == b for a, b in zip(ours[name], others[name], strict=True))
        assert same < 50, name


def test_slots_host_one_campaign_after_another_without_a_gap() -> None:
    first, days, slots = date(2023, 1, 1).toordinal(), 500, 60
    seen: dict[int, list[tuple]] = {slot: [] for slot in range(slots)}
    for day in range(first, first + days):
        found = find_campaigns(
            seed=9, day=day, first_slot=0, slots=slots, advertisers=64, themes=48
        )
        for slot in range(slots):
            lasting = tuple(
                getattr(found, name)[slot].item()
                for name in ("id_high", "id_low", "advertiser", "theme", "objective", "platform")
            ) + tuple(found.ranks[:, slot].tolist())
            lasting += (found.targeting[slot].item(), found.quality[slot].item())
            span = (day - found.age[slot].item(), found.days[slot].item())
            seen[slot].append((lasting, span, found.age[slot].item()))

    for history in seen.values():
        campaigns = list(dict.fromkeys((lasting, span) for lasting, span, _ in history))
        assert len({lasting[:2] for lasting, _ in campaigns}) == len(campaigns)
        for (_, (start, length)), (_, (next_start, _)) in pairwise(campaigns):
            assert 28 <= length <= 120
            assert next_start == start + length
        for _, (start, length), age in history:
            assert 0 <= age < length
            assert start <= first + days


def test_a_campaign_keeps_its_name_platform_and_audiences_on_all_its_days(
    make_day: MakeDay,
) -> None:
    days = pl.concat(
        pl.DataFrame(
            make_day(day=date(2024, 1, 1) + timedelta(days=7 * week), rows=400)
        ).with_columns(week=pl.lit(week))
        for week in range(52)
    )

    campaigns = days.group_by("campaign_id").agg(
        pl.n_unique("campaign_name", "platform"),
        audiences=pl.col("target_audience").unique().sort(),
        weeks=pl.col("week").n_unique(),
        span=pl.col("week").max() - pl.col("week").min() + 1,
    )

    assert campaigns["campaign_name"].max() == campaigns["platform"].max() == 1
    assert set(map(tuple, campaigns["audiences"])) == {
        tuple(sorted(AUDIENCES[index] for index in targeting)) for targeting in TARGETINGS
    }
    assert (campaigns["weeks"] == campaigns["span"]).all()
    assert campaigns["span"].max() > 12


def test_names_tell_the_first_day_and_differ_between_campaigns(make_day: MakeDay) -> None:
    day = date(2024, 3, 5)

    names = set(make_day(rows=4_000, day=day)["campaign_name"].to_pylist())

    assert len(names) == 1_000
    for name in names:
        advertiser, objective, theme, end = name.split(" | ")
        first_day, number = end.split(" #")
        assert advertiser in {"Uno", "Dos, e Hijos", "Tres"}
        assert objective in OBJECTIVES
        assert theme in {"Verano", "Ñandú"}
        assert 0 <= (day - date.fromisoformat(first_day)).days < 120
        assert 1 <= int(number) <= 1_000


def test_figures_do_not_pile_up_at_their_bounds(make_day: MakeDay) -> None:
    rows = pl.DataFrame(make_day(rows=500_000))

    assert (rows["impressions"] <= 1_010).mean() < 0.005
    assert (rows["impressions"] == 1_000_000).mean() < 0.000_05
    for name, step in {
        "reported_ctr": 0.0001,
        "reported_cpc": 0.01,
        "video_view_time": 0.01,
    }.items():
        cells = (
            (rows[name].cast(pl.Float64) / step).round().cast(pl.Int64).value_counts().sort(name)
        )
        counts = cells["count"].to_list()
        # The outermost cells are half as wide as the others.
        assert counts[0] < counts[1], name
        assert counts[-1] < 1.2 * max(counts[-4:-1]), name


@pytest.mark.parametrize(("measure", "column"), [(1, "reported_ctr"), (3, "video_view_time")])
def test_figures_follow_the_log_normal_between_the_bounds(
    make_day: MakeDay, measure: int, column: str
) -> None:
    rows = pl.DataFrame(make_day(rows=1_000_000)).filter(
        pl.col("platform") == PLATFORMS[0], pl.col("target_audience") == AUDIENCES[0]
    )
    shape = MEASURES[measure]
    shift = shape.season * season_shift(date(2024, 3, 5))

    def below(value: float) -> float:
        z = (math.log(value / shape.medians[0]) - shift) / shape.sigma
        return 0.5 * (1 + math.erf(z / math.sqrt(2)))

    values = np.sort(rows[column].cast(pl.Float64).to_numpy())
    low, high = below(shape.low), below(shape.high)
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        value = values[int(share * len(values))]
        expected = (below(value) - low) / (high - low)
        assert expected == pytest.approx(share, abs=0.012)


def test_rows_of_a_campaign_resemble_each_other(make_day: MakeDay) -> None:
    rows = pl.DataFrame(make_day(rows=2**15)).with_columns(pl.col("impressions").log())
    blocks = rows["impressions"].to_numpy().reshape(4, -1)

    for other in blocks[1:]:
        assert 0.35 < np.corrcoef(blocks[0], other)[0, 1] < 0.65


def test_returns_are_believable(make_day: MakeDay) -> None:
    rows = pl.concat(
        pl.DataFrame(make_day(day=date(2024, month, 10), rows=30_000)) for month in range(1, 13)
    ).with_columns(pl.col("cost", "revenue", "conversions").cast(pl.Float64))
    roas = (pl.col("revenue").sum() / pl.col("cost").sum()).alias("roas")
    groups = rows.group_by("platform", "target_audience").agg(roas)
    campaigns = rows.group_by("campaign_id").agg(roas)

    assert 1.5 < rows.select(roas).item() < 4
    assert groups["roas"].min() > 1
    assert groups["roas"].max() < 6
    assert groups["roas"].max() > 1.2 * groups["roas"].min()
    assert 0.1 < (campaigns["roas"] < 1).mean() < 0.5
    assert 0.001 < rows["conversions"].sum() / rows["clicks"].sum() < 0.05
