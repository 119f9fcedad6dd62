"""What only shows at full size: running again, and a merge in little memory."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import Lake
from pipeline.steps.fsck import fsck
from pipeline.steps.merge import merge
from pipeline.storage import open_storage
from tests.lots import HEADER, make_line, make_lots_frame, write_lots
from tests.steps.conftest import SETTINGS, Home

pytestmark = pytest.mark.faults

CGROUPS = Path("/sys/fs/cgroup/memory")
"""Of Linux' first kind of control groups, which need no more than a folder."""


@pytest.mark.parametrize("where", ["folder", "bucket"])
@pytest.mark.parametrize(
    ("files", "rows"), [(5, 200), pytest.param(50, 10_000, marks=pytest.mark.soak)]
)
def test_merging_again_makes_no_commit_and_no_object(
    request: pytest.FixtureRequest, tmp_path: Path, where: str, files: int, rows: int
) -> None:
    bucket = where == "bucket"
    uri = request.getfixturevalue("s3_uri") if bucket else str(tmp_path / "lake")
    lake = Lake(open_storage(uri))
    for path in write_lots(make_lots_frame(files * rows), tmp_path / "lots", lot_rows=rows):
        lake.storage.create(f"landing/lots/{path.name}", path.read_bytes())
    assert merge(lake, settings=SETTINGS).rows == files * rows
    before = lake.storage.list("")
    for _ in range(2):
        assert merge(lake, settings=SETTINGS).transaction is None
    assert lake.storage.list("") == before
    assert lake.open_master().version == lake.open_ledger().version == 1


@contextlib.contextmanager
def limit_memory(megabytes: int) -> Iterator[Path]:
    """A control group; a process whose number is written to the file may use no more than this."""
    group = CGROUPS / f"adlake-{secrets.token_hex(4)}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(f"{megabytes}M")
    except OSError as error:
        pytest.skip(f"no memory can be limited here: {error}")
    try:
        yield group / "cgroup.procs"
    finally:
        # Children of one that was killed end by themselves, but not at once.
        while numbers := (group / "cgroup.procs").read_text().split():
            for number in numbers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(number), signal.SIGKILL)
            time.sleep(0.1)
        group.rmdir()


def merge_in(root: Path, megabytes: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "merge", "--lake", str(root)]
    with limit_memory(megabytes) as procs:
        return subprocess.run(
            ["/bin/sh", "-c", f'echo $$ > {procs} && exec "$0" "$@"', *command],
            env={**os.environ, "ADLAKE_WORKERS": "2", "ADLAKE_QUIET": "0"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.parametrize(
    ("rows", "lot", "too_little"),
    [(50_000, 1_000, 250), pytest.param(5_000_000, 10_000, 300, marks=pytest.mark.soak)],
)
def test_a_small_lot_comes_into_a_big_master_in_little_memory(
    home: Home, rows: int, lot: int, too_little: int
) -> None:
    """The lot touches each day of the year, so that all of the master is written anew."""
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(366)]
    request = GenerateRequest(start=days[0], end=days[-1], seed=1, rows=rows)
    generate_days(home.lake, request, today=date(2025, 1, 1), workers=2)
    home.merge()
    version = home.lake.open_master().version
    lines = [
        make_line(campaign_id=f"c{number}", date=days[number % len(days)]) for number in range(lot)
    ]
    data = "\n".join([HEADER, *lines, ""]).encode()
    home.lake.storage.create("landing/lots/delivered=2025-01-01/lot.csv", data)
    refused = merge_in(home.root, too_little)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"adlake: this process may use {too_little} MB of memory;")
    assert refused.stderr.count("\n") == 1
    assert home.lake.open_master().version == version
    done = merge_in(home.root, 1_500)
    assert done.returncode == 0, done.stderr
    assert home.lake.take_snapshot().rows == rows + lot
    assert fsck(home.lake, settings=SETTINGS).findings == []
