"""Builders for the generator's tests."""

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.generate.model import RAW, Market, open_market, stream_day
from pipeline.generate.request import GenerateRequest
from pipeline.generate.vocabulary import Vocabulary
from pipeline.lake import Lake
from pipeline.storage import LocalStorage

# Not Faker's: the model's tests shall not depend on its version.
WORDS = Vocabulary(advertisers=("Uno", "Dos, e Hijos", "Tres"), themes=("Verano", "Ñandú"))
DAY = date(2024, 3, 5)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(LocalStorage(tmp_path / "lake"))


@pytest.fixture
def make_market() -> Callable[[int], Market]:
    return lambda seed: open_market(seed=seed, vocabulary=WORDS)


@pytest.fixture
def make_day(make_market: Callable[[int], Market]) -> Callable[..., pa.Table]:
    """Makes a day as a table of plain types."""

    def build(*, seed: int = 42, day: date = DAY, rows: int, batch_rows: int = 2**15) -> pa.Table:
        batches = stream_day(make_market(seed), day, rows=rows, batch_rows=batch_rows)
        return pa.Table.from_batches(batches).cast(RAW)

    return build


@pytest.fixture
def make_request() -> Callable[..., GenerateRequest]:
    def build(*, start: date = DAY, end: date | None = None, **others: object) -> GenerateRequest:
        return GenerateRequest(**{"start": start, "end": end or start, "seed": 42, **others})

    return build


@pytest.fixture
def hash_files() -> Callable[[Lake], dict[str, str]]:
    """The sha256 of every file in a lake."""

    def build(lake: Lake) -> dict[str, str]:
        return {
            entry.path: hashlib.sha256(lake.storage.read(entry.path)).hexdigest()
            for entry in lake.storage.list("")
        }

    return build
