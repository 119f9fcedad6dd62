"""A lake of each format that an adlake has written is read, carried on and moved: row 43's promise.

`<format>/lake` was written by the adlake of its time, and `<format>/answers` is what that one said.
"""

import csv
import io
import shutil
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable

from pipeline.lake import FORMAT_VERSION, MASTER_TABLE, Lake
from pipeline.schema import AD_DAY
from pipeline.steps.fsck import fsck
from pipeline.steps.rebuild import rebuild
from pipeline.steps.upgrade import upgrade
from pipeline.storage import LocalStorage
from tests.exports import make_google_export
from tests.formats.make_lake import QUESTIONS, ask
from tests.steps.conftest import SETTINGS, Home

HERE = Path(__file__).parent
PLAIN = {str, int, date}
"""Types of one spelling each, to order rows by."""

FORMATS = sorted(int(path.name) for path in HERE.iterdir() if path.name.isdigit())


@pytest.fixture(params=FORMATS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """A copy of the lake of a format, moved to that of today."""
    shutil.copytree(HERE / str(request.param) / "lake", tmp_path / "lake")
    home = Home(tmp_path / "lake", Lake(LocalStorage(tmp_path / "lake")))
    assert upgrade(home.lake) == (request.param, FORMAT_VERSION)
    return home


def find_answers(home: Home, request: pytest.FixtureRequest) -> Path:
    return HERE / str(request.node.callspec.params["old"]) / "answers"


def read_rows(answers: Path) -> list[dict[str, str]]:
    return read_csv((answers / "rows.csv").read_text(encoding="utf-8"))


def test_there_is_a_witness_of_the_format_of_today() -> None:
    assert FORMATS[-1] == FORMAT_VERSION


CHANGED_SINCE = {"quality.csv": {"days_behind"}}
"""Columns that mean something else now, as the changelog says under *Changed numbers*."""


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_says_what_it_said_then(old: Home, name: str, request: pytest.FixtureRequest) -> None:
    """Columns that have come since may stand beside those of then."""
    then = read_csv((find_answers(old, request) / name).read_text(encoding="utf-8"))
    now = read_csv(ask(old.root, *QUESTIONS[name]))
    columns = [column for column in then[0] if column not in CHANGED_SINCE.get(name, ())]
    assert [pick(row, columns) for row in now] == [pick(row, columns) for row in then]


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def pick(row: dict[str, str], columns: list[str]) -> list[str]:
    return [row[column] for column in columns]


def test_it_is_whole_and_rebuilds_to_the_same_rows(old: Home) -> None:
    assert fsck(old.lake, settings=SETTINGS).findings == []
    before = old.read_master().sort("source", "campaign_name", "date", "line")
    rebuild(old.lake, settings=SETTINGS)
    assert old.read_master().sort("source", "campaign_name", "date", "line").equals(before)
    assert fsck(old.lake, settings=SETTINGS).findings == []


def test_it_knows_what_was_merged_and_takes_what_is_new(
    old: Home, request: pytest.FixtureRequest
) -> None:
    rows = len(read_rows(find_answers(old, request)))
    assert old.merge().accounts == ()
    make_google_export("pt").write(old.root / "landing/google_ads/delivered=2024-02-03T060000Z")
    assert len(old.merge().accounts) == 1
    assert old.lake.take_snapshot().rows == rows  # it says the same of the same days
    assert fsck(old.lake, settings=SETTINGS).findings == []


def test_other_readers_see_the_same_rows(old: Home, request: pytest.FixtureRequest) -> None:
    """In all columns; Delta's own library says which files there are, and others read them."""
    then = read_rows(find_answers(old, request))
    names = list(then[0])
    master = str(old.root / MASTER_TABLE)
    files = DeltaTable(master).file_uris()
    in_duckdb = f"select {', '.join(names)} from read_parquet({files!r})"
    readers: dict[str, pa.Table] = {
        "duckdb": duckdb.sql(in_duckdb).to_arrow_table(),
        "polars": pl.read_delta(master).select(names).to_arrow(),
        "arrow": ds.dataset(files).to_table(names),
    }
    assert {"cost", "revenue", "conversions", "video_view_time", "reported_cpc"} <= {*names}
    wanted = [tuple(parse_cell(name, text) for name, text in row.items()) for row in then]
    assert any(isinstance(cell, Decimal) for row in wanted for cell in row)
    for name, table in readers.items():
        assert all(
            pa.types.is_decimal(table.schema.field(field.name).type)
            for field in AD_DAY
            if field.name in names and pa.types.is_decimal(field.type)
        ), name
        found = [tuple(row.values()) for row in table.to_pylist()]
        assert order(found) == order(wanted), name


def parse_cell(column: str, text: str) -> Any:
    """What a cell of the CSV says; of a text that is missing or empty it says the same."""
    kind = AD_DAY.field(column).type
    if pa.types.is_string(kind) or not text:
        return text or None
    if pa.types.is_date(kind):
        return date.fromisoformat(text)
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(text)
    return Decimal(text) if pa.types.is_decimal(kind) else int(text)


def order(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in one order, an empty text as a missing one."""
    plain = [tuple(None if cell == "" else cell for cell in row) for row in rows]
    return sorted(plain, key=lambda row: [str(cell) for cell in row if type(cell) in PLAIN])
