"""fsck and a log that is not as it was written: what is wrong is named, or it is harmless."""

import random
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipeline.delta.log import Commit
from pipeline.delta.table import CHECKPOINT_EVERY
from pipeline.errors import ChangedOutsideError, LakeError
from pipeline.lake import Lake
from pipeline.steps.fsck import fsck
from pipeline.steps.rebuild import rebuild
from pipeline.steps.upgrade import upgrade
from pipeline.steps.vacuum import vacuum
from pipeline.storage import LocalStorage
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS, Home

MERGES = CHECKPOINT_EVERY + 2
QUICK_FLIPS = 12
FLIPS = 1_000


def name_entry(version: int, table: str = "master") -> str:
    return f"{table}/_delta_log/{version:020d}.json"


CHECKPOINT = f"master/_delta_log/{CHECKPOINT_EVERY:020d}.checkpoint.parquet"
NEWEST = name_entry(MERGES)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake after so many merges that a checkpoint stands amid its entries."""
    root = tmp_path_factory.mktemp("logs") / "lake"
    home = Home(root, Lake(LocalStorage(root)))
    for number in range(MERGES):
        lines = [make_line(campaign_id=f"c{number}", date=f"2024-03-0{day}") for day in (1, 2)]
        write_lot(root / f"landing/lots/{number}.csv", lines)
        home.merge()
    return root


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Home:
    shutil.copytree(whole, tmp_path / "lake", copy_function=shutil.copy2)
    return Home(tmp_path / "lake", Lake(LocalStorage(tmp_path / "lake")))


@pytest.fixture
def old(copy: Home) -> Home:
    """The same as an adlake wrote it that put no hashes into entries."""
    for path in copy.root.glob("*/_delta_log/*.json"):
        path.write_text(re.sub(r',?"sha256":"[0-9a-f]{64}"', "", path.read_text()))
    assert find(copy) == []
    return copy


def find(home: Home) -> list[tuple[str, str]]:
    return [(path, problem) for path, problem in fsck(home.lake, settings=SETTINGS).findings]


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def cut(path: Path) -> None:
    """Leaves the first line, which says who made the commit."""
    path.write_text(path.read_text().splitlines()[0] + "\n")


def drop_checkpoints(home: Home) -> None:
    for path in home.root.glob("*/_delta_log/*checkpoint*"):
        path.unlink()


def name_days(last: str) -> str:
    return rf"\"maxValues\": {{\"date\": \"{last}\"}}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (name_days("2024-03-02"), name_days("2022-03-02")),
        (r"\"numRecords\": 12", r"\"numRecords\": 11"),
        ('"timestamp":1', '"timestamp":2'),
        ('"operation":"WRITE"', '"operation":"WRITF"'),
    ],
)
def test_a_changed_character_of_an_entry_is_refused_by_commands_and_named(
    copy: Home, before: str, after: str
) -> None:
    change(copy.root / NEWEST, before, after)
    for attempt in (copy.lake.take_snapshot, copy.merge):
        with pytest.raises(LakeError, match=rf"{NEWEST} is half written or damaged \(its bytes"):
            attempt()
    ((path, detail),) = find(copy)
    assert path == NEWEST
    assert "their hash is another" in detail


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (name_days("2024-03-02"), name_days("2022-03-02"), "12 rows of 2024-03-01 to 2022-03-02"),
        (r"\"numRecords\": 12", r"\"numRecords\": 11", "11 rows of 2024-03-01 to 2024-03-02"),
        (r"\"numRecords\": 12", r"\"numRecordt\": 12", "0 rows of 2024-03-01 to 2024-03-02"),
    ],
)
def test_what_an_old_entry_says_of_a_file_is_compared_with_the_file(
    old: Home, before: str, after: str, said: str
) -> None:
    change(old.root / NEWEST, before, after)
    path, detail = find(old)[0]
    assert path.startswith(f"master/year=2024/month=03/{MERGES:08d}-")
    assert f"it holds 12 rows of 2024-03-01 to 2024-03-02, and the log says {said}" in detail


@pytest.mark.parametrize("flips", [QUICK_FLIPS, pytest.param(FLIPS, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", [NEWEST, CHECKPOINT, NEWEST.replace("master", "ledger")])
def test_a_flipped_bit_of_a_log_is_named_or_changes_nothing_that_is_read(
    copy: Home, name: str, flips: int
) -> None:
    """Harmless is what leaves all the same that commands take from the log.

    That is, of both tables: the version, the number of its transaction, each file with its size,
    rows, days and partition, and of each commit its time, its kind and all that it said.
    """
    path, draw = copy.root / name, random.Random(flips)
    data, before = path.read_bytes(), read_logs(copy)
    found = 0
    for _ in range(flips):
        damaged = bytearray(data)
        damaged[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        if is_named(copy, name):
            found += 1
        else:
            assert read_logs(copy) == before, (name, bytes(damaged))
    assert found > flips / 10
    path.write_bytes(data)
    assert find(copy) == []


def is_named(home: Home, name: str) -> bool:
    """Whether fsck names the file; that it finds nothing else is part of it."""
    findings = find(home)
    folder, _, _ = name.partition("/")
    # A commit whose words of adlake's are no longer read is another's, and that is of the table.
    assert {path for path, _ in findings} <= {name, folder}
    return bool(findings)


def read_logs(home: Home) -> list[object]:
    tables = [home.lake.open_master(), home.lake.open_ledger()]
    return [
        (one.version, one.transaction, one.partition_by, one.files, list_said(one.read_commits()))
        for one in tables
    ]


def list_said(commits: Iterable[Commit]) -> list[object]:
    """All but the hash, whose own key may be what is damaged."""
    return [
        (one.at_ms, one.operation, {k: v for k, v in one.metadata.items() if k in KNOWN})
        for one in commits
    ]


KNOWN = {
    *("command", "n", "run", "job", "ledger", "rows", "rows_added", "rows_removed"),
    "files_to_look_at",
}


def test_of_a_checkpoint_and_a_cut_entry_the_entry_is_named(copy: Home) -> None:
    cut(copy.root / name_entry(2))
    assert copy.lake.take_snapshot().rows == 2 * MERGES  # the checkpoint is whole
    ((path, detail),) = find(copy)
    assert path == name_entry(2)
    assert "their hash is another" in detail


def test_of_a_checkpoint_and_a_cut_old_entry_rows_say_which_is_wrong(old: Home) -> None:
    cut(old.root / name_entry(2))
    ((path, detail),) = find(old)
    assert path == name_entry(2)
    assert "keep the checkpoint" in detail
    assert "delete" not in detail


@pytest.mark.parametrize("age", ["copy", "old"])
def test_a_checkpoint_of_other_files_than_the_entries_is_named(
    age: str, request: pytest.FixtureRequest
) -> None:
    home: Home = request.getfixturevalue(age)
    whole = (home.root / name_entry(2)).read_bytes()
    later = {number: (home.root / name_entry(number)) for number in (MERGES - 1, MERGES)}
    kept = {path: path.read_bytes() for path in later.values()}
    drop_checkpoints(home)
    cut(home.root / name_entry(2))
    for path in later.values():
        path.unlink()
    DeltaTable(home.root / "master").create_checkpoint()
    for path, data in [*kept.items(), (home.root / name_entry(2), whole)]:
        path.write_bytes(data)
    ((name, detail),) = find(home)
    assert name == CHECKPOINT
    assert "delete it and _last_checkpoint" in detail
    (home.root / CHECKPOINT).unlink()
    assert find(home) == []


def test_where_nothing_says_which_is_wrong_neither_is_to_be_deleted(old: Home) -> None:
    cut(old.root / name_entry(2, "ledger"))
    ((path, detail),) = find(old)
    assert path == CHECKPOINT.replace("master", "ledger")
    assert "an entry or a checkpoint is damaged; delete neither" in detail


@pytest.mark.parametrize(
    ("before", "after", "unsaid"),
    [
        ('"rows_added"', '"rows_eaaed"', "rows_added"),
        ('"rows":6', '"rowt":6', "rows"),
        ('"n":3', '"m":3', "n"),
        ('"ledger"', '"lddger"', "ledger file"),
        ('"path":"0', '"qath":"0', "ledger file"),
        ('"size":', '"sjze":', "ledger file's size"),
        ('"rows":1', '"rowz":1', "ledger file's rows"),
        ('"rows_added":2', '"rows_added":"2"', "rows_added"),
    ],
)
def test_an_old_commit_that_lacks_what_commands_need_is_refused_by_name(
    old: Home, before: str, after: str, unsaid: str
) -> None:
    drop_checkpoints(old)
    change(old.root / name_entry(3), before, after)
    said = f"it does not say the {unsaid} of its commit as it must"
    ((path, detail),) = find(old)
    assert path == name_entry(3)
    assert said in detail
    attempts: list[Callable[[], object]] = [
        old.merge,
        lambda: vacuum(old.lake, settings=SETTINGS),
        old.lake.take_snapshot,
    ]
    for attempt in attempts:
        with pytest.raises(LakeError, match=said):
            attempt()


@pytest.mark.parametrize("version", [2, MERGES])
def test_after_the_rebuild_that_was_asked_for_an_old_lake_is_whole(old: Home, version: int) -> None:
    drop_checkpoints(old)
    cut(old.root / name_entry(version))
    assert find(old)
    rebuild(old.lake, settings=SETTINGS)
    assert find(old) == []
    assert old.lake.take_snapshot().rows == 2 * MERGES


def test_a_wrong_account_of_an_old_commit_is_of_no_matter_after_a_rebuild(old: Home) -> None:
    change(old.root / name_entry(2), '"rows_added":2', '"rows_added":3')
    ((path, detail),) = find(old)
    assert path == name_entry(2)
    assert "4 rows, but 2 + 3 - 0 is another number" in detail
    rebuild(old.lake, settings=SETTINGS)
    assert find(old) == []


@pytest.mark.parametrize("damage", [cut, Path.unlink])
def test_a_damaged_entry_is_got_rid_of_by_a_rebuild_beside_it(
    copy: Home, damage: Callable[[Path], None]
) -> None:
    drop_checkpoints(copy)
    damage(copy.root / name_entry(2))
    with pytest.raises(LakeError, match=r"0002\.json"):
        rebuild(copy.lake, settings=SETTINGS)
    (copy.root / "master").rename(copy.root.parent / "aside")
    rebuild(copy.lake, settings=SETTINGS)
    assert find(copy) == []
    assert copy.lake.take_snapshot().rows == 2 * MERGES


def test_a_ledger_that_others_wrote_to_is_refused_until_that_is_undone(copy: Home) -> None:
    before = copy.read_ledger()
    for path in (copy.root / "ledger/_delta_log").glob("*checkpoint*"):
        path.unlink()
    DeltaTable(copy.root / "ledger").delete("path like 'landing%0.csv'")
    write_lot(copy.root / "landing/lots/new.csv", [make_line(campaign_id="new")])
    foreign = name_entry(MERGES + 1, "ledger")
    for attempt in (copy.merge, lambda: rebuild(copy.lake, settings=SETTINGS)):
        with pytest.raises(ChangedOutsideError, match=r"move its _delta_log/0+7\.json away"):
            attempt()
    assert "ledger" in [path for path, _ in find(copy)]
    (copy.root / foreign).unlink()
    assert copy.read_ledger().equals(before)
    assert copy.merge().rows_added == 1
    assert find(copy) == []


def test_a_lake_that_lost_its_format_is_refused_and_is_no_whole_one(copy: Home) -> None:
    path = copy.root / "lake.json"
    text = path.read_text()
    write_lot(copy.root / "landing/lots/new.csv", [make_line(campaign_id="new")])
    lines = {"gone": None, "damaged": '{"format": "3"}', "damaged, it": '{"format": true}'}
    for said, line in lines.items():
        path.unlink()
        if line is not None:
            path.write_text(line)
        attempts: list[Callable[[], object]] = [
            copy.merge,
            copy.lake.initialise,
            copy.lake.take_snapshot,
            lambda: rebuild(copy.lake, settings=SETTINGS),
            lambda: upgrade(copy.lake),
        ]
        for attempt in attempts:
            with pytest.raises(LakeError, match=rf"lake\.json is {said}.*restore it from a backup"):
                attempt()
        ((name, detail),) = find(copy)
        assert name == "lake.json"
        assert '"format": 3' in detail
        path.write_text(text)
    assert copy.merge().rows_added == 1


def test_a_lake_whose_making_was_stopped_before_its_format_is_made_to_the_end(home: Home) -> None:
    home.lake.create_tables()
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    assert home.merge().rows_added == 1
    assert find(home) == []
