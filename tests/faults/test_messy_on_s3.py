"""Messy deliveries into a bucket, with merges that are killed or broken on a request."""

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from pipeline.lake import Lake
from pipeline.steps.fsck import fsck
from pipeline.steps.generate_messy import generate_messy
from pipeline.steps.verify import verify
from tests.fault_proxy import Rule
from tests.faults.conftest import SETTINGS, Harbour
from tests.faults.test_killed_on_s3 import PATIENCE_SECONDS, start
from tests.steps.messy import TODAY, cut, make_request

pytestmark = pytest.mark.faults

ANY = Rule("").path
LOG = r"/master/_delta_log/0*\d+\.json$"
RULES = {
    1: [Rule("kill-after"), Rule("503", times=3), Rule("cut", "GET", "/landing/")],
    2: [Rule("reset-before", times=2), Rule("reset-after", "PUT"), Rule("applied-500", "PUT")],
    3: [Rule("kill-before", "PUT"), Rule("applied-503", "PUT", LOG), Rule("cut", "GET")],
    4: [Rule("kill-after", "PUT"), Rule("reset-after", "PUT", LOG), Rule("500", "PUT", times=2)],
}
"""What breaks while each of the parts is merged, by the seed."""

REQUESTS = {".*": 40, "PUT": 4, "GET": 10}
"""How many requests a merge of a part makes, at the least; of a path one."""


def merge_broken(harbour: Harbour, rule: Rule, dice: random.Random) -> None:
    """Merges with one rule at work, which has to hit; only a kill may end the command."""
    is_kill = rule.fault.startswith("kill-")
    with start(harbour, "merge") as process:
        first = dice.randint(1, REQUESTS[rule.method] if rule.path == ANY else 1)
        drawn = replace(rule, first=first, times=rule.times or 1, place=dice.random())
        # The command takes longer to start than this takes to say.
        harbour.proxy.break_by(replace(drawn, pid=process.pid if is_kill else 0))
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert harbour.proxy.done, drawn
    # 3: something is worth a look, as there are damaged rows.
    expected = {-9} if is_kill else {0, 3}
    assert process.returncode in expected, (drawn, said.decode())


def deliver(lake: Lake, files: Iterable[tuple[str, bytes]]) -> None:
    for path, data in files:
        lake.storage.create(path, data)


@pytest.mark.parametrize("seed", RULES)
def test_in_a_bucket_that_fails_merges_of_shuffled_deliveries_make_the_true_master(
    harbour: Harbour, seed: int
) -> None:
    dice = random.Random(seed)
    lake = harbour.open_directly()
    plan = generate_messy(lake, make_request(seed, days=6, rows=200), today=TODAY)
    for path in plan.files:
        lake.storage.delete(path)
    rules = RULES[seed]
    parts = cut(dice.sample(list(plan.files), len(plan.files)), len(rules))
    for part, rule in zip(parts, rules, strict=True):
        deliver(lake, ((path, plan.files[path]) for path in part))
        merge_broken(harbour, rule, dice)
    harbour.merge(harbour.open_directly())
    assert verify(lake, lake.take_snapshot()).differences == []
    assert fsck(lake, settings=SETTINGS).findings == []
