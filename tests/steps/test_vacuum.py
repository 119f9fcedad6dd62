"""vacuum: garbage goes, nothing that a version within the retention needs does."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.delta.table import Table
from pipeline.errors import CommitConflictError, EmptyLakeError, UsageError
from pipeline.steps.fsck import fsck
from pipeline.steps.report import roll_up
from pipeline.steps.vacuum import Cleared, vacuum
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS, Home

DAY = 86_400


def land(home: Home, name: str) -> None:
    write_lot(home.root / f"landing/lots/{name}.csv", [make_line(campaign_id=name)])


def clear(home: Home, **arguments: Any) -> dict[str, int]:
    cleared: list[Cleared] = vacuum(home.lake, settings=SETTINGS, **arguments)
    return {one.place: one.files for one in cleared if one.files}


def age(root: Path, days: float, *, pattern: str = "**/*") -> None:
    """Makes files older than they are; folders too."""
    for path in root.glob(pattern):
        moment = path.stat().st_mtime - days * DAY
        os.utime(path, (moment, moment))


def list_names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def kill_at_commit(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge that ends where its files are written and its commit is not made."""

    def die(table: Table, **_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Table, "commit", die)
        with pytest.raises(KeyboardInterrupt):
            home.merge()


@pytest.fixture
def used(home: Home) -> Home:
    """Two merges of one month, each with a rollup."""
    for name in ("a", "b"):
        land(home, name)
        home.merge()
        roll_up(home.lake, home.lake.take_snapshot(), settings=SETTINGS)
    return home


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.faults)])
def test_what_killed_runs_left_goes_and_nothing_else(
    used: Home, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    before = list_names(used.root)
    for number in range(kills):
        write_lot(used.root / "landing/lots/late.csv", [make_line(campaign_id=f"k{number}")])
        kill_at_commit(used, monkeypatch)
    scratch = used.root / ".scratch-left/read-1"
    scratch.mkdir(parents=True)
    (scratch / "0-0").write_bytes(b"x")
    (used.root / "rollup/.new-1234").write_bytes(b"x")
    (used.root / "master/_delta_log/00000000000000000009.json#1").write_bytes(b"x")
    age(used.root, 8)
    age(used.root, 8, pattern=".*/**/*")
    assert clear(used) == {"master": kills, "ledger": kills, "unfinished": 3}
    assert list_names(used.root) - {"landing/lots/late.csv"} == before
    assert not scratch.parent.exists()
    assert clear(used) == {}
    assert fsck(used.lake, settings=SETTINGS).findings == []


def test_replaced_files_stay_while_a_version_of_the_last_days_needs_them(used: Home) -> None:
    age(used.root, 8)  # their names are old, but the versions that need them are not
    assert clear(used) == {}
    assert used.lake.take_snapshot(1).rows == 1


def test_with_force_only_the_newest_version_stays(used: Home) -> None:
    assert clear(used, retention=timedelta(0), force=True, dry_run=True) == {
        "master": 1,
        "rollup": 2,
    }
    assert clear(used, retention=timedelta(0), force=True) == {"master": 1, "rollup": 2}
    assert fsck(used.lake, settings=SETTINGS).findings == []
    assert used.lake.take_snapshot().rows == 2


@pytest.mark.parametrize("days", [0, 6.99])
def test_a_short_retention_is_refused_without_force(used: Home, days: float) -> None:
    with pytest.raises(UsageError, match="--force"):
        clear(used, retention=timedelta(days=days))


def test_what_lies_in_landing_and_exports_is_never_touched(used: Home) -> None:
    other = [used.root / name for name in ("exports/x.csv", "reports/x.html", "raw/ad_day/x")]
    for path in other:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    age(used.root, 1000)
    clear(used, retention=timedelta(0), force=True)
    assert all(path.exists() for path in other)
    assert (used.root / "landing/lots/a.csv").exists()


def test_a_ledger_file_that_only_a_commit_names_stays(
    used: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Table.commit

    def fail_on_ledger(table: Table, **arguments: Any) -> None:
        if table.uri.endswith("ledger"):
            raise CommitConflictError("killed between the two commits")
        real(table, **arguments)

    land(used, "c")
    with monkeypatch.context() as patch:
        patch.setattr(Table, "commit", fail_on_ledger)
        used.merge()
    assert used.lake.open_ledger().transaction < used.lake.open_master().transaction
    age(used.root, 8)
    clear(used, retention=timedelta(0), force=True)
    assert used.read_ledger().height == 3
    assert fsck(used.lake, settings=SETTINGS).findings == []


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.faults) for number in range(1, 20))]
)
def test_an_old_orphan_goes_while_a_merge_is_at_work_and_the_merges_files_stay(
    used: Home, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    land(used, "orphan")
    kill_at_commit(used, monkeypatch)
    age(used.root, 8, pattern="master/**/00000003-*")
    real = Table.commit
    cleared: list[dict[str, int]] = []

    def clear_first(table: Table, **arguments: Any) -> None:
        cleared.append(clear(used))
        real(table, **arguments)

    land(used, f"late{number}")
    monkeypatch.setattr(Table, "commit", clear_first)
    assert used.merge().rows == 4
    assert cleared[0] == {"master": 1}
    assert fsck(used.lake, settings=SETTINGS).findings == []


def test_a_vacuum_of_a_lake_without_a_table_says_so(home: Home) -> None:
    with pytest.raises(EmptyLakeError):
        clear(home)
