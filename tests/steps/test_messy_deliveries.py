"""The same facts in any order of arrival make the master that the generator knows."""

import random

import pytest

from pipeline.steps.compact import compact
from pipeline.steps.fsck import fsck
from pipeline.steps.rebuild import rebuild
from tests.steps.conftest import SETTINGS, Home
from tests.steps.messy import announce, arrive, cut, find_differences, make_request
from tests.steps.trap import draw_trap, run_into

SEEDS = (1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3)))
LONG_DAYS = 30
LONG_ROWS = 800


def check_account(home: Home) -> None:
    ledger = home.read_ledger()
    parts = ledger.select("accepted", "quarantined", "duplicates", "superseded").sum_horizontal()
    assert parts.to_list() == ledger["rows_in"].to_list()
    assert set(ledger["outcome"]) <= {"merged", "duplicate"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("order", "merges"), [("generated", 4), ("shuffled", 4), ("halves", 2)])
def test_any_order_of_arrival_makes_the_true_master(
    home: Home, seed: int, order: str, merges: int
) -> None:
    plan = announce(home, make_request(seed))
    paths = list(plan.files)
    if order == "shuffled":
        random.Random(seed).shuffle(paths)
    if order == "halves":  # the newer half first
        paths.reverse()
    for part in cut(paths, merges):
        arrive(home, plan, part)
        home.merge()
    assert find_differences(home) == []
    check_account(home)
    assert home.merge().transaction is None


def test_compacted_and_made_anew_the_master_is_still_the_true_one(home: Home) -> None:
    plan = announce(home, make_request(4))
    for part in cut(list(plan.files), 2):
        arrive(home, plan, part)
        home.merge()
    compact(home.lake, settings=SETTINGS)
    assert find_differences(home) == []
    rebuild(home.lake, settings=SETTINGS)
    assert find_differences(home) == []


def verify_long(home: Home, seed: int, *, dice: random.Random, kills: int) -> None:
    """Delivers in a shuffled order, kills so many of the merges, and compares."""
    plan = announce(home, make_request(seed, days=LONG_DAYS, rows=LONG_ROWS))
    paths = dice.sample(list(plan.files), len(plan.files))
    for number, part in enumerate(cut(paths, 1 + kills)):
        arrive(home, plan, part)
        if number < kills:
            trap = draw_trap(dice, home.root)
            assert run_into(trap, "merge", "--lake", str(home.root)) == -9, trap
    home.merge()
    assert find_differences(home) == []
    check_account(home)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(1, 21))
def test_shuffled_deliveries_with_a_killed_merge_between_make_the_true_master(
    home: Home, seed: int
) -> None:
    verify_long(home, seed, dice=random.Random(seed), kills=1)
    assert fsck(home.lake, settings=SETTINGS).findings == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 501))
def test_five_hundred_seeds_make_the_true_master(home: Home, seed: int) -> None:
    verify_long(home, seed, dice=random.Random(seed), kills=1 + seed % 3)
