"""What versions need, and what nobody needs."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from pipeline.care.needed import find_needs, find_unneeded
from pipeline.delta.entry import LogEntry

NOW = datetime(2026, 1, 10, tzinfo=UTC)
ENTRIES = [
    LogEntry(at_ms=0),
    LogEntry(at_ms=10, adds={"year=2024/month=01/a": 1, "year=2024/month=02/b": 2}),
    LogEntry(
        at_ms=20,
        adds={"year=2024/month=01/c": 3},
        removes=frozenset({"year=2024/month=01/a"}),
    ),
    LogEntry(at_ms=30),
]
JANUARY = ("2024", "01")
FEBRUARY = ("2024", "02")


class File(NamedTuple):
    path: str
    modified_at: datetime


def test_a_version_is_needed_until_the_next_one_is_older_than_the_moment() -> None:
    assert find_needs(ENTRIES, since_ms=15).paths == {
        "year=2024/month=01/a",
        "year=2024/month=02/b",
        "year=2024/month=01/c",
    }
    newest = find_needs(ENTRIES, since_ms=25)
    assert newest.paths == {"year=2024/month=01/c", "year=2024/month=02/b"}
    assert newest.newest == {"year=2024/month=01/c": 3, "year=2024/month=02/b": 2}


def test_each_state_of_a_month_is_known_once() -> None:
    assert find_needs(ENTRIES, since_ms=0).months == {
        (JANUARY, ("year=2024/month=01/a",)),
        (JANUARY, ("year=2024/month=01/c",)),
        (FEBRUARY, ("year=2024/month=02/b",)),
    }


def test_a_young_file_stays_whatever_it_is() -> None:
    old, young = NOW - timedelta(days=1), NOW
    files = [File("b", old), File("a", old), File("c", young), File("d", old)]
    assert find_unneeded(files, {"d"}, before=NOW) == ["a", "b"]


@given(
    steps=st.lists(st.tuples(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9))), max_size=8),
    since=st.integers(-1, 9),
)
def test_what_any_version_since_then_held_is_needed_and_nothing_else(
    steps: list[tuple[set[int], set[int]]], since: int
) -> None:
    entries = [
        LogEntry(number, {f"f{one}": 1 for one in adds}, frozenset(f"f{one}" for one in removes))
        for number, (adds, removes) in enumerate(steps)
    ]
    states: list[set[str]] = []
    held: set[str] = set()
    for entry in entries:
        held = (held - entry.removes) | entry.adds.keys()
        states.append(held)
    expected: set[str] = set().union(*states[max(min(since, len(states) - 1), 0) :])
    assert find_needs(entries, since_ms=since).paths == expected
