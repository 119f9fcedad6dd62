"""What a local folder promises beyond what every storage does."""

import errno
import os
from pathlib import Path

import pytest

from pipeline.errors import DeniedError, ExistsError, MissingError, StorageError
from pipeline.storage import LocalStorage
from pipeline.storage.local import _mapped


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "lake")


def test_a_file_of_another_file_system_is_adopted_as_well(
    storage: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"data")
    real = os.link

    def refuse_other(source: Path, target: Path) -> None:
        if source == other:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(os, "link", refuse_other)
    storage.adopt("a", other)
    assert storage.read("a") == b"data"
    assert not other.exists()


def test_links_are_listed_as_such_and_never_followed(storage: LocalStorage) -> None:
    storage.create("a/file", b"secret")
    (storage.root / "a/link").symlink_to(storage.root / "a/file")
    (storage.root / "loop").symlink_to(storage.root)
    assert [(entry.path, entry.regular) for entry in storage.list("")] == [
        ("a/file", True),
        ("a/link", False),
        ("loop", False),
    ]
    with pytest.raises(StorageError, match="not a regular file"):
        storage.read("a/link")


def test_a_lake_that_cannot_be_made_names_itself_and_the_reason() -> None:
    storage = LocalStorage(Path("/proc/nowhere/lake"))
    with pytest.raises(StorageError, match="/proc/nowhere"):
        storage.create("a/b", b"")
    with pytest.raises(StorageError, match="/proc/nowhere"), storage.scratch():
        pass
    failed = [probe for probe in storage.probe() if not probe.passed]
    assert failed


def test_a_probe_of_a_good_folder_passes_and_leaves_nothing(storage: LocalStorage) -> None:
    assert all(probe.passed for probe in storage.probe())
    assert not storage.root.exists()
    storage.create("a", b"")
    assert all(probe.passed for probe in storage.probe())
    assert [path.name for path in storage.root.iterdir()] == ["a"]


def test_permission_errors_are_told_apart() -> None:
    with pytest.raises(DeniedError, match="x: permission denied"), _mapped("x"):
        raise PermissionError(13, "Permission denied")


def test_nothing_is_left_of_a_scratch_folder_or_a_failed_write(storage: LocalStorage) -> None:
    with storage.scratch() as folder:
        (folder / "x").write_bytes(b"data")
    storage.create("a", b"")
    with pytest.raises(ExistsError):
        storage.create("a", b"")
    assert sorted(path.name for path in storage.root.iterdir()) == ["a"]


def test_what_killed_runs_leave_is_listed_and_goes_with_its_folder(storage: LocalStorage) -> None:
    storage.create("a/b", b"data")
    for path in (".scratch-1/read-1/x", "a/.new-2", "t/_delta_log/0001.json#1", ".other/x"):
        (storage.root / path).parent.mkdir(parents=True, exist_ok=True)
        (storage.root / path).write_bytes(b"x")
    left = [entry.path for entry in storage.list_unfinished()]
    assert left == [".scratch-1/read-1/x", "a/.new-2", "t/_delta_log/0001.json#1"]
    for path in left:
        storage.delete(path)
    assert list(storage.list_unfinished()) == []
    assert sorted(path.name for path in storage.root.iterdir()) == [".other", "a", "t"]
    assert storage.read("a/b") == b"data"


def test_files_can_be_forced_to_the_disk_if_they_are_there(storage: LocalStorage) -> None:
    storage.create("a/b", b"data")
    storage.persist(["a/b"])
    storage.persist([])
    with pytest.raises(MissingError):
        storage.persist(["a/none"])
