"""Mapping over parts: order kept, errors raised, a dying child contained."""

import contextlib
import errno
import itertools
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipeline.engine import (
    Crashed,
    LocalEngine,
    limited_memory,
    map_ahead,
    map_isolated,
    map_threads,
)
from pipeline.engine.threads import PARTS_A_WORKER


def square(number: int) -> int:
    return number * number


def die_on_two(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def sign_and_die_on_two(path: Path) -> int:
    """Leaves the number of its process in a file."""
    path.write_text(str(os.getpid()))
    return die_on_two(int(path.name))


def fail_on_two(number: int) -> int:
    if number == 2:
        raise ValueError("two")
    return number


def panic_on_two(number: int) -> int:
    class Panic(BaseException):
        """Of a class that pickle cannot find again."""

    if number == 2:
        raise Panic
    return number


def loop_on_two(number: int) -> int:
    while number == 2:
        pass
    return number


def sleep_on_two(number: int) -> int:
    if number == 2:
        time.sleep(1.5)  # three times its CPU seconds, and none of them used
    return number


def fill_memory_on_two(number: int) -> int:
    """Asks for 8 GB in native code, which ends the process where there is a limit."""
    if number == 2:
        return len(pl.select(pl.int_range(0, 1 << 30, dtype=pl.Int64)))
    return number


def allow_half_a_second(number: int) -> float:
    return 0.5


def read_frame(number: int) -> int:
    return int(pl.DataFrame({"a": range(100_000)}).group_by(pl.col("a") % 10).len().height)


def fill_disk(number: int) -> int:
    raise OSError(errno.ENOSPC, "No space left on device", str(number))


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_results_come_in_the_order_of_the_parts(workers: int) -> None:
    assert list(map_threads(square, range(20), workers=workers)) == [n * n for n in range(20)]


@pytest.mark.parametrize("workers", [1, 4])
def test_an_error_in_a_thread_is_raised(workers: int) -> None:
    with pytest.raises(ValueError, match="two"):
        list(map_threads(fail_on_two, range(5), workers=workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_engine_pulls_parts_only_a_few_ahead_of_the_results_that_are_taken(
    workers: int,
) -> None:
    pulled = []

    def pull() -> Iterator[int]:
        for number in itertools.count(1):
            pulled.append(number)
            yield number

    with contextlib.closing(LocalEngine(workers).map(square, pull(), label=str)) as results:
        for number in range(1, 50):
            assert next(results) == number * number
            assert len(pulled) <= number + PARTS_A_WORKER * workers


def test_parts_that_nobody_began_are_left_when_a_map_is_closed() -> None:
    begun = []

    def dawdle(number: int) -> int:
        begun.append(number)
        time.sleep(0.5 if number else 0)
        return number

    results = LocalEngine(2).map(dawdle, range(100), label=str)
    assert next(results) == 0
    results.close()

    assert len(begun) < PARTS_A_WORKER * 2
    assert list(results) == []


def test_parts_that_nobody_began_are_left_when_one_fails() -> None:
    begun = []

    def fail(number: int) -> int:
        begun.append(number)
        time.sleep(0.5 if number else 0)
        return fail_on_two(2 - number)

    with pytest.raises(ValueError, match="two"):
        list(LocalEngine(2).map(fail, range(100), label=str))

    assert len(begun) < PARTS_A_WORKER * 2


def test_a_child_that_dies_takes_no_other_part_down() -> None:
    results = map_isolated(die_on_two, range(5), workers=2)
    assert [results[n] for n in (0, 1, 3, 4)] == [0, 1, 3, 4]
    assert isinstance(results[2], Crashed)


def test_a_part_that_fails_in_its_child_takes_no_other_down() -> None:
    results = map_isolated(fail_on_two, range(5), workers=2)
    assert results == [0, 1, Crashed("ValueError: two"), 3, 4]


def test_a_panic_that_cannot_be_pickled_stays_in_its_child() -> None:
    results = map_isolated(panic_on_two, range(4), workers=2)
    assert [results[n] for n in (0, 1, 3)] == [0, 1, 3]
    assert isinstance(results[2], Crashed)


def test_a_failure_of_the_machine_is_raised() -> None:
    with pytest.raises(OSError, match="No space left"):
        map_isolated(fill_disk, range(2), workers=1)


class Deadly:
    """A part that ends a child before that can begin with it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (3,)


def test_a_child_that_cannot_begin_is_no_fault_of_its_part() -> None:
    with pytest.raises(OSError, match="a child process died at its start, with exit code 3"):
        map_isolated(repr, [Deadly()], workers=1)


def test_a_child_does_not_run_the_program_that_it_is_started_by(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "assert __name__ == '__main__'\n"
        "import sys\n"
        "from pipeline.engine import map_isolated\n"
        "from tests.engine.test_engine import square\n"
        "print(map_isolated(square, [1, 2, 3], workers=2))\n"
        "assert sys.modules['__main__'].map_isolated is map_isolated\n",
        encoding="utf-8",
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, program], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[1, 4, 9]\n", "")


def test_no_parts_start_nothing() -> None:
    assert map_isolated(square, [], workers=2) == []
    assert list(map_threads(square, [], workers=2)) == []


def test_a_part_that_never_ends_is_given_up_by_its_cpu_time_and_the_others_are_done() -> None:
    results = map_isolated(loop_on_two, range(5), workers=2, cpu_seconds=allow_half_a_second)
    assert [results[n] for n in (0, 1, 3, 4)] == [0, 1, 3, 4]
    assert results[2] == Crashed("the process that read it took more than 0.5 CPU seconds")


def test_waiting_takes_no_cpu_time() -> None:
    results = map_isolated(sleep_on_two, range(3), workers=2, cpu_seconds=allow_half_a_second)
    assert results == [0, 1, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process asks for")
def test_memory_is_bounded_within_a_block_and_no_longer() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(MemoryError), limited_memory(8 << 30):
        bytearray(16 << 30)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process asks for")
def test_a_part_that_wants_all_memory_is_given_up_and_the_others_are_done() -> None:
    results = map_isolated(fill_memory_on_two, range(4), workers=2, memory_bytes=2 << 30)
    assert [results[n] for n in (0, 1, 3)] == [0, 1, 3]
    assert isinstance(results[2], Crashed)


def test_work_within_the_limits_is_not_disturbed() -> None:
    results = map_isolated(
        read_frame,
        range(20),
        workers=2,
        cpu_seconds=allow_half_a_second,
        memory_bytes=2 << 30,
    )
    assert results == [10] * 20


def test_one_bad_part_among_many_makes_few_of_them_run_alone(tmp_path: Path) -> None:
    parts = [tmp_path / str(number) for number in range(200)]
    results = map_isolated(sign_and_die_on_two, parts, workers=2)
    assert [number for number, result in enumerate(results) if result != number] == [2]
    children = {path.read_text() for path in parts}
    assert len(children) < 20


def test_a_failure_of_the_machine_is_raised_from_a_part_that_runs_alone(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        map_isolated(die_once_then_fill_disk, [tmp_path / "died"], workers=1)


def die_once_then_fill_disk(died: Path) -> int:
    if not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return fill_disk(1)


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_what_is_made_ahead_comes_in_order_and_never_further_ahead(ahead: int) -> None:
    begun: list[int] = []

    def make(number: int) -> int:
        begun.append(number)
        return square(number)

    taken = 0
    for result in map_ahead(make, range(20), ahead=ahead):
        assert result == square(taken)
        taken += 1
        assert len(begun) <= taken + ahead
    assert taken == 20


@pytest.mark.parametrize("ahead", [0, 2])
def test_an_error_ends_what_is_made_ahead(ahead: int) -> None:
    made = map_ahead(fail_on_two, range(100), ahead=ahead)
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(made)
