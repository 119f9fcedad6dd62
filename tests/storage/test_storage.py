"""What every storage promises, on a folder and in a bucket."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import ExistsError, MissingError, StorageError, UsageError
from pipeline.storage import Storage, open_storage


def test_what_is_created_can_be_read_listed_and_found(storage: Storage) -> None:
    storage.create("a/b c/é[1].txt", b"data")
    assert storage.read("a/b c/é[1].txt") == b"data"
    (entry,) = storage.list("a")
    assert (entry.path, entry.size, entry.regular) == ("a/b c/é[1].txt", 4, True)
    assert storage.find("a/b c/é[1].txt") == entry
    assert storage.find("a/none") is None


def test_a_create_only_write_refuses_a_second_writer(storage: Storage) -> None:
    storage.create("a", b"first")
    with pytest.raises(ExistsError, match="a: there is a file already"):
        storage.create("a", b"second")
    assert storage.read("a") == b"first"


def test_an_adopted_file_vanishes_from_where_it_was(storage: Storage) -> None:
    with storage.scratch() as folder:
        local = folder / "x"
        local.write_bytes(b"data")
        storage.adopt("a/x", local)
        assert not local.exists()
        local.write_bytes(b"other")
        with pytest.raises(ExistsError):
            storage.adopt("a/x", local)
    assert storage.read("a/x") == b"data"


def test_overwriting_changes_the_etag(storage: Storage) -> None:
    storage.overwrite("a", b"1")
    before = storage.find("a")
    storage.overwrite("a", b"2")
    after = storage.find("a")
    assert before is not None
    assert after is not None
    assert before.etag != after.etag
    assert storage.read("a") == b"2"


def test_hidden_and_unfinished_names_are_not_listed(storage: Storage) -> None:
    storage.create("a/.hidden", b"")
    storage.create(".dir/file", b"")
    storage.create("a/seen", b"")
    assert [entry.path for entry in storage.list("")] == ["a/seen"]


def test_a_listing_can_stay_in_its_folder(storage: Storage) -> None:
    storage.create("top", b"")
    storage.create("a/deep", b"")
    assert [entry.path for entry in storage.list("", recursive=False)] == ["top"]


def test_a_listing_can_begin_after_a_name(storage: Storage) -> None:
    for name in ("1.json", "2.checkpoint", "2.json", "3.json", "_last", "sub/9.json"):
        storage.create(f"log/{name}", b"x")
    found = [one.path for one in storage.list("log", recursive=False, after="2")]
    assert found == ["log/2.checkpoint", "log/2.json", "log/3.json", "log/_last"]
    assert [one.path for one in storage.list("", after="log/3.json")] == [
        "log/_last",
        "log/sub/9.json",
    ]


def test_listing_what_is_not_there_is_empty(storage: Storage) -> None:
    assert list(storage.list("none")) == []


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a\0b"])
def test_no_name_leaves_the_lake(storage: Storage, path: str) -> None:
    with pytest.raises(StorageError, match="not a name inside the lake"):
        storage.create(path, b"")


def test_a_missing_file_is_said_to_be_missing(storage: Storage) -> None:
    with pytest.raises(MissingError, match="a/none"):
        storage.read("a/none")
    with pytest.raises(MissingError, match="a/none"):
        storage.digest("a/none")


def test_a_uri_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="gs"):
        open_storage("gs://bucket/lake")
    for name in ("a?b", "a#b", "a%20b", "a\\b", "a\nb"):
        with pytest.raises(UsageError, match="holds"):
            open_storage(f"/some/{name}")
    assert open_storage("file:///some/lake").uri == "/some/lake"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file", "is a file"),
        ("link", "is a link to .*nowhere, and nothing is there: is a disk not mounted"),
        ("lake/master", "lies in the lake"),
        ("s3:/bucket/lake", "expected s3://bucket/prefix"),
    ],
)
def test_a_root_that_was_not_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "lake.json").touch()
    with pytest.raises(UsageError, match=said):
        open_storage(name)


def test_a_lake_is_opened_also_where_somebody_made_one_around_it(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "lake"):
        folder.mkdir(exist_ok=True)
        (folder / "lake.json").touch()
    assert open_storage(str(tmp_path / "lake")).uri == str(tmp_path / "lake")


def test_fetched_files_hold_the_bytes_of_now(storage: Storage) -> None:
    storage.overwrite("a", b"one")
    storage.create("b", b"two")
    assert [path.read_bytes() for path in storage.fetch_all(["a", "b"])] == [b"one", b"two"]
    storage.overwrite("a", b"three")
    assert storage.fetch("a").read_bytes() == b"three"
    assert storage.digest("a") == hashlib.sha256(b"three").hexdigest()
    with pytest.raises(MissingError, match="none"):
        storage.fetch_all(["a", "none"])


def test_of_writers_at_once_one_wins(storage: Storage) -> None:
    def create(number: int) -> bool:
        try:
            storage.create("a", str(number).encode())
        except ExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    assert storage.read("a") == str(won.index(True)).encode()


def test_an_empty_file_is_a_file(storage: Storage) -> None:
    storage.create("a", b"")
    assert storage.read("a") == storage.fetch("a").read_bytes() == b""


def test_a_probe_of_a_good_place_passes_and_leaves_nothing(storage: Storage) -> None:
    failed = [probe for probe in storage.probe() if not probe.passed]
    assert failed == []
    assert list(storage.list("")) == []


def test_a_file_that_is_deleted_is_gone_and_one_that_is_not_there_is_no_error(
    storage: Storage,
) -> None:
    storage.create("a/b", b"data")
    for _ in range(2):
        storage.delete("a/b")
        assert storage.find("a/b") is None
