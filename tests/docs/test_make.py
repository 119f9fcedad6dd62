"""What `make` does, really done: the main job in a folder and in a bucket, the list of parts."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.docs.documents import ROOT
from tests.docs.licences import list_locked
from tests.s3 import clean_environ, find_ports

pytestmark = pytest.mark.slow

ONLY_ON_WINDOWS = {"colorama", "tzdata"}
"""What requirements/core.txt locks for another system than the tests run on."""

MAKE = shutil.which("make") or "make"
STAMPS = ("tools", "core", "dev", "project")
FEW = "--rows 500 --start 2024-01-01 --end 2024-01-05"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the Makefile and the environment of the tests, and nothing of a checkout."""
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def make(folder: Path, *arguments: str) -> str:
    """Runs `make`, which takes the environment as it is: it would install another checkout."""
    done = subprocess.run(
        [MAKE, *(f"--old-file=.venv/.stamp-{name}" for name in STAMPS), *arguments],
        cwd=folder,
        env=clean_environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_make_run_does_the_main_job_on_the_lake_that_is_named(folder: Path) -> None:
    said = make(folder, "run", f"ADLAKE_URI={folder / 'mine'}", f"ARGS={FEW}")
    assert "500 rows in, 0 out; master at version 1" in said
    assert (folder / "mine" / "reports" / "latest.html").exists()
    assert (folder / "exports" / "marketing_master_dataset.csv").exists()
    assert not (folder / "lake").exists()


def test_the_server_of_make_s3_takes_the_main_job_until_it_is_stopped(folder: Path) -> None:
    port, *others = find_ports(5)
    names = ("master", "filer", "volume", "admin")
    ports = " ".join(f"-{name}.port={one}" for name, one in zip(names, others, strict=True))
    server = (f"S3_PORT={port}", f"S3_ARGS={ports}")
    try:
        exports = dict(
            re.findall(r"^  export (\w+)=(\S+)$", make(folder, "s3", *server), re.MULTILINE)
        )
        assert "it runs already" in make(folder, "s3", *server)
        assert "500 rows in, 0 out" in make(folder, "run-s3", f"ARGS={FEW}", *server)
        status = subprocess.run(
            [sys.executable, "-m", "pipeline", "status"],
            cwd=folder,
            env=clean_environ() | {"PYTHONPATH": str(ROOT)} | exports,
            capture_output=True,
            text=True,
            check=True,
        )
        assert re.search(r"^lake +s3://lake/main$", status.stdout, re.MULTILINE)
        assert re.search(r"^master_rows +500$", status.stdout, re.MULTILINE)
    finally:
        make(folder, "s3-stop")
    # Its last connections may hold the port for a while, but nobody answers.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    assert not (folder / ".s3" / "pid").exists()


def test_make_sbom_lists_what_is_locked_and_what_needs_what(folder: Path) -> None:
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    make(folder, "sbom")
    listed = json.loads((folder / "build" / "sbom.json").read_text(encoding="utf-8"))
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["name"] == "adlake"
    found = {canonicalize_name(one["name"]): one["version"] for one in listed["components"]}
    assert found == {
        package: version
        for package, version in list_locked("core").items()
        if package not in ONLY_ON_WINDOWS
    }
    needed = {one["ref"]: one.get("dependsOn", []) for one in listed["dependencies"]}
    assert any("duckdb" in ref for ref in needed[listed["metadata"]["component"]["bom-ref"]])
