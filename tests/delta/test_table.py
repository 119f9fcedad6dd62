"""Commits on a Delta table: strict compare-and-swap, pinned handles."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from pipeline.delta.log import DataFile
from pipeline.delta.table import CHECKPOINT_EVERY, Table, create_table, open_table
from pipeline.errors import CommitConflictError, EmptyLakeError, LakeError, StorageError
from pipeline.schema import AD_DAY, MASTER, PARTITION_COLUMNS
from pipeline.storage import LocalStorage


def make_file(root: Path, name: str) -> DataFile:
    path = f"year=2024/month=01/{name}.parquet"
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(AD_DAY.empty_table(), root / path)
    days = (date(2024, 1, 1), date(2024, 1, 31))
    size = (root / path).stat().st_size
    return DataFile(path, size, 3, {"year": "2024", "month": "01"}, *days)


def reopen(root: Path) -> Table:
    table = open_table(LocalStorage(root.parent), root.name, MASTER)
    assert table is not None
    return table


def add(table: Table, file: DataFile, *, number: int) -> None:
    table.commit(adds=[file], removes=[], transaction=number, metadata={"n": number})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    create_table(LocalStorage(tmp_path), "t", MASTER, partition_by=PARTITION_COLUMNS)
    return tmp_path / "t"


@pytest.mark.parametrize("number", [1, 2])
def test_a_stale_handle_never_commits_whatever_number_it_claims(root: Path, number: int) -> None:
    stale = reopen(root)
    add(reopen(root), make_file(root, "first"), number=1)
    with pytest.raises(CommitConflictError):
        add(stale, make_file(root, "second"), number=number)
    assert [file.path for file in reopen(root).list_files()] == ["year=2024/month=01/first.parquet"]


def test_a_commit_from_outside_meanwhile_refuses_ours(root: Path) -> None:
    stale = reopen(root)
    foreign = make_file(root, "foreign")
    action = AddAction(foreign.path, foreign.size, dict(foreign.partition), 0, True, "{}")
    DeltaTable(str(root)).create_write_transaction(
        [action], "append", MASTER, partition_by=list(PARTITION_COLUMNS)
    )
    with pytest.raises(CommitConflictError):
        add(stale, make_file(root, "ours"), number=1)
    assert reopen(root).transaction == 0


def test_a_number_that_is_there_already_is_refused(root: Path) -> None:
    add(reopen(root), make_file(root, "first"), number=1)
    with pytest.raises(CommitConflictError, match="transaction 1 is there already"):
        add(reopen(root), make_file(root, "second"), number=1)


def test_only_files_of_this_version_can_be_removed(root: Path) -> None:
    with pytest.raises(LakeError, match="is not in version 0"):
        reopen(root).commit(adds=[], removes=[make_file(root, "never")], transaction=1, metadata={})


def test_a_handle_stays_at_its_version(root: Path) -> None:
    old = reopen(root)
    add(reopen(root), make_file(root, "first"), number=1)
    assert (old.version, old.transaction, old.list_files()) == (0, 0, [])


def test_the_commits_of_a_handle_are_those_up_to_its_version(root: Path) -> None:
    add(reopen(root), make_file(root, "first"), number=1)
    old = reopen(root)
    for number in (2, 3):
        add(reopen(root), make_file(root, f"f{number}"), number=number)
    pinned = open_table(LocalStorage(root.parent), root.name, MASTER, version=1)
    assert pinned is not None
    for table in (old, pinned):
        found = [(commit.version, commit.metadata.get("n")) for commit in table.read_commits()]
        assert found == [(1, 1), (0, None)]
        assert table.read_newest_commit().metadata == {"n": 1}
    assert [commit.version for commit in reopen(root).read_commits(2)] == [3, 2]


def test_files_come_back_as_they_were_committed(root: Path) -> None:
    file = make_file(root, "first")
    add(reopen(root), file, number=1)
    table = reopen(root)
    assert table.list_files() == [file]
    assert table.read_newest_commit().metadata == {"n": 1}


def test_a_checkpoint_is_written_every_few_commits(root: Path) -> None:
    commits = CHECKPOINT_EVERY + 1
    for number in range(1, commits + 1):
        assert (root / "_delta_log/_last_checkpoint").exists() == (number > CHECKPOINT_EVERY)
        add(reopen(root), make_file(root, f"f{number}"), number=number)
    assert (root / f"_delta_log/{CHECKPOINT_EVERY:020d}.checkpoint.parquet").exists()
    assert len(reopen(root).list_files()) == reopen(root).transaction == commits


@pytest.mark.parametrize("pointer", [None, b"", b"{}", b'{"version": 99}', b'{"version": 0}'])
def test_a_pointer_that_is_lost_or_wrong_only_costs_time(root: Path, pointer: bytes | None) -> None:
    for number in range(1, 2 * CHECKPOINT_EVERY + 2):
        add(reopen(root), make_file(root, f"f{number}"), number=number)
    path = root / "_delta_log/_last_checkpoint"
    path.unlink()
    if pointer is not None:
        path.write_bytes(pointer)
    table = reopen(root)
    assert len(table.list_files()) == table.transaction == 2 * CHECKPOINT_EVERY + 1
    add(table, make_file(root, "next"), number=table.transaction + 1)


def test_a_checkpoint_that_cannot_be_written_is_left_to_the_next_commit(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("no room")

    for number in range(1, CHECKPOINT_EVERY + 1):
        with monkeypatch.context() as patch:
            patch.setattr(LocalStorage, "overwrite", refuse)
            add(reopen(root), make_file(root, f"f{number}"), number=number)
    assert "no room; the next commit tries again" in caplog.text
    assert not (root / "_delta_log/_last_checkpoint").exists()
    add(reopen(root), make_file(root, "next"), number=CHECKPOINT_EVERY + 1)
    assert (root / f"_delta_log/{CHECKPOINT_EVERY + 1:020d}.checkpoint.parquet").exists()


def test_every_version_can_be_opened_whether_a_checkpoint_is_near_or_not(root: Path) -> None:
    commits = 2 * CHECKPOINT_EVERY
    for number in range(1, commits + 1):
        add(reopen(root), make_file(root, f"f{number}"), number=number)
    for version in range(commits + 1):
        table = open_table(LocalStorage(root.parent), root.name, MASTER, version=version)
        assert table is not None
        assert (table.version, table.transaction, len(table.list_files())) == (version,) * 3


def test_a_second_maker_of_a_table_gets_the_first_ones(root: Path) -> None:
    add(reopen(root), make_file(root, "first"), number=1)
    create_table(LocalStorage(root.parent), root.name, MASTER, partition_by=PARTITION_COLUMNS)
    assert reopen(root).version == 1


def test_of_many_makers_at_once_one_makes_the_table(tmp_path: Path) -> None:
    rounds, makers = 10, 4
    barrier = Barrier(makers)

    def make(_: int) -> list[int]:
        made = []
        for number in range(rounds):
            barrier.wait()
            storage = LocalStorage(tmp_path)
            create_table(storage, f"t{number}", MASTER, partition_by=PARTITION_COLUMNS)
            made.append(reopen(tmp_path / f"t{number}").version)
        return made

    with ThreadPoolExecutor(makers) as pool:
        versions = list(pool.map(make, range(makers)))
    assert versions == [[0] * rounds] * makers


def test_a_version_that_is_not_there_names_the_newest(root: Path) -> None:
    with pytest.raises(EmptyLakeError, match="no readable version 9; the newest is 0"):
        open_table(LocalStorage(root.parent), root.name, MASTER, version=9)
    assert open_table(LocalStorage(root), "none", MASTER) is None
