"""Commands that are killed on a request, that race, or whose input changes meanwhile."""

import functools
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import pytest

from pipeline.errors import AdlakeError, ExpiredError
from pipeline.lake import Lake
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.compact import compact
from pipeline.steps.merge import merge
from pipeline.steps.withdraw import withdraw
from tests.fault_proxy import Rule
from tests.faults.conftest import SETTINGS, Harbour
from tests.s3 import clean_environ

pytestmark = pytest.mark.faults

FILES = {"a.csv": ["a", "b"], "b.csv": ["c"]}
CAMPAIGNS = ["a", "b", "c"]
SEED = 20261124
GONE = "landing/lots/gone.csv"
WHEN = ("before", "after")
SAMPLED = 20
SAMPLE_SECONDS = 150
"""No moment is begun after so long, but the first of each command."""

LEAST_KILLED = 60
PATIENCE_SECONDS = 300
RACERS = 8
RACED_FILES = 40
REPLACED_TIMES = 20


def prepare(harbour: Harbour) -> None:
    """A lake with one merge, and two files that the next one takes."""
    harbour.deliver("z.csv", ["z"])
    harbour.merge(harbour.open_directly())
    for name, campaigns in FILES.items():
        harbour.deliver(name, campaigns)


def prepare_withdrawal(harbour: Harbour) -> None:
    """A lake with one merge of two files."""
    for name in ("gone", "left"):
        harbour.deliver(f"{name}.csv", [name])
    harbour.merge(harbour.open_directly())


def prepare_compaction(harbour: Harbour) -> None:
    """A lake with two small files of one month."""
    harbour.open_directly().initialise()
    for name in ("a", "b"):
        harbour.commit(name)


class Command(NamedTuple):
    """A command that commits.

    Attributes:
        words: As it is typed.
        prepare: Makes a lake that has work for it.
        campaigns: What the master holds afterwards.
        again: Does in this process what is left of it.
    """

    words: tuple[str, ...]
    prepare: Callable[[Harbour], None]
    campaigns: list[str]
    again: Callable[[Lake], MergeOutcome]


COMMANDS = {
    "merge": Command(
        ("merge",), prepare, [*CAMPAIGNS, "z"], functools.partial(merge, settings=SETTINGS)
    ),
    "withdraw": Command(
        ("withdraw", GONE),
        prepare_withdrawal,
        ["left"],
        functools.partial(withdraw, path=GONE, settings=SETTINGS),
    ),
    "compact": Command(
        ("compact",), prepare_compaction, ["a", "b"], functools.partial(compact, settings=SETTINGS)
    ),
}


def start(harbour: Harbour, *words: str, endpoint: str | None = None) -> subprocess.Popen[bytes]:
    """Starts a command, behind the proxy unless another endpoint is given."""
    endpoint = endpoint or harbour.proxy.endpoint
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words, "--lake", harbour.uri],
        env=clean_environ() | harbour.server.describe() | {"AWS_ENDPOINT_URL": endpoint},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def count_requests(harbour: Harbour, command: Command) -> int:
    """How many requests an undisturbed command makes, in a process of its own as those killed."""
    command.prepare(harbour)
    harbour.proxy.break_by()
    with start(harbour, *command.words) as process:
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, said
    return len(harbour.proxy.requests)


def list_moments(count: int) -> list[tuple[int, str]]:
    """Each request, before and after it is carried out."""
    return [(number, when) for number in range(1, count + 1) for when in WHEN]


def kill_and_finish(harbour: Harbour, command: Command, number: int, when: str) -> bool:
    """Kills a command on its n-th request, runs it again, and checks what came of both.

    Returns:
        Whether it was killed: the last requests of a command are not always as many.
    """
    harbour.uri = f"{harbour.uri.partition('-')[0]}-{secrets.token_hex(4)}"
    command.prepare(harbour)
    with start(harbour, *command.words) as process:
        # The command takes longer to start than this takes to say.
        harbour.proxy.break_by(Rule(f"kill-{when}", first=number, times=1, pid=process.pid))
        process.communicate(timeout=PATIENCE_SECONDS)
    met = harbour.proxy.done == 1
    assert process.returncode == (-9 if met else 0), (command.words, number, when)
    command.again(harbour.open_directly())
    harbour.check(command.campaigns)
    assert command.again(harbour.open_directly()).transaction is None
    return met


def test_a_merge_killed_on_a_request_is_finished_by_the_next(harbour: Harbour) -> None:
    """One moment among the writes: the commit's own answer, by its name."""
    prepare(harbour)
    with start(harbour, "merge") as process:
        commit = r"/master/_delta_log/0*2\.json$"
        rule = Rule("kill-after", "PUT", commit, times=1, pid=process.pid)
        harbour.proxy.break_by(rule)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == -9
    harbour.merge(harbour.open_directly())
    harbour.check([*CAMPAIGNS, "z"])


def test_killed_on_a_sample_of_requests_a_command_is_finished_by_the_next(
    harbour: Harbour,
) -> None:
    """Twenty moments, or as many as there is time for, of all commands in turn."""
    seed = random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)
    counts = {name: count_requests(harbour, command) for name, command in COMMANDS.items()}
    sys.stdout.write(f"seed {seed}, of {counts} requests\n")
    drawn = [
        iter(
            chance.sample([(name, n, when) for n in range(1, 1 + count) for when in WHEN], SAMPLED)
        )
        for name, count in counts.items()
    ]
    points = [point for turn in zip(*drawn, strict=True) for point in turn][:SAMPLED]
    begin, killed = time.monotonic(), 0
    for done, (name, number, when) in enumerate(points):
        if done >= len(COMMANDS) and time.monotonic() - begin > SAMPLE_SECONDS:
            break
        killed += kill_and_finish(harbour, COMMANDS[name], number, when)
    sys.stdout.write(f"{killed} killed\n")
    assert killed >= len(COMMANDS) - 1


@pytest.mark.soak
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_on_any_request_a_command_is_finished_by_the_next(
    harbour: Harbour, command: str
) -> None:
    count = count_requests(harbour, COMMANDS[command])
    points = list_moments(count)
    killed = sum(kill_and_finish(harbour, COMMANDS[command], *point) for point in points)
    sys.stdout.write(f"{command}: {killed} killed of {len(points)} moments\n")
    assert killed >= LEAST_KILLED


def test_merges_that_race_bring_every_row_once(harbour: Harbour) -> None:
    names = [f"c{number:03d}" for number in range(RACED_FILES)]
    for name in names:
        harbour.deliver(f"{name}.csv", [name])
    started = [start(harbour, "merge", endpoint=harbour.server.endpoint) for _ in range(RACERS)]
    codes = []
    for process in started:
        with process:
            process.communicate(timeout=PATIENCE_SECONDS)
        codes.append(process.returncode)
    assert codes == [0] * RACERS
    assert harbour.open_directly().open_master().transaction == 1
    harbour.check(names)


def test_an_input_that_is_replaced_while_it_is_read_is_never_half_taken(harbour: Harbour) -> None:
    for number in range(REPLACED_TIMES):
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
