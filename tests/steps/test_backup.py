"""A copy in the order of docs/operations.md is a whole lake, whatever is merged meanwhile."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import Lake
from pipeline.steps.fsck import fsck
from pipeline.storage import LocalStorage
from tests.docs.documents import read_document
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS, Home

ORDER = "`ledger/_delta_log/`, then `master/_delta_log/`, then\neverything else"
LOGS = ("ledger/_delta_log", "master/_delta_log")


def merge_another(home: Home, numbers: Iterator[int]) -> None:
    number = next(numbers)
    write_lot(
        home.root / f"landing/lots/{number}.csv",
        [make_line(campaign_id=f"{number}-{line}", clicks=number) for line in range(3)],
    )
    assert home.merge().rows == 3 * number


def back_up(lake: Path, copy: Path, *, meanwhile: Callable[[], None]) -> None:
    """Copies a lake as the page says; before each log and within it, others work on the lake."""
    for log in LOGS:
        meanwhile()
        copied: list[str] = []

        def copy_file(source: str, target: str, copied: list[str] = copied) -> None:
            shutil.copyfile(source, target)
            copied.append(source)
            if len(copied) == 1:
                meanwhile()

        shutil.copytree(lake / log, copy / log, copy_function=copy_file)
    ignored = shutil.ignore_patterns("_delta_log", ".scratch-*", "rollup")
    shutil.copytree(lake, copy, ignore=ignored, dirs_exist_ok=True)


def ask(home: Home, version: int) -> list[tuple[object, ...]]:
    with open_kpi_connection(home.lake, home.lake.take_snapshot(version)) as connection:
        return [row for name in ("platform", "quality") for row in run_kpi(connection, name).rows]


@pytest.mark.slow
def test_a_backup_beside_merges_is_whole_and_says_the_same(home: Home, tmp_path: Path) -> None:
    assert ORDER in read_document("docs/operations.md")
    numbers = iter(range(1, 100))
    for _ in range(3):
        merge_another(home, numbers)
    back_up(home.root, tmp_path / "copy", meanwhile=lambda: merge_another(home, numbers))

    restored = Home(tmp_path / "copy", Lake(LocalStorage(tmp_path / "copy")))
    assert fsck(restored.lake, settings=SETTINGS).findings == []
    version, newest = (one.lake.take_snapshot().version for one in (restored, home))
    assert newest - 4 < version < newest
    assert ask(restored, version) == ask(home, version)
    # It goes on as the other did: what was landed meanwhile is merged, and both hold the same.
    restored.merge()
    rows, others = (one.read_master().drop("delivered_at") for one in (restored, home))
    assert rows.equals(others)
    assert fsck(restored.lake, settings=SETTINGS).findings == []
