"""The same work on this machine and on clusters of 1, 2 and 4 workers: the same bytes."""

import os
import pickle
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

import pipeline.steps.transaction
from pipeline.engine import Engine, LocalEngine, open_engine
from pipeline.engine.cluster import DaskEngine
from pipeline.engine.dask_map import pack
from pipeline.export.run import export_csv, export_parquet
from pipeline.export.target import FolderTarget
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.kpi.catalogue import list_kpis, run_kpi
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import MASTER_TABLE, Lake
from pipeline.merge.plan import plan_parts
from pipeline.settings import Settings
from pipeline.steps.fsck import fsck
from pipeline.steps.generate_messy import generate_messy
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import merge
from pipeline.steps.rebuild import rebuild
from pipeline.steps.report import roll_up
from pipeline.steps.resolve_parts import PartResult, PartTask, PartWorker
from pipeline.storage import open_storage

SETTINGS = Settings(workers=2)
TODAY = date(2025, 1, 1)
FIRST = GenerateRequest(start=date(2024, 1, 20), end=date(2024, 3, 10), seed=7, rows=2000)
SECOND = GenerateRequest(start=date(2024, 2, 10), end=date(2024, 2, 20), seed=7, rows=900)
MESSY = GenerateRequest(start=date(2024, 1, 20), end=date(2024, 2, 10), seed=7, rows=600)

MARCH = GenerateRequest(start=date(2024, 3, 1), end=date(2024, 3, 31), seed=7, rows=3000)

Part = TypeVar("Part")
Result = TypeVar("Result")

COUNTED = (
    *("n", "path", "outcome", "reason", "rows_in", "control", "accepted", "quarantined"),
    *("duplicates", "superseded"),
)
"""What the ledger says of a file whoever read it."""


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake in which nothing is merged yet, with delivered files of many platforms."""
    root = tmp_path_factory.mktemp("deliveries") / "lake"
    generate_messy(Lake(open_storage(str(root))), MESSY, today=TODAY)
    return root


@pytest.fixture(scope="module")
def of_one_machine(deliveries: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return work(deliveries, tmp_path_factory.mktemp("here"), LocalEngine(2))


def work(deliveries: Path, folder: Path, engine: Engine) -> dict[str, object]:
    """Generates, merges twice, rebuilds and exports; gives all that must not differ."""
    root = folder / "lake"
    shutil.copytree(deliveries, root)
    lake = Lake(open_storage(str(root)))
    generate_days(lake, FIRST, today=TODAY, engine=engine)
    merge(lake, settings=SETTINGS, engine=engine)
    generate_days(lake, SECOND, today=TODAY, engine=engine)
    merge(lake, settings=SETTINGS, engine=engine)
    merged = list_files(root / MASTER_TABLE)
    rebuild(lake, settings=SETTINGS, engine=engine)
    snapshot = lake.take_snapshot()
    rolled_up = roll_up(lake, snapshot, settings=SETTINGS, engine=engine)
    assert roll_up(lake, snapshot, settings=SETTINGS, engine=engine) == 0
    out = [FolderTarget(folder / "out")]
    export_csv(lake, snapshot, targets=out, lots=300, engine=engine)
    export_parquet(lake, snapshot, targets=out, engine=engine)
    assert fsck(lake, settings=SETTINGS).findings == []
    assert [path for path in root.iterdir() if path.name.startswith(".")] == []
    with open_kpi_connection(lake, snapshot) as connection:
        # The quality of sources says when they were merged.
        names = set(list_kpis()) - {"quality"}
        kpis = {name: run_kpi(connection, name) for name in names}
    account = read_ledger(lake, snapshot.ledger)
    return {
        "account": account.select(COUNTED).sort("n", "path").to_dicts(),
        "raw": {
            str(path.relative_to(root)): path.read_bytes() for path in (root / "raw").rglob("*.*")
        },
        "merged": merged,
        "rebuilt": list_files(root / MASTER_TABLE),
        "rejects": sorted(name.rpartition("-")[2] for name in list_names(root / "quarantine")),
        "rolled up": rolled_up,
        "rollups": sorted(path.read_bytes() for path in (root / "rollup").rglob("*.parquet")),
        "exports": {path.name: path.read_bytes() for path in (folder / "out").iterdir()},
        "kpis": kpis,
    }


def list_files(folder: Path) -> list[str]:
    """Partition and hash of each data file: the rest of its name is the run's."""
    return sorted(
        f"{path.parent.relative_to(folder)}/{path.name.rpartition('-')[2]}"
        for path in folder.rglob("*.parquet")
        if "_delta_log" not in path.parts
    )


def list_names(folder: Path) -> Iterator[str]:
    return (path.name for path in folder.rglob("*.parquet"))


@pytest.mark.cluster
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_cluster_makes_the_same_bytes_as_one_machine(
    workers: int, deliveries: Path, of_one_machine: dict[str, object], tmp_path: Path
) -> None:
    with open_engine(f"local:{workers}", workers=1) as engine:
        made = work(deliveries, tmp_path, engine)
    for name, content in of_one_machine.items():
        assert made[name] == content, name


@dataclass
class TwiceEngine:
    """Works on each part twice, as a cluster does where an answer got lost.

    Attributes:
        workers: As in `Engine`.
        is_remote: Likewise: so parts share what they make as the workers of a cluster do.
        sizes: Bytes of each result, as they would travel.
    """

    workers: int = 1
    is_remote: bool = True
    sizes: list[int] = field(default_factory=list)

    def map(
        self,
        function: Callable[[Part], Result],
        parts: Iterable[Part],
        *,
        label: Callable[[Part], str],
        lanes: int = 1,
    ) -> Iterator[Result]:
        sent = pack(function)
        for number, part in enumerate(parts):
            data = pack(part)
            both = [pickle.dumps(pickle.loads(sent)(pickle.loads(data))) for _ in range(2)]  # noqa: S301 - these bytes are ours
            self.sizes.append(max(map(len, both)))
            yield pickle.loads(both[number % 2])  # noqa: S301 - likewise


@pytest.mark.slow
def test_parts_that_are_done_twice_make_the_same_lake_as_done_once(
    deliveries: Path, of_one_machine: dict[str, object], tmp_path: Path
) -> None:
    made = work(deliveries, tmp_path, TwiceEngine())
    for name, content in of_one_machine.items():
        assert made[name] == content, name


@pytest.mark.slow
def test_results_are_keys_and_counts_and_do_not_grow_with_the_rows(tmp_path: Path) -> None:
    def measure(rows: int) -> int:
        engine = TwiceEngine()
        lake = Lake(open_storage(str(tmp_path / str(rows))))
        request = GenerateRequest(start=MARCH.start, end=MARCH.end, seed=7, rows=rows)
        generate_days(lake, request, today=TODAY, engine=engine)
        merge(lake, settings=SETTINGS, engine=engine)
        roll_up(lake, lake.take_snapshot(), settings=SETTINGS, engine=engine)
        return max(engine.sizes)

    few, many = measure(1_000), measure(200_000)
    assert many < 1.2 * few
    assert many < 50_000


def split_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a month of more than some hundred rows one that is split."""
    split = partial(plan_parts, part_rows=500)
    monkeypatch.setattr(pipeline.steps.transaction, "plan_parts", split)


def merge_march(root: Path, engine: Engine) -> list[str]:
    lake = Lake(open_storage(str(root)))
    generate_days(lake, MARCH, today=TODAY, engine=engine)
    merge(lake, settings=SETTINGS, engine=engine)
    assert fsck(lake, settings=SETTINGS).findings == []
    return list_files(root / MASTER_TABLE)


@pytest.mark.cluster
def test_a_month_that_is_split_is_the_same_on_a_cluster(
    dask_engine: DaskEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    split_months(monkeypatch)
    made = merge_march(tmp_path / "cluster", dask_engine)
    assert len(made) > 4
    assert made == merge_march(tmp_path / "here", LocalEngine(2))


@dataclass(frozen=True)
class DyingWorker:
    """Writes a part's files and kills its worker before it can say so; the next one may live."""

    worker: PartWorker
    flag: Path

    def __call__(self, task: PartTask) -> PartResult:
        result = self.worker(task)
        try:
            self.flag.touch(exist_ok=False)
        except FileExistsError:
            return result
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


@pytest.mark.cluster
@pytest.mark.faults
def test_a_worker_that_dies_after_it_wrote_a_part_leaves_the_bytes_of_one_machine(
    dask_engine: DaskEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    split_months(monkeypatch)
    here = merge_march(tmp_path / "here", LocalEngine(2))

    def make_worker(lake: Lake, transaction: int, run: str, *, ahead: int) -> DyingWorker:
        return DyingWorker(PartWorker(lake, transaction, run, ahead=ahead), tmp_path / "died")

    monkeypatch.setattr(pipeline.steps.transaction, "PartWorker", make_worker)
    assert merge_march(tmp_path / "cluster", dask_engine) == here
    assert (tmp_path / "died").exists()
