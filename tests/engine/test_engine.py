"""Mapping over parts: order kept, errors raised, a dying child contained."""

import errno
import os
import signal

import pytest

from pipeline.engine import Crashed, map_isolated, map_threads


def square(number: int) -> int:
    return number * number


def die_on_two(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


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


def fill_disk(number: int) -> int:
    raise OSError(errno.ENOSPC, "No space left on device", str(number))


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_results_come_in_the_order_of_the_parts(workers: int) -> None:
    assert list(map_threads(square, range(20), workers=workers)) == [n * n for n in range(20)]


@pytest.mark.parametrize("workers", [1, 4])
def test_an_error_in_a_thread_is_raised(workers: int) -> None:
    with pytest.raises(ValueError, match="two"):
        list(map_threads(fail_on_two, range(5), workers=workers))


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


def test_no_parts_start_nothing() -> None:
    assert map_isolated(square, [], workers=2) == []
    assert list(map_threads(square, [], workers=2)) == []
