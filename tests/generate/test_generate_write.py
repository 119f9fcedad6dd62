import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline.errors import CommitConflictError, LakeError, StorageError, UsageError
from pipeline.generate.model import RAW
from pipeline.generate.request import GenerateRequest, plan_days
from pipeline.generate.write import GenerateOutcome, generate_days
from pipeline.lake import Lake
from pipeline.manifest import Manifest, manifest_path, parse_manifest_path, read_manifest
from pipeline.storage import LocalStorage

MakeRequest = Callable[..., GenerateRequest]
HashFiles = Callable[[Lake], dict[str, str]]

TODAY = date(2025, 6, 1)
DAY = date(2024, 3, 5)
FOLDER = f"raw/ad_day/date={DAY}"


def generate(lake: Lake, request: GenerateRequest, *, workers: int = 2) -> GenerateOutcome:
    return generate_days(lake, request, today=TODAY, workers=workers)


def read_newest(lake: Lake, day: date = DAY) -> Manifest:
    keys = [parse_manifest_path(entry.path) for entry in lake.storage.list("raw")]
    newest = max(key for key in keys if key is not None and key.date == day)
    path = manifest_path(day=day, account=newest.account, generation=newest.generation)
    return read_manifest(lake.storage.read(path), path=path)


def test_a_day_of_a_million_rows_has_the_same_bytes_at_any_worker_count_and_batch_size(
    tmp_path: Path, make_request: MakeRequest, hash_files: HashFiles
) -> None:
    found = []
    for number, (workers, batch_rows) in enumerate([(1, 2**15), (2, 1_000), (8, 10**6)]):
        lake = Lake(LocalStorage(tmp_path / str(number)))
        generate(lake, make_request(rows=1_000_000, batch_rows=batch_rows), workers=workers)
        found.append(hash_files(lake))

    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 5


def test_a_day_alone_has_the_bytes_it_has_in_the_run_of_its_range(
    tmp_path: Path, make_request: MakeRequest, hash_files: HashFiles
) -> None:
    whole, alone = (Lake(LocalStorage(tmp_path / name)) for name in ("whole", "alone"))
    year = {"start": date(2024, 1, 1), "end": date(2024, 12, 31), "rows": 50_000}

    generate(whole, make_request(**year))
    generate(alone, make_request(**year, only=DAY))

    files = hash_files(alone)
    assert {path.rpartition("/")[0] for path in files} == {FOLDER}
    assert files == {
        path: sha256 for path, sha256 in hash_files(whole).items() if path.startswith(FOLDER)
    }


def test_parts_are_handed_out_a_few_at_a_time_without_a_difference(
    tmp_path: Path,
    make_request: MakeRequest,
    hash_files: HashFiles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = make_request(end=DAY + timedelta(days=10), rows=1_000)
    at_once, few = (Lake(LocalStorage(tmp_path / name)) for name in ("at_once", "few"))
    generate(at_once, request)

    monkeypatch.setattr("pipeline.engine.threads.PARTS_A_WORKER", 1)
    generate(few, request)

    assert hash_files(few) == hash_files(at_once)


def test_rows_per_day_depend_on_no_range(
    tmp_path: Path, make_request: MakeRequest, hash_files: HashFiles
) -> None:
    week, alone = (Lake(LocalStorage(tmp_path / name)) for name in ("week", "alone"))

    generate(week, make_request(start=DAY, end=DAY + timedelta(days=6), rows_per_day=500))
    generate(alone, make_request(rows_per_day=500))

    assert len(hash_files(week)) == 14
    assert hash_files(alone).items() <= hash_files(week).items()


def test_the_rows_asked_for_are_written_and_told(lake: Lake, make_request: MakeRequest) -> None:
    told: list[int] = []
    request = make_request(start=date(2024, 3, 1), end=date(2024, 3, 31), rows=10_007)

    outcome = generate_days(lake, request, today=TODAY, workers=2, on_rows=told.append)

    files = [entry for entry in lake.storage.list("raw") if entry.path.endswith(".parquet")]
    assert (outcome.days_written, outcome.days_unchanged, outcome.rows) == (31, 0, 10_007)
    assert (outcome.files, outcome.size) == (31, sum(entry.size for entry in files))
    assert sum(told) == 10_007
    assert (
        sum(pq.read_metadata(lake.storage.fetch(entry.path)).num_rows for entry in files) == 10_007
    )


def test_generating_again_writes_nothing(
    lake: Lake, make_request: MakeRequest, hash_files: HashFiles
) -> None:
    request = make_request(end=DAY + timedelta(days=2), rows=3_000)
    generate(lake, request)
    before = lake.storage.list("")

    outcome = generate(lake, request)

    assert outcome == GenerateOutcome(days_unchanged=3)
    assert lake.storage.list("") == before


def test_other_content_is_the_next_generation_and_leaves_the_earlier_one(
    lake: Lake, make_request: MakeRequest, hash_files: HashFiles
) -> None:
    generate(lake, make_request(rows=100))
    before = hash_files(lake)

    outcomes = [generate(lake, make_request(rows=rows)) for rows in (200, 200, 100)]

    assert [outcome.days_written for outcome in outcomes] == [1, 0, 1]
    assert before.items() <= hash_files(lake).items()
    newest = read_newest(lake)
    assert (newest.generation, newest.rows) == (2, 100)
    assert f"{FOLDER}/{newest.files[0].name}" in before


def test_a_day_that_loses_all_rows_gets_an_empty_generation_and_others_none(
    lake: Lake, make_request: MakeRequest
) -> None:
    month = {"start": date(2024, 3, 1), "end": date(2024, 3, 31)}
    generate(lake, make_request(**month, rows=31_000))

    outcome = generate(lake, make_request(**month, rows=1))
    again = generate(lake, make_request(**month, rows=1))
    fresh = generate(lake, make_request(**month, rows=1, seed=7))

    assert (outcome.days_written, outcome.rows, outcome.files) == (31, 1, 1)
    assert again == GenerateOutcome(days_unchanged=31)
    assert (fresh.days_written, fresh.days_unchanged) == (1, 0)  # the others are due none
    empty = [read_newest(lake, date(2024, 3, day)) for day in range(1, 32)]
    assert sum(manifest.generation == 1 and manifest.files == () for manifest in empty) >= 29


def test_seeds_live_side_by_side(lake: Lake, make_request: MakeRequest) -> None:
    first = generate(lake, make_request(rows=100, seed=1))
    other = generate(lake, make_request(rows=100, seed=2))

    assert first.days_written == other.days_written == 1
    assert len(lake.storage.list(FOLDER)) == 4


class BrokenStorage(LocalStorage):
    """Cannot write manifests, as if the run had been stopped before."""

    def create(self, path: str, data: bytes) -> None:
        if path.endswith(".json"):
            raise StorageError("stopped")
        super().create(path, data)


def test_a_run_stopped_before_the_manifest_leaves_nothing_visible_and_the_next_one_heals(
    tmp_path: Path, make_request: MakeRequest, hash_files: HashFiles
) -> None:
    request = make_request(rows=100)
    stopped, smooth = Lake(BrokenStorage(tmp_path / "a")), Lake(LocalStorage(tmp_path / "b"))
    with pytest.raises(StorageError, match="stopped"):
        generate(stopped, request)
    left = hash_files(stopped)

    healed = Lake(LocalStorage(tmp_path / "a"))
    outcome = generate(healed, request)
    generate(smooth, request)

    assert [path.rpartition(".")[2] for path in left] == ["parquet"]
    assert outcome.days_written == 1
    assert hash_files(healed) == hash_files(smooth)


class RacedStorage(LocalStorage):
    """Another process generates the same day right before our manifest, `races` times."""

    def __init__(self, root: Path, rivals: list[GenerateRequest]) -> None:
        super().__init__(root)
        self.rivals = rivals

    def create(self, path: str, data: bytes) -> None:
        if path.endswith(".json") and self.rivals:
            generate(Lake(LocalStorage(self.root)), self.rivals.pop())
        super().create(path, data)


def test_a_rival_with_the_same_content_saves_us_the_work(
    tmp_path: Path, make_request: MakeRequest
) -> None:
    request = make_request(rows=100)

    outcome = generate(Lake(RacedStorage(tmp_path, [request])), request)

    assert outcome == GenerateOutcome(days_unchanged=1)


def test_a_rival_with_other_content_is_superseded(
    tmp_path: Path, make_request: MakeRequest
) -> None:
    lake = Lake(RacedStorage(tmp_path, [make_request(rows=200)]))

    outcome = generate(lake, make_request(rows=100))

    assert outcome.days_written == 1
    assert (read_newest(lake).generation, read_newest(lake).rows) == (1, 100)


def test_rivals_without_end_are_an_error_that_may_be_retried(
    tmp_path: Path, make_request: MakeRequest
) -> None:
    rivals = [make_request(rows=200 + number) for number in range(30)]

    with pytest.raises(CommitConflictError, match="20 generations of demo-42"):
        generate(Lake(RacedStorage(tmp_path, rivals)), make_request(rows=100))


def test_a_damaged_file_in_the_way_is_named(lake: Lake, make_request: MakeRequest) -> None:
    generate(lake, make_request(rows=100))
    path = f"{FOLDER}/{read_newest(lake).files[0].name}"
    lake.storage.overwrite(path, b"short")

    with pytest.raises(LakeError, match=re.escape(f"{path} has 5 bytes")):
        generate(lake, make_request(rows=100))


def test_a_broken_manifest_in_the_way_is_named(lake: Lake, make_request: MakeRequest) -> None:
    path = manifest_path(day=DAY, account="demo-42", generation=0)
    lake.storage.create(path, b"{}")

    with pytest.raises(LakeError, match=re.escape(path)):
        generate(lake, make_request(rows=100))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"end": DAY - timedelta(days=1)}, "ends on 2024-03-04, before it starts on 2024-03-05"),
        ({"start": date(1969, 12, 31), "end": DAY}, "expected 1970-01-01 or later"),
        ({"end": TODAY + timedelta(days=1)}, "expected 2025-06-01 .today, UTC. or earlier"),
        ({"rows": 0}, "rows is 0; expected a whole number from 1"),
        ({"rows": -5}, "rows is -5"),
        ({"rows": 10**12 + 1}, "rows is 1000000000001"),
        ({"rows": None, "rows_per_day": 0}, "rows per day is 0"),
        ({"rows_per_day": 10}, "both was given"),
        ({"rows": None}, "neither was given"),
        ({"only": DAY + timedelta(days=1)}, "2024-03-06, is outside the range"),
        ({"seed": -1}, "the seed is -1"),
        ({"seed": 2**63}, "expected a whole number from 0 to 9223372036854775807"),
        ({"locale": "xx_YY"}, "'xx_YY' .* such as es_AR"),
        ({"locale": ""}, "the locale ''"),
        ({"batch_rows": 0}, "batch rows is 0"),
    ],
)
def test_a_refused_request_says_why_and_leaves_nothing(
    lake: Lake, make_request: MakeRequest, wrong: dict, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        generate(lake, make_request(**{"rows": 100, **wrong}))

    assert not Path(lake.uri).exists()


def test_today_itself_may_be_generated(make_request: MakeRequest) -> None:
    assert plan_days(make_request(start=TODAY, rows=7), today=TODAY) == [(TODAY, 7)]


def test_files_hold_the_raw_columns_without_the_date(lake: Lake, make_request: MakeRequest) -> None:
    generate(lake, make_request(rows=70_000))
    newest = read_newest(lake)
    data = lake.storage.fetch(f"{FOLDER}/{newest.files[0].name}")

    file = pq.ParquetFile(data, page_checksum_verification=True)
    groups = [file.metadata.row_group(index) for index in range(file.num_row_groups)]

    assert file.schema_arrow == RAW
    assert "date" not in RAW.names
    assert file.metadata.metadata is None
    assert [group.num_rows for group in groups] == [2**15, 2**15, 70_000 - 2**16]
    columns = [group.column(index) for group in groups for index in range(group.num_columns)]
    assert {column.compression for column in columns} == {"ZSTD", "UNCOMPRESSED"}
    assert {column.physical_type for column in columns} == {"BYTE_ARRAY", "INT64"}
    assert file.read().num_rows == 70_000


def test_duckdb_and_polars_read_exact_decimals(lake: Lake, make_request: MakeRequest) -> None:
    generate(lake, make_request(rows=5_000))
    pattern = f"{lake.uri}/raw/ad_day/*/*.parquet"
    exact = pq.read_table(lake.storage.fetch(f"{FOLDER}/{read_newest(lake).files[0].name}"))
    decimals = ["cost", "revenue", "conversions", "video_view_time", "reported_ctr", "reported_cpc"]

    with duckdb.connect() as connection:
        rows = connection.read_parquet(pattern, hive_partitioning=True)
        types = dict(zip(rows.columns, map(str, rows.types), strict=True))
        by_duckdb = {name: [row[0] for row in rows.select(name).fetchall()] for name in decimals}
    by_polars = pl.scan_parquet(pattern, hive_partitioning=True).collect()

    assert types["date"] == "DATE"
    assert by_polars["date"].unique().to_list() == [DAY]
    for name in decimals:
        assert types[name] == "DECIMAL(18,6)"
        assert by_polars.schema[name] == pl.Decimal(18, 6)
        values = exact[name].to_pylist()
        assert by_duckdb[name] == by_polars[name].to_list() == values
        assert all(isinstance(value, Decimal) for value in values)


def test_another_locale_renames_campaigns_and_changes_no_figure(
    lake: Lake, make_request: MakeRequest
) -> None:
    tables = []
    for generation, locale in enumerate(("es_AR", "ja_JP")):
        generate(lake, make_request(rows=2_000, locale=locale))
        newest = read_newest(lake)
        tables.append(pq.read_table(lake.storage.fetch(f"{FOLDER}/{newest.files[0].name}")))
        assert (newest.locale, newest.generation) == (locale, generation)

    spanish, japanese = tables
    assert spanish["campaign_name"] != japanese["campaign_name"]
    assert spanish.drop(["campaign_name"]) == japanese.drop(["campaign_name"])


class Watched(LocalStorage):
    """A folder that notes what is written and what is forced to the disk, in order."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.done: list[tuple[str, str]] = []

    def create(self, path: str, data: bytes) -> None:
        super().create(path, data)
        self.done.append(("create", path))

    def persist(self, paths: Iterable[str]) -> None:
        paths = list(paths)
        super().persist(paths)
        self.done += [("persist", path) for path in paths]


def test_a_manifest_is_written_when_its_data_is_on_the_disk_and_is_forced_there_itself(
    tmp_path: Path, make_request: MakeRequest
) -> None:
    storage = Watched(tmp_path / "lake")
    generate(Lake(storage), make_request(start=DAY, end=DAY + timedelta(days=2), rows=30))
    for number in range(3):
        day = DAY + timedelta(days=number)
        path = manifest_path(day=day, account="demo-42", generation=0)
        written = storage.done.index(("create", path))
        for file in read_newest(Lake(storage), day).files:
            assert ("persist", f"raw/ad_day/date={day}/{file.name}") in storage.done[:written]
        assert ("persist", path) in storage.done[written:]
