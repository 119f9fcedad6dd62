"""How many requests a daily merge makes, and that their number does not grow with the history."""

import pytest

from pipeline.table import CHECKPOINT_EVERY
from tests.faults.conftest import Harbour

MOST = 2 * 6 * CHECKPOINT_EVERY + 80
"""Of one merge: the entries of two logs since their checkpoints, twice, and what is fixed."""


def count_requests(harbour: Harbour, number: int) -> int:
    """Of a merge of one more file; those that bring the ledger's own files are left out."""
    harbour.deliver(f"{number:03d}.csv", [f"c{number:03d}"])
    harbour.proxy.break_by()
    harbour.merge(harbour.open())
    return sum("/ledger/0" not in one.path for one in harbour.proxy.requests)


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(2, marks=pytest.mark.faults),
        pytest.param(11, marks=pytest.mark.soak),
    ],
)
def test_a_merge_makes_as_many_requests_as_ten_merges_before(harbour: Harbour, rounds: int) -> None:
    merges = rounds * CHECKPOINT_EVERY + 4
    counts = [count_requests(harbour, number) for number in range(merges)]
    assert counts[-1] <= counts[-1 - CHECKPOINT_EVERY] + 2, counts
    assert max(counts) <= MOST, counts
    harbour.check([f"c{number:03d}" for number in range(merges)])
