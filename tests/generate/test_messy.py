"""The mess is all there, it is the same for the same seed, and no more than contracts bear."""

import hashlib
import subprocess
import sys
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import load_contracts
from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import FINAL_AGE, Campaign, Fact, recall
from pipeline.generate.request import GenerateRequest
from pipeline.steps.generate_messy import MessyPlan, plan_messy

START = date(2024, 1, 1)
TODAY = date(2024, 12, 31)
FIGURES = ("impressions", "clicks", "cost", "conversions", "revenue")


def make_plan(seed: int, *, days: int, rows: int) -> MessyPlan:
    end = START + timedelta(days=days - 1)
    return plan_messy(GenerateRequest(start=START, end=end, seed=seed, rows=rows), today=TODAY)


def hash_plan(plan: MessyPlan) -> str:
    tables = (plan.rows.write_json(), plan.deliveries.write_json())
    parts = [part for path, data in plan.files.items() for part in (path.encode(), data)]
    return hashlib.sha256(b"\0".join([*parts, *map(str.encode, tables)])).hexdigest()


@pytest.fixture(scope="module")
def plan() -> MessyPlan:
    return make_plan(1, days=60, rows=4000)


@pytest.mark.slow
@given(seed=st.integers(0, 2**63 - 1), days=st.integers(1, 12), rows=st.integers(1, 200))
@settings(max_examples=15)
def test_the_same_seed_gives_the_same_bytes(seed: int, days: int, rows: int) -> None:
    one, again = (hash_plan(make_plan(seed, days=days, rows=rows)) for _ in range(2))
    assert one == again
    assert one != hash_plan(make_plan(seed ^ 1, days=days, rows=rows))


@pytest.mark.slow
def test_another_process_makes_the_same_bytes() -> None:
    text = (
        "from tests.generate.test_messy import hash_plan, make_plan;"
        "print(hash_plan(make_plan(7, days=10, rows=300)))"
    )
    command = [sys.executable, "-c", text]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert found == hash_plan(make_plan(7, days=10, rows=300))


def test_every_kind_of_mess_is_there(plan: MessyPlan) -> None:
    files = plan.deliveries
    assert set(files["source"]) == {"google_ads", "meta_ads", "tiktok_ads"}
    late = files["delivered_at"].diff().dt.total_seconds() < 0
    assert late.sum() >= 10
    copies = files.drop_nulls("copy_of")
    assert copies["path"].str.contains(r"\(1\)\.csv$").any()
    assert copies["path"].str.contains(r"/delivered=[^/]+/account=").any()
    parts = files.filter(pl.col("copy_of").is_null()).group_by("source", "account", "delivered_at")
    assert parts.len()["len"].value_counts()["len"].sort().to_list() == [1, 2]
    spans = (files["last_date"] - files["first_date"]).dt.total_days() + 1
    assert {7, 28} <= set(spans)
    assert len(set(files["form"])) >= 20
    languages = set(files["form"].str.head(2))
    assert languages == {"en", "es", "pt"}
    headers = {
        data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8-sig").split("\n")[0]
        for path, data in plan.files.items()
        if "/meta_ads/" in path
    }
    assert len(headers) >= 20
    assert 0 < files["quarantined"].sum() < 0.05 * files["rows"].sum()
    assert 0 < files["repeated"].sum() < len(files)
    assert any(b' "' in data for data in plan.files.values())


def test_campaigns_are_renamed_in_the_midst_and_keep_what_they_are_known_by(
    plan: MessyPlan,
) -> None:
    """By id a campaign stays one; a campaign without one is another from then on."""
    has_id = pl.col("campaign_id").is_not_null()
    names = plan.rows.filter(has_id).group_by("campaign_id").agg(pl.col("campaign_name").unique())
    assert names["campaign_name"].list.len().max() == 2
    nameless = plan.rows.filter(~has_id)
    assert set(nameless["source"]) == {"google_ads"}
    assert nameless["campaign_name"].str.contains(r"\((new|v2|relanzada|Q4)\)$").any()


def test_no_delivery_has_so_many_bad_rows_that_it_is_held(plan: MessyPlan) -> None:
    contracts = load_contracts(None)
    by = ["source", "account", "delivered_at"]
    sums = plan.deliveries.group_by(by).agg(pl.col("rows", "quarantined").sum())
    for source, _, _, rows, quarantined in sums.iter_rows():
        assert not contracts[source].holds.are_many(quarantined, rows)


def test_no_delivery_is_of_its_own_day_and_the_last_comes_after_the_range(
    plan: MessyPlan,
) -> None:
    files = plan.deliveries
    assert (files["delivered_at"].dt.date() > files["last_date"]).all()
    assert files["delivered_at"].dt.date().max() == START + timedelta(days=60)


@given(
    figures=st.tuples(*[st.integers(0, 10**9)] * 5),
    age=st.integers(1, 40),
    has_fractions=st.booleans(),
)
def test_what_is_known_of_a_day_only_grows_and_is_final_after_four_weeks(
    figures: tuple[int, ...], age: int, has_fractions: bool
) -> None:
    impressions, clicks, cost, conversions, revenue = figures
    campaign = Campaign(id="1", name="a", new_name="b", renamed_on=None)
    fact = Fact(
        day=START,
        campaign=campaign,
        impressions=max(impressions, clicks),
        clicks=min(impressions, clicks),
        cost=cost,
        conversions=conversions * 100,
        revenue=revenue,
    )
    today, tomorrow = (
        recall(fact, on=START + timedelta(days=days), has_fractions=has_fractions)
        for days in (age, age + 1)
    )
    assert today.clicks <= today.impressions
    for name in FIGURES:
        assert getattr(today, name) <= getattr(tomorrow, name) <= getattr(fact, name)
    if age >= FINAL_AGE:
        assert today == fact
    if age >= 3:
        assert today.cost >= fact.cost * 99 // 100
    assert has_fractions or today.conversions % 100 == 0


def test_dice_with_other_labels_throw_otherwise() -> None:
    assert [Dice(1, "a").roll(1000) for _ in range(3)] == [Dice(1, "a").roll(1000)] * 3
    dice = Dice(1, "a")
    throws = [dice.roll(6) for _ in range(600)]
    assert {throws.count(side) // 50 for side in range(6)} <= {1, 2}
    assert sorted(Dice(2, "b").shuffle(range(20))) == list(range(20))
    assert Dice(2, "b").shuffle(range(20)) != list(range(20))
