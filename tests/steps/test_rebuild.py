"""rebuild: the master made anew from what was delivered is the master that was."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from pipeline.errors import ChangedOutsideError, EmptyLakeError, LakeError
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import Lake
from pipeline.schema import SORT_ORDER
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.fsck import fsck
from pipeline.steps.merge import merge
from pipeline.steps.rebuild import rebuild
from pipeline.steps.status import read_status
from pipeline.steps.withdraw import withdraw
from pipeline.storage import LocalStorage
from tests.lots import make_line, write_lot
from tests.sources import write_contract, write_delivery
from tests.steps.conftest import SETTINGS, Home


def generate(home: Home, *, rows: int) -> None:
    request = GenerateRequest(start=date(2024, 1, 30), end=date(2024, 2, 2), seed=42, rows=rows)
    generate_days(home.lake, request, today=date(2024, 12, 31), workers=1)


def run(home: Home, *, without_gone: bool = False) -> MergeOutcome:
    return rebuild(home.lake, settings=SETTINGS, without_gone=without_gone)


def read_rows(home: Home) -> pl.DataFrame:
    return home.read_master().sort(SORT_ORDER)


def read_account(home: Home) -> list[object]:
    """What stays: which of two rows lost is told otherwise when all are judged at once."""
    status = read_status(home.lake, home.lake.take_snapshot(), settings=SETTINGS)
    kept = status["accepted"] + status["superseded"] + status["duplicates"]
    return [status["rows_in"], status["quarantined"], status["files"], kept]


@pytest.fixture
def used(home: Home) -> Home:
    """All that can happen to a delivery: two generations, rejects, repeats, a withdrawal."""
    generate(home, rows=400)
    write_lot(home.root / "landing/lots/a.csv", [make_line(), make_line(clicks=-1)])
    home.merge()
    generate(home, rows=300)
    write_lot(home.root / "landing/lots/copy.csv", [make_line(), make_line(clicks=-1)])
    write_lot(home.root / "landing/lots/gone.csv", [make_line(costo_total="9.5")])
    home.merge()
    withdraw(home.lake, "landing/lots/gone.csv", settings=SETTINGS)
    write_lot(home.root / "landing/lots/empty.csv", [])
    (home.root / "landing/lots/bad.csv").write_bytes(b"a,b\n1,2\n")
    home.merge()
    return home


def test_a_rebuilt_master_has_the_same_rows_and_the_same_account(used: Home) -> None:
    rows, account = read_rows(used), read_account(used)
    outcome = run(used)
    assert outcome.rows == outcome.rows_added == outcome.rows_removed == rows.height
    assert read_rows(used).equals(rows)
    assert read_account(used) == account
    assert fsck(used.lake, settings=SETTINGS).findings == []
    assert used.merge().transaction is None
    run(used)
    assert read_rows(used).equals(rows)


def test_after_a_change_from_outside_the_master_is_as_it_was(used: Home) -> None:
    rows = read_rows(used)
    DeltaTable(str(used.root / "master")).delete("source = 'generated'")
    assert used.lake.take_snapshot().rows < rows.height
    with pytest.raises(ChangedOutsideError, match="adlake rebuild"):
        used.merge()
    (finding,) = fsck(used.lake, settings=SETTINGS).findings
    assert "was changed outside adlake at version" in finding.detail
    run(used)
    assert read_rows(used).equals(rows)
    assert fsck(used.lake, settings=SETTINGS).findings == []
    write_lot(used.root / "landing/lots/more.csv", [make_line(campaign_id="more")])
    assert used.merge().rows == rows.height + 1


def test_a_master_that_lost_its_newest_commits_is_made_anew(used: Home) -> None:
    rows = read_rows(used)
    newest = max((used.root / "master/_delta_log").glob("*.json"))
    newest.unlink()
    newest.with_suffix(".checkpoint.parquet").unlink()
    with pytest.raises(LakeError, match="run adlake rebuild"):
        used.merge()
    run(used)
    assert read_rows(used).equals(rows)
    assert used.merge().transaction is None
    assert used.lake.open_ledger().transaction == used.lake.open_master().transaction
    assert fsck(used.lake, settings=SETTINGS).findings == []


def test_a_master_that_is_gone_as_a_whole_is_made_anew(used: Home, tmp_path: Path) -> None:
    rows = read_rows(used)
    (used.root / "master").rename(tmp_path / "old")
    with pytest.raises(LakeError, match="run adlake rebuild"):
        used.merge()
    run(used)
    assert read_rows(used).equals(rows)
    assert fsck(used.lake, settings=SETTINGS).findings == []


def test_what_no_merge_has_seen_is_left_to_the_next(used: Home) -> None:
    rows = read_rows(used)
    write_lot(used.root / "landing/lots/new.csv", [make_line(campaign_id="new")])
    run(used)
    assert read_rows(used).equals(rows)
    assert used.merge().rows == rows.height + 1


def test_a_file_that_is_gone_or_changed_stops_it_unless_it_is_left_out(used: Home) -> None:
    write_lot(used.root / "landing/lots/other.csv", [make_line(campaign_id="other")])
    used.merge()
    rows = read_rows(used)
    write_lot(used.root / "landing/lots/other.csv", [make_line(campaign_id="changed")])
    with pytest.raises(LakeError, match=r"landing/lots/other.csv is not there as it was merged"):
        run(used)
    assert used.lake.take_snapshot().rows == rows.height
    run(used, without_gone=True)
    assert read_rows(used).equals(rows.filter(pl.col("campaign_id") != "other"))


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param("append", marks=pytest.mark.slow),
        pytest.param("upsert", marks=pytest.mark.slow),
        "replace_window",
    ],
)
def test_every_mode_of_delivery_comes_out_the_same_with_what_a_person_let_pass(
    tmp_path: Path, mode: str
) -> None:
    settings = replace(SETTINGS, contracts_dir=tmp_path / "contracts")
    shop = Home(tmp_path / "lake", Lake(LocalStorage(tmp_path / "lake")), settings)
    top = 'key = ["campaign_name", "date"]' if mode == "upsert" else ""
    write_contract(tmp_path / "contracts", mode=mode, top=top)
    many = [f"2024-01-01,c{number},1" for number in range(120)]
    write_delivery(shop.root, 1, many, folder="shop/account=A")
    shop.merge()
    path = write_delivery(shop.root, 2, [*many[:9], "2024-01-02,late,2"], folder="shop/account=A")
    if shop.merge().accounts[0].outcome == "held":
        merge(shop.lake, settings=settings, accept=[path])
    write_delivery(shop.root, 3, ["2024-01-02,late,3"], folder="shop/account=A")
    shop.merge()
    gone = write_delivery(shop.root, 4, ["2024-01-02,late,4"], folder="shop/account=A")
    shop.merge()
    withdraw(shop.lake, gone, settings=settings)
    rows = read_rows(shop)
    rebuild(shop.lake, settings=settings)
    assert read_rows(shop).equals(rows)
    assert shop.merge().transaction is None
    assert fsck(shop.lake, settings=settings).findings == []


def test_without_a_ledger_there_is_nothing_to_build_from(home: Home) -> None:
    with pytest.raises(EmptyLakeError, match="no ledger"):
        run(home)
    assert not home.root.exists()
