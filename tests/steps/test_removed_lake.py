"""The lake's folder is removed while a merge is at work: it says so, and makes nothing anew."""

import pkgutil
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import AdlakeError
from pipeline.lake import Lake
from pipeline.ledger import append
from pipeline.steps.fsck import fsck
from pipeline.storage import LocalStorage
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS, Home
from tests.steps.strace import needs_strace, run_adlake

MOMENTS = [
    "pipeline.steps.transaction.Reader.read",
    "pipeline.steps.transaction.PartWorker.__call__",
    "pipeline.merge.write.Writer.place",
    "pipeline.merge.write.Writer.write_ledger",
    "pipeline.delta.table.Table.commit",
    "pipeline.steps.commit.append",
]


@pytest.fixture
def waiting(home: Home) -> Home:
    """A lake with one merge behind and one before it."""
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.merge()
    write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
    return home


def merge_but_at(
    home: Home, monkeypatch: pytest.MonkeyPatch, moment: str, act: Callable[[], object]
) -> str:
    """What a merge says when something happens right before one of its functions is called."""
    real = pkgutil.resolve_name(moment)

    def act_first(*positional: Any, **named: Any) -> Any:
        patch.undo()
        act()
        return real(*positional, **named)

    with monkeypatch.context() as patch:
        patch.setattr(moment, act_first)
        with pytest.raises(AdlakeError) as caught:
            home.merge()
    return str(caught.value)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_removed_lake_is_said_to_be_gone_and_not_made_anew(
    waiting: Home, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    said = merge_but_at(waiting, monkeypatch, moment, lambda: shutil.rmtree(waiting.root))
    assert "gone" in said, said
    assert str(waiting.root) in said, said
    assert not waiting.root.exists()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_lake_that_was_moved_away_and_back_goes_on(
    waiting: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    away = tmp_path / "away"
    merge_but_at(waiting, monkeypatch, moment, lambda: waiting.root.rename(away))
    away.rename(waiting.root)
    home = Home(waiting.root, Lake(LocalStorage(waiting.root)))
    home.merge()
    assert home.read_master()["campaign_id"].n_unique() == home.lake.take_snapshot().rows == 2
    assert fsck(home.lake, settings=SETTINGS).findings == []


def test_a_master_that_is_removed_before_its_commit_is_not_begun_anew(
    waiting: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment, folder = "pipeline.delta.table.Table.commit", waiting.root / "master"
    said = merge_but_at(waiting, monkeypatch, moment, lambda: shutil.rmtree(folder))
    assert "gone" in said, said
    assert str(folder) in said, said
    assert not folder.exists()


def test_a_ledger_that_is_removed_after_the_masters_commit_is_told_of_and_not_begun_anew(
    waiting: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = waiting.root / "ledger"

    def remove_first(*positional: Any, **named: Any) -> None:
        shutil.rmtree(folder)
        append(*positional, **named)

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.steps.commit.append", remove_first)
        assert waiting.merge().version == 2
    assert "version 2 of the master is committed and stands" in caplog.text
    assert f"{folder} is gone" in caplog.text
    assert not folder.exists()


@pytest.mark.parametrize(("table", "hint"), [("master", "adlake rebuild"), ("ledger", "backup")])
def test_a_lake_without_one_of_its_tables_is_refused_with_what_to_do(
    waiting: Home, table: str, hint: str
) -> None:
    shutil.rmtree(waiting.root / table)
    with pytest.raises(AdlakeError, match=hint) as caught:
        waiting.merge()
    assert str(waiting.root / table) in str(caught.value)
    assert not (waiting.root / table).exists()


@needs_strace
def test_the_name_of_a_new_lake_is_forced_to_the_disk(tmp_path: Path) -> None:
    """Also those of the folders above it that were made for it."""
    root = tmp_path / "new/lakes/lake"
    lots = tmp_path / "lots"
    write_lot(lots / "a.csv", [make_line()])
    for folder in (tmp_path, tmp_path / "new", tmp_path / "new/lakes"):
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
        trace = tmp_path / "trace"
        strace = ["-o", str(trace), "-e", "trace=fsync", "-P", str(folder)]
        assert run_adlake(root, "land", str(lots), strace=strace).returncode == 0
        assert "fsync" in trace.read_text(), folder
