"""upgrade: a lake of an older format is moved step by step; a newer one is refused."""

import json

import pytest

from pipeline.errors import EmptyLakeError, FormatError
from pipeline.lake import FIRST_FORMAT, FORMAT_VERSION, Lake
from pipeline.steps.upgrade import STEPS, upgrade
from tests.steps.conftest import Home


def write_format(home: Home, number: int) -> None:
    home.lake.initialise()
    (home.root / "lake.json").write_text(json.dumps({"format": number}))


def test_a_lake_of_this_format_stays_as_it_is(home: Home) -> None:
    home.lake.initialise()
    before = home.lake.storage.list("")
    assert upgrade(home.lake) == (FORMAT_VERSION, FORMAT_VERSION)
    assert home.lake.storage.list("") == before


def test_an_older_lake_is_moved_and_each_step_is_noted_when_it_is_done(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.lake.FIRST_FORMAT", FORMAT_VERSION - 2)
    write_format(home, FORMAT_VERSION - 2)
    with pytest.raises(FormatError, match="adlake upgrade"):
        home.lake.take_snapshot()
    seen: list[int] = []

    def step(lake: Lake) -> None:
        seen.append(lake.read_format())

    def fail(lake: Lake) -> None:
        raise KeyboardInterrupt

    first, second = FORMAT_VERSION - 2, FORMAT_VERSION - 1
    with pytest.raises(KeyboardInterrupt):
        upgrade(home.lake, steps={first: step, second: fail})
    assert home.lake.read_format() == second
    assert upgrade(home.lake, steps={first: step, second: step}) == (second, FORMAT_VERSION)
    assert seen == [first, second]
    assert home.lake.take_snapshot().rows == 0


def test_a_format_from_before_the_first_release_is_refused_by_all(home: Home) -> None:
    write_format(home, FIRST_FORMAT - 1)
    said = f"format {FIRST_FORMAT - 1}, from before the first release.*land its files in a new lake"
    with pytest.raises(FormatError, match=said):
        upgrade(home.lake)
    with pytest.raises(FormatError, match=said):
        home.lake.take_snapshot()
    assert set(STEPS) == set(range(FIRST_FORMAT, FORMAT_VERSION))


def test_a_newer_lake_and_a_place_without_one_are_refused(home: Home) -> None:
    with pytest.raises(EmptyLakeError, match="holds no lake"):
        upgrade(home.lake)
    write_format(home, 99)
    with pytest.raises(FormatError, match="install a newer one"):
        upgrade(home.lake)
