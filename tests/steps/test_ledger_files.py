"""The ledger's files are joined from time to time; what it says of any version stays."""

from datetime import timedelta

import pytest

from pipeline.ledger import FILES_AT_MOST
from pipeline.steps.fsck import fsck
from pipeline.steps.ledger import read_ledger
from pipeline.steps.vacuum import vacuum
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS, Home

MERGES = 2 * FILES_AT_MOST + 2


def bring(home: Home, number: int) -> None:
    write_lot(home.root / f"landing/lots/{number}.csv", [make_line(campaign_id=f"c{number}")])
    home.merge()


def read_numbers(home: Home, version: int | None = None) -> list[int]:
    numbers = read_ledger(home.lake, home.lake.take_snapshot(version).ledger)["n"]
    return numbers.sort().to_list()


@pytest.fixture
def used(home: Home) -> Home:
    for number in range(1, MERGES + 1):
        bring(home, number)
        assert len(home.lake.open_ledger().list_files()) <= FILES_AT_MOST
    return home


def test_each_version_has_the_rows_of_its_merges(used: Home) -> None:
    for version in range(MERGES + 1):
        assert read_numbers(used, version) == list(range(1, version + 1))
    assert fsck(used.lake, settings=SETTINGS).findings == []


def test_a_merge_stopped_before_it_joins_is_caught_up_and_the_next_one_joins(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, FILES_AT_MOST + 1):
        bring(home, number)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.steps.commit.append", stop)
        with pytest.raises(KeyboardInterrupt):
            bring(home, FILES_AT_MOST + 1)
    assert read_numbers(home) == list(range(1, FILES_AT_MOST + 2))
    assert fsck(home.lake, settings=SETTINGS).orphans["ledger"] == 1  # the joined one, unused
    bring(home, FILES_AT_MOST + 2)
    assert read_numbers(home) == list(range(1, FILES_AT_MOST + 3))
    assert len(home.lake.open_ledger().list_files()) == 1
    assert fsck(home.lake, settings=SETTINGS).findings == []


def test_a_vacuum_clears_joined_files_away_and_every_version_reads_as_before(used: Home) -> None:
    before = fsck(used.lake, settings=SETTINGS)
    assert (before.findings, before.orphans["ledger"]) == ([], 0)
    cleared = vacuum(used.lake, settings=SETTINGS, retention=timedelta(0), force=True)
    assert {one.place: one.files for one in cleared}["ledger"] > FILES_AT_MOST
    assert read_numbers(used) == list(range(1, MERGES + 1))
    assert read_numbers(used, MERGES - 1) == list(range(1, MERGES))
    assert fsck(used.lake, settings=SETTINGS).findings == []
    bring(used, MERGES + 1)
    assert read_numbers(used) == list(range(1, MERGES + 2))
