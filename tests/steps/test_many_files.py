"""What a merge needs for each file of its history, by the simulation of a million of them."""

import pytest

from benchmarks.harness import Usage
from benchmarks.plan_million_files import (
    BEFORE_COMMIT,
    MOST_BYTES,
    MOST_SECONDS,
    measure,
    refuse_too_much,
)

FEW = 2_000
MANY = 22_000
MOST_BYTES_A_FILE = 1_800
"""A million files then stay below `MOST_BYTES`, beside the 200 MB of a program without any."""


@pytest.mark.slow
def test_the_memory_of_a_merge_grows_by_less_than_two_kilobytes_a_file() -> None:
    few, many = (find_peak(measure(count)) for count in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < MOST_BYTES_A_FILE


@pytest.mark.soak
def test_a_merge_that_meets_a_million_files_stays_within_two_gigabytes_and_a_minute() -> None:
    refuse_too_much(1_000_000, measure(1_000_000))


@pytest.mark.parametrize(("seconds", "peak"), [(MOST_SECONDS, 1), (0, MOST_BYTES)])
def test_the_simulation_fails_where_a_limit_is_broken(seconds: int, peak: int) -> None:
    within = dict.fromkeys(BEFORE_COMMIT, Usage(0, 0, 1, 0))
    refuse_too_much(10, within)
    with pytest.raises(SystemExit, match="expected at most 60 seconds and 2,000 MB"):
        refuse_too_much(10, within | {BEFORE_COMMIT[1]: Usage(0, seconds + 1, peak + 1, 0)})


def find_peak(steps: dict[str, Usage]) -> int:
    return max(steps[name].peak_bytes for name in BEFORE_COMMIT)
