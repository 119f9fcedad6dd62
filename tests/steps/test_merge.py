"""The merge on a real lake: what is new comes in once, what is wrong is set aside."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.delta.table import Table, open_table
from pipeline.errors import (
    ChangedOutsideError,
    CommitConflictError,
    FormatError,
    LakeError,
    StorageError,
    UsageError,
)
from pipeline.lake import Lake
from pipeline.ledger import FILES_AT_MOST
from pipeline.merge.place import format_delivered
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import find_commit, merge
from pipeline.storage import LocalStorage
from tests.lots import HEADER, make_line, write_lot
from tests.steps.conftest import SETTINGS, Home


def list_files(root: Path) -> dict[str, int]:
    return {
        str(path.relative_to(root)): path.stat().st_mtime_ns
        for path in root.rglob("*")
        if path.is_file()
    }


def check_account(home: Home) -> None:
    ledger = home.read_ledger()
    parts = ledger.select("accepted", "quarantined", "duplicates", "superseded").sum_horizontal()
    assert parts.to_list() == ledger["rows_in"].to_list()
    master = home.lake.open_master()
    commits = [commit.metadata for commit in master.read_commits() if "n" in commit.metadata]
    added = sum(commit["rows_added"] - commit["rows_removed"] for commit in commits)
    assert added == home.lake.take_snapshot().rows


def test_a_second_merge_changes_nothing_and_makes_no_commit(home: Home) -> None:
    write_lot(home.root / "marketing_data_1.csv", [make_line()])
    assert home.merge().transaction == 1
    before = list_files(home.root)
    outcome = home.merge()
    assert outcome.transaction is None
    assert list_files(home.root) == before


def test_a_job_finds_its_newest_commit_whatever_came_after_it(home: Home) -> None:
    lots = home.root / "landing/lots"
    write_lot(lots / "a.csv", [make_line(), make_line(campaign_id="c2", clicks=-1)])
    assert merge(home.lake, settings=SETTINGS, job="ours").transaction == 1
    write_lot(lots / "b.csv", [make_line(campaign_id="c3")])
    assert home.merge().transaction == 2
    assert merge(home.lake, settings=SETTINGS, job="ours").transaction is None
    found = find_commit(home.lake, job="ours")
    assert (found["n"], found["rows_added"], found["ledger"]["rows"]) == (1, 1, 1)
    assert find_commit(home.lake, job="another") == {}


def test_lots_are_found_at_the_root_and_in_landing_and_nothing_else_is(home: Home) -> None:
    write_lot(home.root / "marketing_data_1.csv", [make_line(campaign_id="a")])
    write_lot(home.root / "landing/lots/any name (1).csv", [make_line(campaign_id="b")])
    write_lot(home.root / "landing/other/deep/er/x[1].csv", [make_line(campaign_id="c")])
    write_lot(home.root / "marketing_data_x.csv", [make_line(campaign_id="d")])
    write_lot(home.root / "elsewhere/marketing_data_2.csv", [make_line(campaign_id="e")])
    assert len(home.merge().accounts) == 3
    rows = home.read_master().select("campaign_id", "source").sort("campaign_id").rows()
    assert rows == [("a", "lots"), ("b", "lots"), ("c", "other")]


def test_dirty_rows_go_to_quarantine_and_the_rest_is_merged(home: Home) -> None:
    lines = [
        make_line(campaign_id="good"),
        make_line(campaign_id="b1", date="2024-13-01"),
        make_line(campaign_id="b2", clicks=-1),
        make_line(campaign_id="b3", clicks="2.5"),
        make_line(campaign_id="b4", clicks=1001),
        make_line(campaign_id=""),
        make_line(campaign_id="b5") + ",extra",
        HEADER,
        "Total,,,,5000,,80,,9.0,",
        make_line(campaign_id="good too"),
    ]
    write_lot(home.root / "landing/lots/dirty.csv", lines)
    outcome = home.merge()
    assert home.read_master()["campaign_id"].sort().to_list() == ["good", "good too"]
    rejects = home.read_rejects()
    assert rejects["path"].unique().to_list() == ["landing/lots/dirty.csv"]
    assert rejects.select("line", "rule", "column").rows() == [
        (3, "bad_date", "date"),
        (4, "negative_clicks", "clicks"),
        (5, "not_integer", "clicks"),
        (6, "clicks_gt_impressions", "clicks"),
        (7, "missing_id", "campaign_id"),
        (8, "column_count", ""),
        (9, "repeated_header", ""),
        (10, "missing_date", "date"),
    ]
    assert rejects["raw"].to_list() == lines[1:9]
    assert (outcome.accounts[0].rows_in, outcome.accounts[0].quarantined) == (10, 8)
    check_account(home)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"\n\n", "empty_file"),
        (b"a,b\n1,2\n", "header_mismatch"),
        (b"\x1f\x8b\x08rest", "corrupt_gzip"),
        (b'{"a": 1}\n', "header_mismatch"),
        (b"<Error><Code>SlowDown</Code></Error>", "not_csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_set_aside_and_others_go_on(
    home: Home, content: bytes, reason: str
) -> None:
    write_lot(home.root / "landing/lots/good.csv", [make_line()])
    (home.root / "landing/lots/bad.csv").write_bytes(content)
    home.merge()
    outcomes = home.read_ledger().select("path", "outcome", "reason").rows()
    assert outcomes == [
        ("landing/lots/bad.csv", "quarantined", reason),
        ("landing/lots/good.csv", "merged", None),
    ]
    assert home.lake.take_snapshot().rows == 1
    assert home.merge().transaction is None


def test_an_unclosed_quote_leaves_nothing_of_its_file_in_the_master(home: Home) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line(), '"' + make_line()])
    home.merge()
    assert home.read_ledger()["reason"].to_list() == ["unclosed_quote"]
    assert home.lake.take_snapshot().rows == 0


def test_a_file_of_no_rows_is_noted_and_changes_nothing(home: Home) -> None:
    write_lot(home.root / "landing/lots/a.csv", [])
    home.merge()
    assert home.read_ledger().select("outcome", "rows_in").rows() == [("no_rows", 0)]


def test_files_that_are_still_being_written_wait_for_the_next_run(home: Home) -> None:
    part = write_lot(home.root / "landing/lots/a.csv.part", [make_line()])
    write_lot(home.root / "landing/lots/.hidden.csv", [make_line()])
    outcome = home.merge()
    assert outcome.transaction is None
    assert outcome.unfinished == ["landing/lots/a.csv.part"]
    part.rename(home.root / "landing/lots/a.csv")
    assert home.merge().rows == 1


def test_links_devices_and_bad_names_are_never_opened(home: Home, tmp_path: Path) -> None:
    folder = home.root / "landing/lots"
    outside = write_lot(tmp_path / "outside.csv", [make_line()])
    folder.mkdir(parents=True)
    (folder / "link.csv").symlink_to(outside)
    os.mkfifo(folder / "pipe.csv")
    write_lot(folder / "new\nline.csv", [make_line()])
    home.merge()
    assert sorted(home.read_ledger()["reason"].to_list()) == [
        "bad_name",
        "not_regular_file",
        "not_regular_file",
    ]
    assert home.lake.take_snapshot().rows == 0


def test_the_same_bytes_again_are_counted_as_duplicates(home: Home) -> None:
    first = write_lot(home.root / "landing/lots/a.csv", [make_line(), make_line(campaign_id="b")])
    home.merge()
    shutil.copyfile(first, first.with_name("copy.csv"))
    home.merge()
    row = home.read_ledger().row(1, named=True)
    assert (row["outcome"], row["reason"]) == ("duplicate", "same_file")
    assert (row["rows_in"], row["duplicates"]) == (2, 2)
    assert home.lake.take_snapshot().rows == 2


def test_twins_in_one_merge_are_counted_once(home: Home) -> None:
    for name in ("a", "b"):
        write_lot(home.root / f"landing/lots/{name}.csv", [make_line()])
    home.merge()
    counts = home.read_ledger().select("path", "accepted", "duplicates").rows()
    assert counts == [("landing/lots/a.csv", 1, 0), ("landing/lots/b.csv", 0, 1)]
    check_account(home)


@pytest.mark.parametrize("name", ["it's [1]", "a*b", "año=2024", "with space"])
def test_a_lake_may_have_a_name_that_means_something_elsewhere(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path / name, Lake(LocalStorage(tmp_path / name)))
    write_lot(home.root / "marketing_data_1.csv", [make_line(campaign_id="a")])
    home.merge()
    write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
    assert home.merge().rows == 2
    assert home.read_ledger().height == 2


def test_a_touched_file_is_not_a_new_delivery(home: Home) -> None:
    lot = write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.merge()
    os.utime(lot, (2_000_000_000, 1_900_000_000))
    assert home.merge().transaction is None


def test_a_changed_file_is_a_restatement(home: Home) -> None:
    lot = write_lot(home.root / "landing/lots/a.csv", [make_line(costo_total="1.0")])
    home.merge()
    write_lot(lot, [make_line(costo_total="2.5")])
    later = lot.stat().st_mtime + 60
    os.utime(lot, (later, later))
    outcome = home.merge()
    assert (outcome.rows_added, outcome.rows_removed) == (1, 1)
    assert home.sum_with_duckdb("sum(cost)::varchar") == "2.500000"
    check_account(home)


def deliver(home: Home, hours: int, name: str, *lines: str) -> None:
    moment = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(hours=hours)
    write_lot(home.root / f"landing/lots/{format_delivered(moment)}/{name}", lines)


def test_the_newest_delivery_wins_whatever_the_order_of_arrival(home: Home) -> None:
    deliver(home, 2, "new.csv", make_line(costo_total="2.0"))
    home.merge()
    deliver(home, 1, "old.csv", make_line(costo_total="1.0"), make_line(campaign_id="c2"))
    home.merge()
    assert home.sum_with_duckdb("max(cost)::varchar") == "2.000000"
    old = home.read_ledger().row(1, named=True)
    assert (old["accepted"], old["superseded"]) == (1, 1)
    check_account(home)


def test_a_delivery_that_grows_ends_as_if_it_had_come_at_once(home: Home, tmp_path: Path) -> None:
    files = {
        "a.csv": [make_line(costo_total="1.0"), make_line(campaign_id="x")],
        "b.csv": [make_line(costo_total="2.0"), make_line(campaign_id="y", date="2024-05-05")],
        "c.csv": [make_line(costo_total="3.0"), make_line(campaign_id="y", date="2024-05-06")],
    }
    for name, lines in files.items():
        deliver(home, 1, name, *lines)
        home.merge()
        check_account(home)
    other = Home(tmp_path / "other", Lake(LocalStorage(tmp_path / "other")))
    for name, lines in reversed(files.items()):
        deliver(other, 1, name, *lines)
    other.merge()
    order = ["campaign_id", "date"]
    assert home.read_master().sort(order).equals(other.read_master().sort(order))


def grow_after(home: Home, spoil: Callable[[Path], object]) -> None:
    """Merges a delivery, spoils its file, and lets it grow by another."""
    deliver(home, 1, "a.csv", make_line(campaign_id="a1"), make_line(campaign_id="a2"))
    home.merge()
    (old,) = (home.root / "landing/lots").glob("*/a.csv")
    spoil(old)
    deliver(home, 1, "b.csv", make_line(campaign_id="b1"))
    write_lot(home.root / "landing/lots/other.csv", [make_line(campaign_id="other")])
    home.merge()


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda path: write_lot(path, [make_line(campaign_id="a1")]),
        lambda path: path.write_text("a,b\n1,2\n"),
    ],
    ids=["deleted", "overwritten", "unreadable"],
)
def test_a_delivery_that_grew_without_its_older_file_loses_no_row(
    home: Home, spoil: Callable[[Path], object]
) -> None:
    grow_after(home, spoil)
    assert home.read_master()["campaign_id"].sort().to_list()[:2] == ["a1", "a2"]
    assert "other" in home.read_master()["campaign_id"].to_list()
    assert "b1" not in home.read_master()["campaign_id"].to_list()
    reasons = home.read_ledger().filter(pl.col("path").str.ends_with("b.csv"))["reason"]
    assert reasons.to_list() == ["broken_delivery"]
    check_account(home)


def test_a_file_that_goes_while_it_is_read_is_left_to_the_next_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line(campaign_id="a")])
    write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
    real = LocalStorage.fetch
    asked = []

    def lose(storage: LocalStorage, path: str) -> Path:
        asked.append(path)
        if path.endswith("a.csv") and asked.count(path) == 2:  # hashed, and now to be read
            (home.root / path).unlink()
        return real(storage, path)

    monkeypatch.setattr(LocalStorage, "fetch", lose)
    outcome = home.merge()
    assert outcome.unfinished == ["landing/lots/a.csv"]
    assert home.read_ledger()["path"].to_list() == ["landing/lots/b.csv"]


def test_a_file_that_changes_while_it_is_hashed_is_left_to_the_next_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = write_lot(home.root / "landing/lots/a.csv", [make_line()])
    real = LocalStorage.digest

    def grow(storage: LocalStorage, path: str) -> str:
        digest = real(storage, path)
        with lot.open("a") as file:
            file.write(make_line(campaign_id="later") + "\n")
        return digest

    monkeypatch.setattr(LocalStorage, "digest", grow)
    outcome = home.merge()
    assert (outcome.transaction, outcome.unfinished) == (None, ["landing/lots/a.csv"])
    monkeypatch.undo()
    assert home.merge().rows == 2


def test_a_declared_time_pins_no_undeclared_file(home: Home, tmp_path: Path) -> None:
    def fill(root: Path) -> list[tuple[Path, list[str]]]:
        cheap, dear = [make_line(costo_total="1.0")], [make_line(costo_total="2.0")]
        return [
            (root / "landing/lots/delivered=2024-06-01/a.csv", cheap),
            (root / "landing/lots/z.csv", cheap),
            (root / "landing/lots/delivered=2024-06-02/c.csv", dear),
        ]

    other = Home(tmp_path / "other", Lake(LocalStorage(tmp_path / "other")))
    for path, lines in fill(home.root):
        write_lot(path, lines)
        os.utime(path, (1718000000, 1718000000))  # 10 June 2024
        home.merge()
    for path, lines in fill(other.root):
        write_lot(path, lines)
        os.utime(path, (1718000000, 1718000000))
    other.merge()
    for one in (home, other):
        assert one.sum_with_duckdb("max(cost)::varchar") == "1.000000"


def test_a_name_that_is_not_utf8_stops_nothing(home: Home) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    (home.root / "landing/lots" / os.fsdecode(b"\xff.csv")).write_text("x")
    assert home.merge().rows == 1
    assert home.read_ledger()["reason"].to_list() == ["bad_name", None]
    assert home.merge().transaction is None


def test_a_poisonous_cell_is_rejected_alone(home: Home) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line(), make_line(clicks="9" * 5000)])
    assert home.merge().rows == 1
    assert home.read_rejects()["rule"].to_list() == ["out_of_range"]


def test_the_generators_source_is_its_own(home: Home) -> None:
    write_lot(home.root / "landing/generated/a.csv", [make_line()])
    home.merge()
    assert home.read_ledger()["reason"].to_list() == ["reserved_source"]


def test_a_delivery_from_the_future_is_set_aside(home: Home) -> None:
    moment = datetime.now(UTC) + timedelta(days=3)
    write_lot(home.root / f"landing/lots/{format_delivered(moment)}/a.csv", [make_line()])
    write_lot(home.root / "landing/lots/delivered=yesterday/a.csv", [make_line()])
    write_lot(home.root / "landing/loose.csv", [make_line()])
    home.merge()
    assert sorted(home.read_ledger()["reason"].to_list()) == [
        "bad_delivered",
        "delivered_in_future",
        "no_source",
    ]


def test_a_source_keeps_one_meaning(home: Home, tmp_path: Path) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.merge()
    other = (
        'name = "other"\ndescription = "d"\nsource = "lots"\nmode = "upsert"\n'
        'key = ["campaign_id", "date"]\nformats = ["csv"]\n'
        '[columns.campaign_id]\ntype = "text"\n[columns.date]\ntype = "date"\n'
        '[columns.clicks]\ntype = "integer"\n[columns.impressions]\ntype = "integer"\n'
        '[constants]\ncurrency = "USD"\n'
    )
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts/other.toml").write_text(other)
    rows = "campaign_id,date,clicks,impressions\nx,2024-03-01,1,2\n"
    for source in ("lots", "mine"):
        folder = home.root / "landing" / source
        folder.mkdir(exist_ok=True)
        (folder / "b.csv").write_text(rows + f"{source},2024-03-01,1,2\n")
    settings = replace(home.settings, contracts_dir=tmp_path / "contracts")
    merge(home.lake, settings=settings)
    outcomes = home.read_ledger().filter(n=2).select("path", "outcome", "reason").rows()
    assert outcomes == [
        ("landing/lots/b.csv", "quarantined", "mixed_source"),
        ("landing/mine/b.csv", "merged", None),
    ]
    master = home.read_master().filter(source="mine")
    assert master["cost"].to_list() == [None, None]
    assert home.lake.take_snapshot().rows == 3


def test_a_place_without_lake_and_files_is_wrong_use_and_stays_empty(home: Home) -> None:
    with pytest.raises(UsageError, match="no file to merge"):
        home.merge()
    assert not home.root.exists()


def test_many_rejected_rows_ask_for_a_look(home: Home) -> None:
    good = [make_line(campaign_id=f"g{number}") for number in range(95)]
    bad = [make_line(campaign_id=f"b{number}", clicks=-1) for number in range(6)]
    write_lot(home.root / "landing/lots/a.csv", good + bad)
    write_lot(home.root / "landing/lots/b.csv", good[:60] + bad[:3])
    assert [account.found.path for account in home.merge().to_look_at] == ["landing/lots/a.csv"]


def test_a_merge_stopped_between_its_commit_and_the_ledger_is_completed_by_the_next(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.lake.initialise()

    def stop_after_commit(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.steps.commit.append", stop_after_commit)
        with pytest.raises(KeyboardInterrupt):
            home.merge()
    assert home.lake.open_ledger().transaction == 0
    assert home.read_ledger()["path"].to_list() == ["landing/lots/a.csv"]
    outcome = home.merge()
    assert outcome.transaction is None
    assert home.lake.open_ledger().transaction == 1
    assert home.lake.take_snapshot().rows == 1


@pytest.mark.parametrize(
    "error", [StorageError("no whole answer"), LakeError("it cannot be read"), OSError(5, "EIO")]
)
def test_a_merge_whose_ledger_cannot_follow_is_done_and_the_next_one_catches_up(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])

    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.steps.commit.append", fail)
        assert home.merge().rows == 1
    assert "version 1 of the master is committed and stands; the ledger does not" in caplog.text
    assert str(error) in caplog.text
    assert home.lake.open_ledger().transaction == 0
    assert home.read_ledger()["path"].to_list() == ["landing/lots/a.csv"]
    assert home.merge().transaction is None
    assert home.lake.open_ledger().transaction == 1


def test_a_ledger_that_cannot_be_read_again_stops_a_merge_before_its_commit(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the ledger's files are joined, which is the only time that it is read twice."""
    for number in range(FILES_AT_MOST + 1):
        write_lot(home.root / f"landing/lots/{number}.csv", [make_line(campaign_id=f"c{number}")])
        if number < FILES_AT_MOST:
            home.merge()
    calls: list[int] = []

    def read_once(*given: Any) -> pl.DataFrame:
        calls.append(1)
        if len(calls) > 1:
            raise LakeError("a file of the ledger cannot be read")
        return read_ledger(*given)

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.steps.commit.read_ledger", read_once)
        with pytest.raises(LakeError, match="a file of the ledger cannot be read"):
            home.merge()
    assert len(calls) == 2
    assert home.lake.open_master().version == FILES_AT_MOST
    assert home.merge().rows == FILES_AT_MOST + 1


def test_a_commit_whose_answer_is_lost_is_neither_repeated_nor_dropped(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    real = Table.commit
    calls = []

    def lose_answer(table: Table, **arguments: object) -> None:
        real(table, **arguments)
        calls.append(table.uri)
        if len(calls) == 1:
            raise CommitConflictError("the answer was lost")

    monkeypatch.setattr(Table, "commit", lose_answer)
    outcome = home.merge()
    assert outcome.transaction == 1
    assert outcome.rows == 1
    assert home.lake.open_master().version == 1
    check_account(home)


def test_a_commit_that_never_landed_is_tried_again_without_reading_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    real = Table.commit
    calls = []

    def refuse_once(table: Table, **arguments: object) -> None:
        calls.append(table.uri)
        if len(calls) == 1:
            raise CommitConflictError("refused")
        real(table, **arguments)

    monkeypatch.setattr(Table, "commit", refuse_once)
    read: list[int] = []
    outcome = merge(home.lake, settings=SETTINGS, on_file=read.append)
    assert (outcome.transaction, outcome.rows) == (1, 1)
    assert sum(read) == 1
    check_account(home)


def test_a_writer_that_always_loses_gives_up_and_leaves_the_lake_readable(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])

    def refuse(table: Table, **_: object) -> None:
        raise CommitConflictError("refused")

    monkeypatch.setattr(Table, "commit", refuse)
    monkeypatch.setattr("pipeline.steps.commit.ATTEMPTS", 2)
    with pytest.raises(CommitConflictError):
        home.merge()
    monkeypatch.undo()
    assert home.lake.take_snapshot().rows == 0
    assert home.merge().rows == 1


def test_a_commit_from_outside_stops_the_merge(home: Home) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.merge()
    from deltalake import DeltaTable

    DeltaTable(str(home.root / "master")).delete("campaign_id = 'c1'")
    write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
    with pytest.raises(ChangedOutsideError, match="version 2 by DELETE"):
        home.merge()


def test_a_change_from_outside_is_seen_under_a_vacuum_and_a_vacuum_alone_is_none(
    home: Home,
) -> None:
    from deltalake import DeltaTable

    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.merge()
    vacuum = {"retention_hours": 0, "enforce_retention_duration": False, "dry_run": False}
    DeltaTable(str(home.root / "master")).vacuum(**vacuum)
    write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
    assert home.merge().rows == 2
    DeltaTable(str(home.root / "master")).delete("campaign_id = 'c1'")
    DeltaTable(str(home.root / "master")).vacuum(**vacuum)
    write_lot(home.root / "landing/lots/c.csv", [make_line(campaign_id="c")])
    with pytest.raises(ChangedOutsideError, match="by DELETE"):
        home.merge()


def test_a_commit_found_under_anothers_is_still_ones_own(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    real = Table.commit
    masters = []

    def lose_answer(table: Table, **arguments: object) -> None:
        real(table, **arguments)
        if table.uri.endswith("master"):
            masters.append(table.uri)
            if len(masters) == 1:
                write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
                home.merge()
                raise CommitConflictError("the answer was lost, and another writer came")

    monkeypatch.setattr(Table, "commit", lose_answer)
    outcome = home.merge()
    assert [account.found.path for account in outcome.accounts] == ["landing/lots/a.csv"]
    assert home.lake.take_snapshot().rows == 2
    check_account(home)


def test_a_ledger_that_cannot_be_written_ends_the_next_merge_and_not_in_a_loop(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    real = Table.commit

    def fail_on_ledger(table: Table, **arguments: object) -> None:
        if table.uri.endswith("ledger"):
            raise CommitConflictError("no space left")
        real(table, **arguments)

    monkeypatch.setattr(Table, "commit", fail_on_ledger)
    monkeypatch.setattr("pipeline.steps.commit.ATTEMPTS", 2)
    assert home.merge().rows == 1
    with pytest.raises(CommitConflictError, match="no space left"):
        home.merge()
    monkeypatch.undo()
    assert home.merge().transaction is None
    assert home.read_ledger().height == 1


def test_a_handle_catches_up_what_it_knows_and_skips_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    real = Lake.catch_up
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "catch_up", lambda lake, _: lake.open_ledger())
        patch.setattr("pipeline.steps.commit.append", lambda *_, **__: None)
        home.merge()
        old = home.lake.open_master()
        write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
        home.merge()
    real(home.lake, old)
    assert home.lake.open_ledger().transaction == 1
    real(home.lake, home.lake.open_master())
    assert home.lake.open_ledger().transaction == 2
    assert home.read_ledger()["path"].to_list() == ["landing/lots/a.csv", "landing/lots/b.csv"]
    assert home.lake.take_snapshot(1).commit.metadata["n"] == 1


def test_a_handle_older_than_the_ledger_has_nothing_to_catch_up(home: Home) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.merge()
    old = home.lake.open_master()
    write_lot(home.root / "landing/lots/b.csv", [make_line(campaign_id="b")])
    home.merge()
    home.lake.catch_up(old)
    assert home.lake.open_ledger().transaction == 2


def test_a_lake_of_a_newer_format_is_refused(home: Home) -> None:
    home.root.mkdir()
    (home.root / "lake.json").write_text('{"format": 99}')
    with pytest.raises(FormatError, match="format 99"):
        home.merge()


def test_nothing_is_left_of_the_work(home: Home) -> None:
    write_lot(home.root / "landing/lots/a.csv", [make_line()])
    home.merge()
    assert [path.name for path in home.root.iterdir() if path.name.startswith(".")] == []


def test_the_master_holds_plain_types_sorted_rows_and_decimals(home: Home) -> None:
    lines = [
        make_line(campaign_id=f"c{9 - number}", date=f"2024-03-0{1 + number % 3}")
        for number in range(9)
    ]
    write_lot(home.root / "landing/lots/a.csv", lines)
    home.merge()
    import pyarrow.parquet as pq

    from pipeline.schema import AD_DAY, SORT_ORDER

    (uri,) = home.lake.take_snapshot().file_uris
    file = pq.ParquetFile(uri, page_checksum_verification=True)
    assert file.schema_arrow.equals(AD_DAY)
    rows = pl.read_parquet(uri, hive_partitioning=False)
    assert rows.equals(rows.sort(SORT_ORDER))
    table = open_table(home.lake.storage, "master", AD_DAY)
    assert table is not None
    (data_file,) = table.list_files()
    assert (str(data_file.first_date), str(data_file.last_date)) == ("2024-03-01", "2024-03-03")


def test_working_in_slices_of_dates_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lots = [
        [make_line(campaign_id=f"c{n % 7}", date=f"2024-03-{1 + n * step % 28:02d}") for n in rows]
        for step, rows in ((5, range(40)), (11, range(30, 60)))
    ]
    digests = []
    for slice_rows in (1_000_000, 9, 1):
        monkeypatch.setattr("pipeline.steps.part_rows.SLICE_ROWS", slice_rows)
        home = Home(tmp_path / str(slice_rows), Lake(LocalStorage(tmp_path / str(slice_rows))))
        for number, lines in enumerate(lots):
            folder = f"landing/lots/delivered=2024-04-0{1 + number}T00:00:00Z"
            write_lot(home.root / folder / "a.csv", lines)
            home.merge()
        uris = home.lake.take_snapshot().file_uris
        digests.append([hashlib.sha256(Path(uri).read_bytes()).hexdigest() for uri in uris])
        assert home.read_ledger()["superseded"].sum() + home.read_ledger()["duplicates"].sum() > 0
    assert digests[0] == digests[1] == digests[2]
