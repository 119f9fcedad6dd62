"""What travels to a worker: names and keys, and never credentials or frames of facts."""

import pickle
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from pipeline.contracts import load_contracts
from pipeline.delta.log import Commit
from pipeline.engine.dask_map import pack
from pipeline.export.frames import FrameMaker, _Sharer
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import _Maker
from pipeline.kpi.roll_up import _Roller
from pipeline.lake import Lake, Snapshot
from pipeline.ledger import LedgerPart
from pipeline.merge.delivery import Delivery, Found
from pipeline.merge.plan import Part
from pipeline.schema import LEDGER
from pipeline.staging import StagedFile, _AtLake
from pipeline.steps.batch import gather_batch
from pipeline.steps.ingest import Ingested
from pipeline.steps.read_days import DayReader
from pipeline.steps.read_files import FileReader
from pipeline.steps.read_place import Place
from pipeline.steps.resolve_parts import PartTask, PartWorker
from pipeline.storage import open_storage
from pipeline.storage.s3 import S3Storage

SECRET = "the-callers-secret-0123456789"  # noqa: S105 - of nobody
OTHER = "the-workers-secret-0123456789"
DAY = date(2024, 1, 1)


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake in a bucket that nobody asks for anything."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "caller-key-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return Lake(open_storage("s3://bucket/prefix"))


def load(data: bytes) -> Lake:
    loaded = pickle.loads(data)  # noqa: S301 - these bytes are ours
    assert isinstance(loaded, Lake)
    return loaded


def test_a_pickled_lake_is_its_name(lake: Lake) -> None:
    data = pickle.dumps(lake)
    assert len(data) < 200
    assert b"s3://bucket/prefix" in data
    assert b"key" not in data


def test_who_loads_a_lake_uses_credentials_of_its_own(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pickle.dumps(lake).replace(b"prefix", b"others")  # nobody has opened this one before
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", OTHER)
    storage = load(data).storage
    assert isinstance(storage, S3Storage)
    assert storage.client.chain.take().keys.secret == OTHER


def test_a_loaded_lake_has_copies_of_its_own(lake: Lake) -> None:
    first, second = (load(pickle.dumps(lake)).storage for _ in range(2))
    assert isinstance(first, S3Storage)
    assert isinstance(second, S3Storage)
    assert first.client is second.client
    assert first._copies is not second._copies


def test_the_same_file_in_two_results_is_one_file(lake: Lake) -> None:
    first, second = (
        pickle.loads(pickle.dumps(StagedFile(lake, "a")))  # noqa: S301 - these bytes are ours
        for _ in range(2)
    )
    assert len({first, second, StagedFile(lake, "b")}) == 2


def test_all_functions_that_are_sent_hold_no_secret_and_little_else(lake: Lake) -> None:
    place = Place(lake, ".scratch-cluster/0", None)
    contracts = load_contracts(None)
    make = FrameMaker(lake, ("date",), abs)
    for function in (
        _Maker(lake, GenerateRequest(start=DAY, end=DAY, seed=7, rows=10)),
        DayReader(place, contracts),
        FileReader(place, contracts, 1),
        PartWorker(lake, 1, "0" * 8),
        _Roller(lake, Snapshot(1, Commit(1, 0, "WRITE", {}), (), (), 1, LedgerPart())),
        make,
        _Sharer(make, ".scratch-cluster/0"),
    ):
        data = pack(_AtLake(function, lake, ".scratch-cluster/0/seen"))
        assert SECRET.encode() not in data
        assert b"caller-key-id" not in data
        assert len(data) < 100_000


def test_a_part_takes_along_only_what_it_touches() -> None:
    deliveries = [make_delivery(number) for number in range(1000)]
    results = [
        Ingested(number, "lots", valid=1, spooled=[Path(f"/spool/{number}")])
        for number in range(1000)
    ]
    contracts = load_contracts(None)
    batch = gather_batch(deliveries, results, contracts, pl.DataFrame(schema=pl.Schema(LEDGER)))
    part = Part("2024", "01", date(2024, 1, 1), date(2024, 1, 31), (), (3, 7))
    task = PartTask(part, batch.narrow(part), 0)
    assert sorted(task.batch.deliveries) == sorted(task.batch.results) == [3, 7]
    assert list(task.batch.contracts) == ["lots"]
    assert len(pack(task)) < 10_000
    assert task.label == "merge 2024-01"


def make_delivery(number: int) -> Delivery:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    return Delivery(
        found=Found(f"landing/lots/{number}.csv", 10, "e", moment),
        kind="file",
        source="lots",
        delivered_at=moment,
        delivery_id=str(number),
        sha256=f"{number:064d}",
    )
