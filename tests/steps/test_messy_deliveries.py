"""The same facts in any order of arrival make the master that the generator knows."""

import random
import time

import pytest

from pipeline.steps.fsck import fsck
from tests.steps.conftest import SETTINGS, Home
from tests.steps.messy import announce, arrive, cut, find_differences, make_request
from tests.steps.test_killed_merge import start_merge

QUICK = range(1, 4)
LONG_DAYS = 30
LONG_ROWS = 800


def check_account(home: Home) -> None:
    ledger = home.read_ledger()
    parts = ledger.select("accepted", "quarantined", "duplicates", "superseded").sum_horizontal()
    assert parts.to_list() == ledger["rows_in"].to_list()
    assert set(ledger["outcome"]) <= {"merged", "duplicate"}


@pytest.mark.parametrize("seed", QUICK)
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


def verify_long(home: Home, seed: int, *, dice: random.Random, kills: int) -> None:
    """Delivers in a shuffled order, kills so many of the merges, and compares."""
    plan = announce(home, make_request(seed, days=LONG_DAYS, rows=LONG_ROWS))
    paths = dice.sample(list(plan.files), len(plan.files))
    parts = cut(paths, max(2, kills))
    for number, part in enumerate(parts):
        arrive(home, plan, part)
        if number < kills:
            with start_merge(home) as process:
                time.sleep(dice.uniform(0.3, 2.5))
                process.kill()
    home.merge()
    assert find_differences(home) == []
    check_account(home)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(1, 21))
def test_killed_merges_of_shuffled_deliveries_make_the_true_master(home: Home, seed: int) -> None:
    """Every third seed has its first merges killed, at moments of the whole run of one."""
    kills = 2 if seed % 3 == 0 else 0
    verify_long(home, seed, dice=random.Random(seed), kills=kills)
    if kills:
        assert fsck(home.lake, settings=SETTINGS).findings == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 501))
def test_five_hundred_seeds_make_the_true_master(home: Home, seed: int) -> None:
    verify_long(home, seed, dice=random.Random(seed), kills=seed % 3)
