"""A Dask cluster as an engine: order, the window, lost parts, and what is said when it fails."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from distributed import Scheduler

import pipeline.engine.dask_link
import pipeline.engine.dask_map
from pipeline.engine import open_engine
from pipeline.engine.cluster import DaskEngine
from pipeline.engine.dask_map import LEAST_WINDOW, PARTS_A_THREAD, pack
from pipeline.errors import ClusterError, LakeError, UsageError
from pipeline.secret import guard
from tests.cluster.clusters import WAIT_SECONDS, Cluster, start_cluster

MANY = 10_000


def square(number: int) -> int:
    return number * number


def sleep_a_little(number: int) -> int:
    time.sleep(0.05 if number == 0 else 0)
    return number


def fail_on_three(number: int) -> int:
    if number == 3:
        raise LakeError(f"part {number} is broken")
    return number


def die_once(path: Path) -> str:
    """Kills its worker the first time that it sees a file's name."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return path.name
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def die(_: int) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def name(part: object) -> str:
    return f"part {part}"


@pytest.mark.cluster
def test_results_come_in_the_order_of_the_parts(dask_engine: DaskEngine) -> None:
    made = dask_engine.map(sleep_a_little, range(50), label=name)
    assert list(made) == list(range(50))


@pytest.mark.cluster
def test_ten_thousand_parts_never_flood_the_scheduler(dask_engine: DaskEngine) -> None:
    sent = taken = most = 0

    def count() -> Iterator[int]:
        nonlocal sent
        for number in range(MANY):
            sent += 1
            yield number

    for number, result in enumerate(dask_engine.map(square, count(), label=name)):
        assert result == number * number
        most = max(most, sent - taken)
        taken += 1
        if number % 1000 == 0:
            assert count_tasks(dask_engine) <= 4 * LEAST_WINDOW  # it forgets a little later
    assert taken == MANY
    assert most <= LEAST_WINDOW + 1


def count_tasks(engine: DaskEngine) -> int:
    def count(dask_scheduler: Scheduler) -> int:
        return len(dask_scheduler.tasks)

    return int(engine.link.client.run_on_scheduler(count))


@pytest.mark.cluster
def test_the_first_error_ends_the_map_and_takes_back_the_rest(dask_engine: DaskEngine) -> None:
    with pytest.raises(LakeError, match="part 3 is broken"):
        list(dask_engine.map(fail_on_three, range(1000), label=name))
    end = time.monotonic() + 60
    while count_tasks(dask_engine):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.cluster
def test_a_worker_of_another_adlake_is_refused(
    dask_engine: DaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.engine.dask_link, "__version__", "99.9")
    address = dask_engine.link.address
    with (
        pytest.raises(ClusterError, match=r"has adlake .*; expected adlake 99\.9 as here"),
        open_engine(address, workers=1),
    ):
        pass


@pytest.mark.cluster
@pytest.mark.faults
def test_parts_whose_worker_died_are_worked_on_again(
    dask_engine: DaskEngine, tmp_path: Path
) -> None:
    parts = [tmp_path / str(number) for number in range(2)]
    assert list(dask_engine.map(die_once, parts, label=name)) == ["0", "1"]


@pytest.mark.cluster
def test_so_is_one_that_joins_later_and_gets_a_part(
    dask_engine: DaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.engine.dask_link, "__version__", "99.9")
    with pytest.raises(
        ClusterError, match=r"^the worker at tcp:.* has adlake .*; expected .*99\.9"
    ):
        list(dask_engine.map(abs, range(3), label=name))


def fill_the_disk(_: int) -> NoReturn:
    raise OSError(28, "No space left on device")


@pytest.mark.cluster
def test_what_a_workers_machine_refuses_is_said_to_be_there(dask_engine: DaskEngine) -> None:
    with pytest.raises(ClusterError, match=r"^the worker at tcp:.* failed: .*No space left"):
        list(dask_engine.map(fill_the_disk, [0], label=name))


@pytest.mark.cluster
@pytest.mark.faults
def test_a_part_that_kills_every_worker_is_named(dask_engine: DaskEngine) -> None:
    with pytest.raises(ClusterError, match=r"^part 0: 4 workers died while they worked on it"):
        list(dask_engine.map(die, [0], label=name))


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A scheduler and a worker, which a busy machine may take its time to start."""
    for constant in ("CONNECT_SECONDS", "PATIENCE_SECONDS"):
        monkeypatch.setattr(pipeline.engine.dask_link, constant, WAIT_SECONDS)
    with start_cluster(tmp_path / "cluster", os.environ, workers=1) as started:
        yield started


def work_and_lose_the_scheduler(
    cluster: Cluster, opened: Callable[[DaskEngine], None], meanwhile: Callable[[DaskEngine], None]
) -> list[int]:
    """Maps some parts; once the first is done, the scheduler is killed and something happens."""
    with open_engine(cluster.address, workers=1) as engine:
        assert isinstance(engine, DaskEngine)
        opened(engine)
        made = engine.map(abs, range(200), label=name)
        results = [next(made)]
        assert cluster.scheduler is not None
        cluster.scheduler.kill()
        cluster.scheduler.wait()
        beside = threading.Thread(target=meanwhile, args=(engine,))
        beside.start()
        try:
            return [*results, *made]
        finally:
            beside.join()


@pytest.mark.cluster
@pytest.mark.faults
@pytest.mark.parametrize("seen", ["connecting", "closed"])
def test_a_job_goes_on_with_a_scheduler_that_comes_back(
    seen: str, cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also where Dask's client has given it up meanwhile, which it does for good."""

    def hurry(engine: DaskEngine) -> None:
        engine.link.client._timeout = WAIT_SECONDS if seen == "connecting" else 1

    def restart(engine: DaskEngine) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while engine.link.client.status != seen:
            assert time.monotonic() < end
            time.sleep(0.01)
        cluster.start_scheduler()
        cluster.start_worker()

    assert work_and_lose_the_scheduler(cluster, hurry, restart) == list(range(200))
    assert capfd.readouterr().err == ""


@pytest.mark.cluster
@pytest.mark.faults
@pytest.mark.parametrize("seen", ["connecting", "closed"])
def test_it_may_as_well_be_lost_between_two_maps(seen: str, cluster: Cluster) -> None:
    with open_engine(cluster.address, workers=1) as engine:
        assert isinstance(engine, DaskEngine)
        assert list(engine.map(abs, range(3), label=name)) == [0, 1, 2]
        engine.link.client._timeout = WAIT_SECONDS if seen == "connecting" else 1
        assert cluster.scheduler is not None
        cluster.scheduler.kill()
        cluster.scheduler.wait()
        end = time.monotonic() + WAIT_SECONDS
        while engine.link.client.status != seen:
            assert time.monotonic() < end
            time.sleep(0.01)
        made = engine.map(abs, range(100), label=name)
        cluster.start_scheduler()
        cluster.start_worker()
        assert list(made) == list(range(100))


@pytest.mark.cluster
@pytest.mark.faults
def test_a_scheduler_that_stands_still_is_waited_for_no_longer_than_said(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_engine(cluster.address, workers=1) as engine:
        assert isinstance(engine, DaskEngine)
        monkeypatch.setattr(pipeline.engine.dask_link, "PATIENCE_SECONDS", 1)
        monkeypatch.setattr(pipeline.engine.dask_link, "_ANSWER_SECONDS", 1)
        # One part out at a time: of two, the worker may do the second first.
        monkeypatch.setattr(pipeline.engine.dask_map, "LEAST_WINDOW", 1)
        monkeypatch.setattr(pipeline.engine.dask_map, "PARTS_A_THREAD", 1)
        made = engine.map(time.sleep, [0, WAIT_SECONDS], label=name)
        next(made)
        assert cluster.scheduler is not None
        cluster.scheduler.send_signal(signal.SIGSTOP)
        with pytest.raises(ClusterError, match=r"^part 300 was not worked on: .* for 1 seconds;"):
            next(made)
        cluster.scheduler.kill()


@pytest.mark.cluster
def test_more_parts_go_out_when_workers_join(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.engine.dask_map, "LEAST_WINDOW", 1)
    monkeypatch.setattr(pipeline.engine.dask_map, "_LOOK_SECONDS", 0)
    with open_engine(cluster.address, workers=1) as engine:
        assert isinstance(engine, DaskEngine)
        pulled: list[int] = []

        def pull() -> Iterator[int]:
            for number in range(60):
                pulled.append(number)
                yield number

        made = engine.map(abs, pull(), label=name)
        assert next(made) == 0
        assert len(pulled) == PARTS_A_THREAD
        cluster.start_worker()
        engine.link.client.wait_for_workers(2)
        out = [len(pulled) - result for result in made]
        assert len(out) == 59
        assert PARTS_A_THREAD < max(out) <= 2 * PARTS_A_THREAD


@pytest.mark.cluster
@pytest.mark.faults
def test_a_scheduler_that_does_not_come_back_is_waited_for_no_longer_than_said(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def hurry(engine: DaskEngine) -> None:
        engine.link.client._timeout = 1
        monkeypatch.setattr(pipeline.engine.dask_link, "PATIENCE_SECONDS", 2)

    with pytest.raises(ClusterError) as caught:
        work_and_lose_the_scheduler(cluster, hurry, lambda _: None)
    said = str(caught.value)
    assert re.match(r"part \d+ was lost with the cluster's scheduler: the scheduler at tcp:", said)
    assert "did not come back in 2 seconds" in said
    assert capfd.readouterr().err == ""


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.engine.dask_link, "CONNECT_SECONDS", 1)
    with (
        pytest.raises(
            ClusterError, match=r"^the scheduler at tcp://127\.0\.0\.1:9 did not answer in 1 sec"
        ),
        open_engine("tcp://127.0.0.1:9", workers=1),
    ):
        pass


@pytest.mark.parametrize(
    "address", ["", "local:", "local:0", "local:x", "127.0.0.1:8786", "http://x"]
)
def test_a_name_that_is_no_cluster_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="expected"), open_engine(address, workers=1):
        pass


def test_without_dask_it_is_said_what_to_install() -> None:
    program = (
        "import sys; sys.modules['distributed'] = None\n"
        "from pipeline.cli import main\n"
        "sys.argv = ['adlake', 'generate', '--cluster', 'local:2']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "adlake: a cluster needs Dask, which is not installed: pip install 'dask[distributed]'\n"
    )


def test_dask_is_not_even_imported_without_a_cluster() -> None:
    program = (
        "import sys\n"
        "from pipeline.engine import open_engine\n"
        "with open_engine(None, workers=2) as engine:\n"
        "    print(list(engine.map(abs, [-1, -2], label=str)))\n"
        "print('dask' in sys.modules, 'distributed' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[1, 2]\nFalse False\n"


def test_a_task_that_would_carry_a_secret_is_never_sent() -> None:
    guard("a-very-secret-text")
    with pytest.raises(AssertionError, match="would carry a secret"):
        pack({"key": "a-very-secret-text"})
