"""Commands with `--cluster`, and workers that have nothing but the wheel."""

import os
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.engine import LocalEngine, open_engine
from pipeline.engine.cluster import DaskEngine
from pipeline.lake import MASTER_TABLE
from tests.cluster.clusters import start_cluster
from tests.cluster.test_same_bytes import list_files, merge_march
from tests.s3 import clean_environ
from tests.test_wheel import ROOT, build

pytestmark = pytest.mark.cluster

RANGE = ("--start", "2024-01-01", "--end", "2024-01-20", "--rows", "400")


def adlake(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments, "--lake", str(folder / "lake")],
        cwd=folder,
        env=clean_environ() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_commands_do_on_a_cluster_what_they_do_without(tmp_path: Path) -> None:
    made = []
    for name, cluster in (("here", ()), ("there", ("--cluster", "local:1"))):
        folder = tmp_path / name
        folder.mkdir()
        adlake(folder, "generate", *RANGE, *cluster)
        adlake(folder, "merge", *cluster)
        adlake(folder, "rebuild", *cluster)
        adlake(folder, "export", str(folder / "out"), *cluster)
        exported = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
        made.append((list_files(folder / "lake" / MASTER_TABLE), exported))
        assert exported
    assert made[0] == made[1]


def test_workers_need_the_wheel_and_nothing_of_the_checkout(tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(build(ROOT, tmp_path)) as archive:
        archive.extractall(site)
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (
        start_cluster(tmp_path / "cluster", environ, workers=1, source=site) as cluster,
        open_engine(cluster.address, workers=1) as engine,
    ):
        assert isinstance(engine, DaskEngine)
        (found,) = engine.link.client.run(pkgutil.resolve_name, "pipeline:__file__").values()
        assert Path(found).is_relative_to(site)
        made = merge_march(tmp_path / "lake", engine)
    assert made == merge_march(tmp_path / "here", LocalEngine(1))
