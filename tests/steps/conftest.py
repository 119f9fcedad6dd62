"""A fresh lake and the steps on it."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline.lake import Lake
from pipeline.settings import Settings
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import MergeOutcome, merge
from pipeline.storage import LocalStorage

SETTINGS = Settings(workers=2)


@dataclass(frozen=True)
class Home:
    """A lake on a real folder."""

    root: Path
    lake: Lake
    settings: Settings = SETTINGS

    def merge(self) -> MergeOutcome:
        return merge(self.lake, settings=self.settings)

    def read_master(self) -> pl.DataFrame:
        files = self.lake.fetch(self.lake.take_snapshot().file_uris)
        if not files:
            return pl.DataFrame()
        return pl.read_parquet(files, glob=False, hive_partitioning=False)

    def read_ledger(self) -> pl.DataFrame:
        return read_ledger(self.lake, self.lake.take_snapshot().ledger).sort("n", "path")

    def read_rejects(self) -> pl.DataFrame:
        paths = self.read_ledger()["reject_path"].drop_nulls().unique().sort().to_list()
        return pl.concat([pl.read_parquet(self.root / path) for path in paths])

    def sum_with_duckdb(self, expression: str) -> object:
        """A figure as any other engine sees it."""
        files = list(self.lake.take_snapshot().file_uris)
        row = duckdb.sql(f"select {expression} from read_parquet({files!r})").fetchone()
        assert row is not None
        return row[0]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "lake", Lake(LocalStorage(tmp_path / "lake")))
