"""Errors of the disk: each is said as it is, the lake stays readable, and the next run goes on."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.lake import Lake
from pipeline.steps.fsck import fsck
from pipeline.storage import LocalStorage
from tests.lots import make_line, make_lots_frame, write_lot, write_lots
from tests.steps.conftest import SETTINGS, Home
from tests.steps.strace import count_calls, needs_strace, run_adlake

pytestmark = pytest.mark.faults

ROWS = 20_000
LARGEST_KB = 8_000


@contextmanager
def mount_small(folder: Path) -> Iterator[None]:
    """A file system in memory, whose size can be changed."""
    mount = shutil.which("mount")
    folder.mkdir()
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        # Lazily: it may be busy where a child that read a file of it is only just ending.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607 - as mount is


def resize(folder: Path, kilobytes: int) -> None:
    size = f"remount,size={kilobytes}k"
    subprocess.run(["mount", "-o", size, str(folder)], check=True)  # noqa: S607 - likewise


def try_merge(home: Home) -> str:
    """What a merge says where it fails; '' where it does not."""
    try:
        home.merge()
    except StorageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "sizes",
    [
        [3_000, 6_000, 6_700],
        pytest.param(range(2_400, LARGEST_KB, 280), marks=pytest.mark.soak),
    ],
    ids=["few", "twenty"],
)
def test_a_full_disk_is_said_and_survived(tmp_path: Path, sizes: list[int]) -> None:
    lots = tmp_path / "lots"
    write_lots(make_lots_frame(ROWS), lots, lot_rows=5_000)
    with mount_small(tmp_path / "disk"):
        for size in sizes:
            root = tmp_path / "disk/lake"
            resize(root.parent, size)
            shutil.copytree(lots, root / "landing/lots")
            home = Home(root, Lake(LocalStorage(root)))
            write_lot(root / "landing/lots/first.csv", [make_line()])
            said = try_merge(home)
            assert said == "" or "No space left on device" in said
            resize(root.parent, 3 * LARGEST_KB)
            home.merge()
            assert home.lake.take_snapshot().rows == ROWS + 1
            assert fsck(home.lake, settings=SETTINGS).findings == []
            shutil.rmtree(root)


def test_a_full_disk_under_a_lake_that_is_there_leaves_its_version_as_it_was(
    tmp_path: Path,
) -> None:
    with mount_small(tmp_path / "disk"):
        root = tmp_path / "disk/lake"
        home = Home(root, Lake(LocalStorage(root)))
        write_lot(root / "landing/lots/first.csv", [make_line()])
        home.merge()
        write_lots(make_lots_frame(5_000), root / "landing/lots", lot_rows=5_000)
        used = sum(path.stat().st_blocks for path in root.rglob("*")) // 2
        resize(root.parent, used + 200)
        done = run_adlake(root, "merge")
        assert done.returncode == 4, done.stderr
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") == 1
        assert home.lake.take_snapshot().rows == 1
        resize(root.parent, LARGEST_KB)
        assert home.merge().rows == 5_001


def run_on_bucket(
    environ: dict[str, str], uri: str, *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *words, "--lake", uri],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_of_a_lake_in_a_bucket_the_temporary_folder_is_named_that_is_full(
    tmp_path: Path, s3_environ: dict[str, str], s3_uri: str
) -> None:
    """So full that no folder can be made, nor a lot copied, nor its rows spooled."""
    write_lots(make_lots_frame(ROWS), tmp_path / "lots", lot_rows=ROWS)
    lot_kb = max(path.stat().st_size for path in (tmp_path / "lots").iterdir()) // 1_024
    assert run_on_bucket(s3_environ, s3_uri, "land", str(tmp_path / "lots")).returncode == 0
    disk = tmp_path / "disk"
    environ = s3_environ | {"TMPDIR": str(disk)}
    with mount_small(disk):
        for size, used in ((16, 8), (64, 0), (lot_kb + 200, 0)):
            resize(disk, size)
            filler = disk / "filler"
            filler.write_bytes(bytes(used << 10))
            done = run_on_bucket(environ, s3_uri, "merge")
            filler.unlink()
            assert list(disk.iterdir()) == []
            assert done.returncode == StorageError.exit_code
            assert f"{disk} (TMPDIR): No space left on device" in done.stderr
            assert done.stderr.count("\n") == 1
            assert "s3:" not in done.stderr
        resize(disk, 3 * LARGEST_KB)
        done = run_on_bucket(environ, s3_uri, "merge")
        assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def home_with_work(home: Home) -> Home:
    """A lake with one merge behind and one before it."""
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.merge()
    write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
    return home


def check_refusal(
    done: subprocess.CompletedProcess[str], home: Home, number: int, *, rows: int = 1
) -> None:
    assert done.returncode == 4, done.stderr
    assert os.strerror(number).lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert home.lake.take_snapshot().rows == rows
    assert home.merge().rows == 2
    assert fsck(home.lake, settings=SETTINGS).findings == []


@needs_strace
@pytest.mark.parametrize("name", ["EIO", "ENOSPC", "EDQUOT"])
def test_an_error_at_the_log_entry_is_no_conflict_and_is_not_tried_again(
    home_with_work: Home, tmp_path: Path, name: str
) -> None:
    entry = home_with_work.root / "master/_delta_log/00000000000000000002.json"
    inject = [f"inject=link,linkat:error={name}", "-e", "trace=link,linkat", "-P", str(entry)]
    trace = tmp_path / "trace"
    done = run_adlake(home_with_work.root, "merge", strace=["-o", str(trace), "-e", *inject])
    assert trace.read_text().count("INJECTED") == 1
    check_refusal(done, home_with_work, getattr(errno, name))


@needs_strace
def test_an_error_of_fsync_is_said_and_nothing_is_committed(
    home_with_work: Home, tmp_path: Path
) -> None:
    inject = ["-o", str(tmp_path / "trace"), "-e", "inject=fsync:error=EIO:when=1"]
    done = run_adlake(home_with_work.root, "merge", strace=[*inject, "-e", "trace=fsync"])
    check_refusal(done, home_with_work, errno.EIO)


@needs_strace
def test_a_folder_that_may_not_be_written_to_is_named(home_with_work: Home, tmp_path: Path) -> None:
    entry = home_with_work.root / "master/_delta_log/00000000000000000002.json"
    inject = ["inject=link,linkat:error=EACCES", "-e", "trace=link,linkat", "-P", str(entry)]
    done = run_adlake(
        home_with_work.root, "merge", strace=["-o", str(tmp_path / "trace"), "-e", *inject]
    )
    check_refusal(done, home_with_work, errno.EACCES)
    assert "master" in done.stderr


@pytest.mark.parametrize(
    ("limit", "number"), [("--nofile=24", errno.EMFILE), ("--fsize=3000", errno.EFBIG)]
)
def test_limits_of_files_are_said_as_they_are(
    home_with_work: Home, limit: str, number: int
) -> None:
    done = run_adlake(home_with_work.root, "merge", limits=[limit])
    check_refusal(done, home_with_work, number)


@needs_strace
def test_a_commit_is_forced_to_the_disk(home_with_work: Home, tmp_path: Path) -> None:
    calls = count_calls(home_with_work.root, tmp_path / "trace", ("fsync",), "merge")
    data, log_entries, folders = 2, 2, 4
    assert calls["fsync"] >= data + log_entries + folders
