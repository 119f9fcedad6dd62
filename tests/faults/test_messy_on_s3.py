"""Messy deliveries into a bucket, with merges that are killed on a request."""

import random

import pytest

from pipeline.steps.fsck import fsck
from pipeline.steps.generate_messy import generate_messy
from pipeline.steps.verify import verify
from tests.fault_proxy import Rule
from tests.faults.conftest import SETTINGS, Harbour
from tests.faults.test_killed_on_s3 import PATIENCE_SECONDS, start
from tests.steps.messy import TODAY, cut, make_request

pytestmark = pytest.mark.faults

PARTS = 3
REQUESTS = 100
"""About as many as a merge of a part makes."""


@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_bucket_killed_merges_of_shuffled_deliveries_make_the_true_master(
    harbour: Harbour, seed: int
) -> None:
    dice = random.Random(seed)
    lake = harbour.open_directly()
    plan = generate_messy(lake, make_request(seed, days=6, rows=200), today=TODAY)
    for path in plan.files:
        lake.storage.delete(path)
    killed = 0
    for part in cut(dice.sample(list(plan.files), len(plan.files)), PARTS):
        for path in part:
            lake.storage.create(path, plan.files[path])
        with start(harbour, "merge") as process:
            first = dice.randint(1, REQUESTS)
            harbour.proxy.break_by(Rule("kill-after", first=first, times=1, pid=process.pid))
            process.communicate(timeout=PATIENCE_SECONDS)
        killed += process.returncode == -9
    assert killed
    harbour.merge(lake)
    assert verify(lake, lake.take_snapshot()).differences == []
    assert fsck(lake, settings=SETTINGS).findings == []
