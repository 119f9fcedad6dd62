"""Commits, files and ledger tell one story, or it is said which does not."""

import polars as pl

from pipeline.care.account import check_commits, check_ledger
from pipeline.delta.log import Commit


def make_commit(version: int, rows: int, added: int, removed: int, files: int = 0) -> Commit:
    ledger = {"path": f"{version}.parquet", "size": 1, "rows": files}
    said = {"n": version, "rows": rows, "rows_added": added, "rows_removed": removed}
    return Commit(version, 0, "WRITE", {**said, "ledger": ledger})


CREATE = Commit(0, 0, "CREATE TABLE", {"command": "create"})
FOREIGN = Commit(2, 0, "DELETE", {})
VACUUM = Commit(2, 0, "VACUUM END", {})


def list_details(commits: list[Commit], rows: int) -> list[str]:
    return [finding.detail for finding in check_commits(commits, rows=rows, folder="master")]


def test_commits_that_add_up_are_right() -> None:
    assert list_details([], 0) == []
    assert list_details([CREATE], 0) == []
    commits = [CREATE, make_commit(1, 10, 10, 0), VACUUM, make_commit(3, 7, 2, 5)]
    assert list_details(commits, 7) == []


def test_a_commit_that_does_not_add_up_is_named() -> None:
    commits = [CREATE, make_commit(1, 10, 10, 0), make_commit(2, 12, 1, 0)]
    (finding,) = check_commits(commits, rows=12, folder="master")
    assert finding.path == "master/_delta_log/00000000000000000002.json"
    assert "12 rows, but 10 + 1 - 0" in finding.detail
    assert list_details(commits[:2], 9) == ["the commits add up to 10 rows, and the files hold 9"]


def test_after_a_foreign_commit_the_account_begins_anew() -> None:
    commits = [CREATE, make_commit(1, 10, 10, 0), FOREIGN, make_commit(3, 10, 10, 4)]
    assert list_details(commits, 10) == []
    assert list_details(commits[:3], 4) == []


def test_nothing_follows_from_commits_before_a_rebuild() -> None:
    wrong = [CREATE, make_commit(1, 10, 10, 0), make_commit(2, 12, 1, 0)]
    rebuilt = make_commit(3, 9, 9, 13)
    rebuilt = rebuilt._replace(metadata={**rebuilt.metadata, "command": "rebuild"})
    assert list_details([*wrong, rebuilt, make_commit(4, 10, 1, 0)], 10) == []
    assert len(list_details([*wrong, rebuilt, make_commit(4, 11, 1, 0)], 11)) == 1


def test_a_ledger_row_and_a_transaction_that_do_not_add_up_are_named() -> None:
    parts = {"accepted": [5, 5], "quarantined": [0, 1], "duplicates": [1, 0], "superseded": [0, 0]}
    rows = {"n": [1, 1], "path": ["a", "b"], "rows_in": [6, 7], **parts}
    found = list(check_ledger(pl.DataFrame(rows), [make_commit(1, 6, 6, 0, 3)], folder="ledger"))
    assert [finding.path for finding in found] == ["b", "ledger/1.parquet"]
    assert "has 7 rows in, but 5 accepted + 1 quarantined" in found[0].detail
    assert "has 2 files of transaction 1, which decided on 3" in found[1].detail
