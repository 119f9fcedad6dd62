"""The same work on this machine and on clusters of 1, 2 and 4 workers: the same bytes."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipeline.engine import Engine, LocalEngine, open_engine
from pipeline.export.run import export_csv, export_parquet
from pipeline.export.target import FolderTarget
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.kpi.catalogue import list_kpis, run_kpi
from pipeline.kpi.views import open_kpi_connection
from pipeline.lake import MASTER_TABLE, Lake
from pipeline.settings import Settings
from pipeline.steps.fsck import fsck
from pipeline.steps.generate_messy import generate_messy
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import merge
from pipeline.steps.rebuild import rebuild
from pipeline.steps.report import roll_up
from pipeline.storage import open_storage

SETTINGS = Settings(workers=2)
TODAY = date(2025, 1, 1)
FIRST = GenerateRequest(start=date(2024, 1, 20), end=date(2024, 3, 10), seed=7, rows=2000)
SECOND = GenerateRequest(start=date(2024, 2, 10), end=date(2024, 2, 20), seed=7, rows=900)
MESSY = GenerateRequest(start=date(2024, 1, 20), end=date(2024, 2, 10), seed=7, rows=600)

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
