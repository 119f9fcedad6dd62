"""A month that several parts work on holds the same rows as one that a single part makes."""

import functools
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import Lake
from pipeline.merge.plan import plan_parts
from pipeline.settings import Settings
from pipeline.steps.fsck import fsck
from pipeline.steps.merge import merge
from pipeline.storage import LocalStorage, open_storage

SETTINGS = Settings(workers=2)
TODAY = date(2025, 1, 1)
RANGES = [
    GenerateRequest(start=date(2024, 1, 1), end=date(2024, 2, 10), seed=7, rows=4000),
    GenerateRequest(start=date(2024, 1, 5), end=date(2024, 1, 7), seed=7, rows=900),
    GenerateRequest(start=date(2024, 1, 20), end=date(2024, 2, 20), seed=7, rows=2500),
]


def test_a_month_in_many_parts_is_the_month_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = merge_all(tmp_path / "whole")
    monkeypatch.setattr(
        "pipeline.steps.transaction.plan_parts", functools.partial(plan_parts, part_rows=500)
    )
    cut = merge_all(tmp_path / "cut")
    assert len(cut.take_snapshot().files) > len(whole.take_snapshot().files) == 2
    assert read(whole).equals(read(cut))


def test_each_file_of_a_month_is_fetched_as_often_however_many_slices_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for slice_rows in (1_000_000, 100):
        monkeypatch.setattr("pipeline.steps.part_rows.SLICE_ROWS", slice_rows)
        storage = CountingStorage(tmp_path / str(slice_rows))
        for request in RANGES:
            storage.fetched.clear()
            generate_days(Lake(storage), request, today=TODAY)
            merge(Lake(storage), settings=SETTINGS)
        counts.append([times for path, times in storage.fetched.items() if "/month=" in path])
    assert counts[0] == counts[1] != []


class CountingStorage(LocalStorage):
    """A folder that counts how often each file is fetched."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fetched: Counter[str] = Counter()

    def fetch(self, path: str) -> Path:
        self.fetched[path] += 1
        return super().fetch(path)


def merge_all(root: Path) -> Lake:
    lake = Lake(open_storage(str(root)))
    for request in RANGES:
        generate_days(lake, request, today=TODAY, workers=2)
        merge(lake, settings=SETTINGS)
        assert fsck(lake, settings=SETTINGS).findings == []
    return lake


def read(lake: Lake) -> pl.DataFrame:
    rows = pl.read_parquet(lake.fetch(lake.take_snapshot().file_uris))
    return rows.sort(rows.columns)
