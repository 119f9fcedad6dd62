"""Merges that are killed on a request, that race each other, or whose input changes meanwhile."""

import random
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from pipeline.errors import AdlakeError, ExpiredError
from tests.fault_proxy import Rule
from tests.faults.conftest import Harbour
from tests.s3 import clean_environ

FILES = {"a.csv": ["a", "b"], "b.csv": ["c"]}
CAMPAIGNS = ["a", "b", "c"]
SEED = 20261124
PATIENCE_SECONDS = 120


def prepare(harbour: Harbour) -> None:
    """A lake with one merge, and two files that the next one takes."""
    harbour.deliver("z.csv", ["z"])
    harbour.merge(harbour.open_directly())
    for name, campaigns in FILES.items():
        harbour.deliver(name, campaigns)


def start_merge(harbour: Harbour, endpoint: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "merge", "--lake", harbour.uri],
        env=clean_environ() | harbour.server.describe() | {"AWS_ENDPOINT_URL": endpoint},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def kill_on(harbour: Harbour, number: int, when: str) -> int:
    """Merges until the n-th request, kills the command on it, and returns its exit code."""
    with start_merge(harbour, harbour.proxy.endpoint) as process:
        # The command takes longer to start than this takes to say.
        harbour.proxy.break_by(Rule(f"kill-{when}", first=number, times=1, pid=process.pid))
        process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode


def count_requests(harbour: Harbour) -> int:
    """How many requests an undisturbed merge makes."""
    harbour.proxy.break_by()
    harbour.merge(harbour.open())
    return len(harbour.proxy.requests)


def check_kill(harbour: Harbour, number: int, when: str) -> None:
    code = kill_on(harbour, number, when)
    assert code in {-9, 0}, (number, when)
    harbour.merge(harbour.open_directly())
    harbour.check([*CAMPAIGNS, "z"])


def test_a_merge_killed_on_a_request_is_finished_by_the_next(harbour: Harbour) -> None:
    """One moment among the writes; the commit's own answer among them by its name."""
    prepare(harbour)
    with start_merge(harbour, harbour.proxy.endpoint) as process:
        commit = r"/master/_delta_log/0*2\.json$"
        rule = Rule("kill-after", "PUT", commit, times=1, pid=process.pid)
        harbour.proxy.break_by(rule)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == -9
    harbour.merge(harbour.open_directly())
    harbour.check([*CAMPAIGNS, "z"])


@pytest.mark.soak
@pytest.mark.parametrize("share", range(8))
def test_killed_on_any_request_it_is_finished_by_the_next(
    harbour: Harbour, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight requests in each share, before and after they are carried out: 64 moments in all."""
    chance = random.Random(SEED + share)
    prepare(harbour)
    count = count_requests(harbour)
    harbour.check([*CAMPAIGNS, "z"])
    first = 1 + count * share // 8
    last = count * (share + 1) // 8
    for place in range(8):
        number, when = chance.randint(first, last), chance.choice(["before", "after"])
        monkeypatch.setattr(harbour, "uri", f"{harbour.uri.partition('-')[0]}-{place}")
        prepare(harbour)
        check_kill(harbour, number, when)


@pytest.mark.parametrize(
    ("processes", "files"), [(3, 2), pytest.param(8, 40, marks=pytest.mark.faults)]
)
def test_merges_that_race_bring_every_row_once(
    harbour: Harbour, processes: int, files: int
) -> None:
    names = [f"c{number:03d}" for number in range(files)]
    for name in names:
        harbour.deliver(f"{name}.csv", [name])
    started = [start_merge(harbour, harbour.server.endpoint) for _ in range(processes)]
    codes = []
    for process in started:
        with process:
            process.communicate(timeout=PATIENCE_SECONDS)
        codes.append(process.returncode)
    assert codes == [0] * processes
    assert harbour.open_directly().open_master().transaction == 1
    harbour.check(names)


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.faults)])
def test_an_input_that_is_replaced_while_it_is_read_is_never_half_taken(
    harbour: Harbour, times: int
) -> None:
    for number in range(times):
        name = f"{number}.csv"
        old = [f"{number}-old-1", f"{number}-old-2"]
        new = [f"{number}-new"]
        harbour.deliver(name, old)
        harbour.proxy.break_by(Rule("delay", "GET", f"/{name}$", times=1, seconds=0.5))
        merging = threading.Thread(target=harbour.merge, args=[harbour.open()])
        merging.start()
        while not any(one.path.endswith(f"/{name}") for one in harbour.proxy.requests):
            time.sleep(0.02)
        harbour.deliver(name, new)
        harbour.deliver(f"{number}-too.csv", [f"{number}-too"])
        merging.join()
        harbour.merge(harbour.open_directly())
        taken = harbour.read_master()["campaign_id"]
        mine = taken.filter(taken.str.starts_with(f"{number}-")).to_list()
        assert mine in ([*new, *old, f"{number}-too"], [*new, f"{number}-too"])


def test_credentials_that_expire_in_the_middle_stop_a_merge_and_lose_nothing(
    harbour: Harbour,
) -> None:
    prepare(harbour)
    count = 30
    for number in random.Random(SEED).sample(range(1, count), 4):
        harbour.proxy.break_by(Rule("expired", first=number))
        with suppress(ExpiredError):
            harbour.merge(harbour.open())
    harbour.merge(harbour.open_directly())
    harbour.check([*CAMPAIGNS, "z"])


@pytest.mark.soak
def test_expired_on_any_request_it_is_finished_by_the_next(harbour: Harbour) -> None:
    prepare(harbour)
    number = 0
    while True:
        number += 1
        harbour.proxy.break_by(Rule("expired", first=number))
        try:
            outcome = harbour.merge(harbour.open())
        except AdlakeError as error:
            assert "expired" in str(error)  # noqa: PT017 - any request may be the one
            continue
        if harbour.proxy.done == 0:
            break
        assert outcome.version
    assert number > 20
    harbour.check([*CAMPAIGNS, "z"])
