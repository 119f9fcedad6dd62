"""The promises of a storage, on a local folder."""

import errno
import os
from pathlib import Path

import pytest

from pipeline.errors import DeniedError, ExistsError, MissingError, StorageError, UsageError
from pipeline.storage import LocalStorage, open_storage
from pipeline.storage.local import _mapped


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "lake")


def test_what_is_created_can_be_read_listed_and_found(storage: LocalStorage) -> None:
    storage.create("a/b c/é[1].txt", b"data")
    assert storage.read("a/b c/é[1].txt") == b"data"
    (entry,) = storage.list("a")
    assert (entry.path, entry.size, entry.regular) == ("a/b c/é[1].txt", 4, True)
    assert storage.find("a/b c/é[1].txt") == entry
    assert storage.find("a/none") is None


def test_a_create_only_write_refuses_a_second_writer(storage: LocalStorage) -> None:
    storage.create("a", b"first")
    with pytest.raises(ExistsError, match="a: there is a file already"):
        storage.create("a", b"second")
    assert storage.read("a") == b"first"


def test_an_adopted_file_vanishes_from_where_it_was(storage: LocalStorage) -> None:
    with storage.scratch() as folder:
        local = folder / "x"
        local.write_bytes(b"data")
        storage.adopt("a/x", local)
        assert not local.exists()
        local.write_bytes(b"other")
        with pytest.raises(ExistsError):
            storage.adopt("a/x", local)
    assert storage.read("a/x") == b"data"


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


def test_overwriting_changes_the_etag(storage: LocalStorage) -> None:
    storage.overwrite("a", b"1")
    before = storage.find("a")
    storage.overwrite("a", b"2")
    after = storage.find("a")
    assert before is not None
    assert after is not None
    assert before.etag != after.etag
    assert storage.read("a") == b"2"


def test_hidden_and_unfinished_names_are_not_listed(storage: LocalStorage) -> None:
    storage.create("a/.hidden", b"")
    storage.create(".dir/file", b"")
    storage.create("a/seen", b"")
    assert [entry.path for entry in storage.list("")] == ["a/seen"]


def test_a_listing_can_stay_in_its_folder(storage: LocalStorage) -> None:
    storage.create("top", b"")
    storage.create("a/deep", b"")
    assert [entry.path for entry in storage.list("", recursive=False)] == ["top"]


def test_listing_what_is_not_there_is_empty(storage: LocalStorage) -> None:
    assert list(storage.list("none")) == []


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a\0b"])
def test_no_name_leaves_the_lake(storage: LocalStorage, path: str) -> None:
    with pytest.raises(StorageError, match="not a name inside the lake"):
        storage.create(path, b"")


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


def test_a_missing_file_is_said_to_be_missing(storage: LocalStorage) -> None:
    with pytest.raises(MissingError, match="a/none"):
        storage.read("a/none")
    with pytest.raises(MissingError, match="a/none"):
        storage.digest("a/none")


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


def test_a_file_that_is_deleted_is_gone_and_one_that_is_not_there_is_no_error(
    storage: LocalStorage,
) -> None:
    storage.create("a/b", b"data")
    for _ in range(2):
        storage.delete("a/b")
        assert storage.find("a/b") is None


def test_files_can_be_forced_to_the_disk_if_they_are_there(storage: LocalStorage) -> None:
    storage.create("a/b", b"data")
    storage.persist(["a/b"])
    storage.persist([])
    with pytest.raises(MissingError):
        storage.persist(["a/none"])


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


def test_a_uri_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="gs"):
        open_storage("gs://bucket/lake")
    for name in ("a?b", "a#b", "a%20b", "a\\b", "a\nb"):
        with pytest.raises(UsageError, match="holds"):
            open_storage(f"/some/{name}")
    assert open_storage("file:///some/lake").uri == "/some/lake"


def test_permission_errors_are_told_apart() -> None:
    with pytest.raises(DeniedError, match="x: permission denied"), _mapped("x"):
        raise PermissionError(13, "Permission denied")
