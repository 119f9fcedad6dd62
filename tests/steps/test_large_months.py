"""A month that several parts work on holds the same rows as one that a single part makes."""

import functools
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
from pipeline.storage import open_storage

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
