"""What a delivery means for the rows before it, on a real lake."""

import itertools
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from pipeline.contracts import load_contracts
from pipeline.errors import ContractError, LakeError, UsageError
from pipeline.lake import Lake
from pipeline.steps.merge import MergeOutcome, merge
from pipeline.steps.rebuild import rebuild
from pipeline.steps.replay import replay
from pipeline.steps.withdraw import withdraw
from pipeline.storage import LocalStorage
from tests.sources import write_contract, write_delivery
from tests.steps.conftest import SETTINGS, Home

UPSERT = 'key = ["campaign_name", "date"]'


@pytest.fixture
def shop(tmp_path: Path) -> Home:
    """A lake whose further contracts lie beside it."""
    return make_home(tmp_path, "lake")


def make_home(folder: Path, name: str) -> Home:
    settings = replace(SETTINGS, contracts_dir=folder / "contracts")
    return Home(folder / name, Lake(LocalStorage(folder / name)), settings)


def declare(home: Home, mode: str, *, top: str = "", campaigns: tuple[str, ...] = ()) -> None:
    folder = home.settings.contracts_dir
    assert folder is not None
    write_contract(folder, mode=mode, top=top, campaigns=campaigns)


def read_rows(home: Home) -> list[tuple[str, str, str]]:
    """Day of January, campaign, cost."""
    rows = home.read_master()
    if rows.is_empty():
        return []
    day = pl.col("date").dt.to_string("%d")
    return rows.select(day, "campaign_name", pl.col("cost").cast(pl.String)).sort(pl.all()).rows()


def list_outcomes(outcome: MergeOutcome) -> list[tuple[str, str]]:
    return [(account.outcome, account.reason) for account in outcome.accounts]


def test_a_replacing_delivery_restates_its_dates_and_what_it_lacks_goes(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-02,old name,1", "2024-01-03,y,1"])
    shop.merge()
    write_delivery(shop.root, 2, ["2024-01-01,x,2", "2024-01-02,new name,2"])
    shop.merge()
    assert read_rows(shop) == [
        ("01", "x", "2.000000"),
        ("02", "new name", "2.000000"),
        ("03", "y", "1.000000"),
    ]


def test_a_late_old_delivery_fills_holes_and_revives_nothing(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 5, ["2024-01-01,x,2", "2024-01-03,x,2"])
    shop.merge()
    write_delivery(shop.root, 1, [f"2024-01-0{day},gone,1" for day in (1, 2, 3, 4)])
    outcome = shop.merge()
    assert read_rows(shop) == [
        ("01", "x", "2.000000"),
        ("03", "x", "2.000000"),
        ("04", "gone", "1.000000"),
    ]
    assert (outcome.accounts[0].accepted, outcome.accounts[0].superseded) == (1, 3)


def test_accounts_of_one_source_do_not_replace_each_other(shop: Home) -> None:
    declare(shop, "replace_window")
    header = "date,campaign_name,cost,account"
    write_delivery(shop.root, 1, ["2024-01-01,x,1,A", "2024-01-01,x,2,B"], header=header)
    shop.merge()
    write_delivery(shop.root, 2, ["2024-01-01,x,5,B"], header=header)
    shop.merge()
    write_delivery(shop.root, 3, ["2024-01-01,x,9"], folder="shop/account=C")
    shop.merge()
    costs = shop.read_master().sort("account").select("account", pl.col("cost").cast(pl.String))
    assert costs.rows() == [("A", "1.000000"), ("B", "5.000000"), ("C", "9.000000")]


def test_an_empty_delivery_empties_the_period_that_it_declares(shop: Home) -> None:
    declare(shop, "replace_window")
    period = "shop/account=A/period=2024-01-01..2024-01-02"
    write_delivery(
        shop.root, 1, [f"2024-01-0{day},x,1" for day in (1, 2, 3)], folder="shop/account=A"
    )
    shop.merge()
    write_delivery(shop.root, 2, [], folder=period)
    assert list_outcomes(shop.merge()) == [("merged", "")]
    assert read_rows(shop) == [("03", "x", "1.000000")]


def test_an_empty_delivery_without_a_period_changes_nothing(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, ["2024-01-01,x,1"])
    shop.merge()
    write_delivery(shop.root, 2, [])
    assert list_outcomes(shop.merge()) == [("no_rows", "")]
    assert read_rows(shop) == [("01", "x", "1.000000")]


def test_rows_outside_the_declared_period_are_rejected(shop: Home) -> None:
    declare(shop, "replace_window")
    folder = "shop/period=2024-01-01..2024-01-02"
    write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-03,x,1"], folder=folder)
    shop.merge()
    assert shop.read_rejects()["rule"].to_list() == ["outside_period"]
    assert read_rows(shop) == [("01", "x", "1.000000")]


def test_what_is_appended_is_added_up_and_the_same_bytes_count_once(shop: Home) -> None:
    declare(shop, "append")
    write_delivery(shop.root, 1, ["2024-01-01,x,1.50", "2024-01-01,x,2"])
    shop.merge()
    assert read_rows(shop) == [("01", "x", "3.500000")]
    write_delivery(shop.root, 2, ["2024-01-01,x,1.50", "2024-01-01,x,2"])
    assert list_outcomes(shop.merge()) == [("duplicate", "same_file")]
    assert shop.read_ledger()["duplicates"].to_list() == [0, 2]
    write_delivery(shop.root, 2, ["2024-01-01,x,10"], name="b.csv")
    shop.merge()
    assert read_rows(shop) == [("01", "x", "13.500000")]


def test_segments_are_added_up_and_newer_ones_replace_them_all(shop: Home) -> None:
    declare(shop, "replace_window", top='fold = ["hour"]')
    header = "date,campaign_name,cost,hour"
    write_delivery(shop.root, 1, ["2024-01-01,x,1,0", "2024-01-01,x,2,1"], header=header)
    shop.merge()
    assert read_rows(shop) == [("01", "x", "3.000000")]
    write_delivery(shop.root, 2, ["2024-01-01,x,1,0"], header=header, name="a.csv")
    shop.merge()
    write_delivery(shop.root, 2, ["2024-01-01,x,5,1"], header=header, name="b.csv")
    shop.merge()
    assert read_rows(shop) == [("01", "x", "6.000000")]


def test_a_file_that_is_split_by_a_column_nobody_reads_is_refused(shop: Home) -> None:
    declare(shop, "replace_window", top='extra_columns = "ignore"')
    header = "date,campaign_name,cost,keyword"
    write_delivery(shop.root, 1, ["2024-01-01,x,1,shoes", "2024-01-01,x,2,boots"], header=header)
    assert list_outcomes(shop.merge()) == [("quarantined", "unknown_split")]


def test_a_path_that_says_something_else_than_the_rows_is_refused(shop: Home) -> None:
    declare(shop, "upsert", top='key = ["campaign_name", "date"]')
    write_delivery(shop.root, 1, ["2024-01-01,x,1"], folder="shop/date=2030-01-01")
    write_delivery(shop.root, 2, ["2024-01-01,x,1"], folder="shop/date=2024-01-01")
    outcomes = sorted(list_outcomes(shop.merge()))
    assert outcomes == [("merged", ""), ("quarantined", "partition_mismatch")]


@pytest.mark.parametrize("complete", ["marker", "manifest"])
def test_a_delivery_waits_until_it_says_that_it_is_complete(shop: Home, complete: str) -> None:
    declare(shop, "replace_window", top=f'complete = "{complete}"')
    path = write_delivery(shop.root, 1, ["2024-01-01,x,1"])
    folder = (shop.root / path).parent
    outcome = shop.merge()
    assert (outcome.transaction, outcome.unfinished) == (None, [path])
    files = [{"name": "a.csv", "sha256": sha256((shop.root / path).read_bytes()).hexdigest()}]
    (folder / "_manifest.json").write_text(json.dumps({"files": files}))
    (folder / "_SUCCESS").touch()
    assert shop.merge().rows == 1


def test_a_file_that_is_not_the_one_of_its_manifest_is_refused(shop: Home) -> None:
    declare(shop, "replace_window", top='complete = "manifest"')
    path = write_delivery(shop.root, 1, ["2024-01-01,x,1"])
    manifest = {"files": [{"name": "a.csv", "sha256": "0" * 64}]}
    (shop.root / path).with_name("_manifest.json").write_text(json.dumps(manifest))
    assert list_outcomes(shop.merge()) == [("quarantined", "checksum_mismatch")]


MANY = [f"2024-01-01,c{number},1" for number in range(120)]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (MANY[:59], "large_shrink"),
        (["2020-01-01,c1,60", "2024-01-01,c1,60"], "long_window"),
        (["2024-01-01,other,120"], "other_campaigns"),
        ([*MANY[1:], *(f"2024-01-01,bad{number},x" for number in range(7))], "many_rejects"),
    ],
)
def test_a_delivery_that_takes_much_away_is_held_until_a_person_lets_it_pass(
    shop: Home, rows: list[str], reason: str
) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, MANY)
    shop.merge()
    before = read_rows(shop)
    path = write_delivery(shop.root, 2, rows)
    held = shop.merge()
    assert list_outcomes(held) == [("held", reason)]
    assert f"adlake merge --accept {path}" in held.accounts[0].detail
    assert held.to_look_at
    assert read_rows(shop) == before
    assert shop.merge().transaction is None
    released = merge(shop.lake, settings=shop.settings, accept=[path])
    assert [outcome for outcome, _ in list_outcomes(released)] == ["merged"]
    assert read_rows(shop) != before


@pytest.mark.parametrize("rows", [MANY[:60], [*MANY[:119], "2024-01-01,bad,x"]])
def test_just_below_the_limits_nothing_is_held(shop: Home, rows: list[str]) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, MANY)
    shop.merge()
    write_delivery(shop.root, 2, rows)
    assert list_outcomes(shop.merge()) == [("merged", "")]


def test_many_rejects_that_replace_nothing_are_merged_and_asked_about(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, [*MANY, *(f"2024-01-01,bad{number},x" for number in range(7))])
    outcome = shop.merge()
    assert list_outcomes(outcome) == [("merged", "")]
    assert outcome.to_look_at


def test_deliveries_of_one_merge_are_held_as_if_each_had_come_alone(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, MANY)
    write_delivery(shop.root, 2, MANY[:10])
    assert list_outcomes(shop.merge()) == [("merged", ""), ("held", "large_shrink")]


def test_a_delivery_that_grows_replaces_nothing_of_its_own(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, MANY)
    shop.merge()
    write_delivery(shop.root, 1, ["2024-01-01,other,1"], name="b.csv")
    assert list_outcomes(shop.merge()) == [("merged", "")]


def test_what_was_appended_before_stays_when_a_delivery_grows(shop: Home) -> None:
    declare(shop, "append")
    write_delivery(shop.root, 1, ["2024-01-01,x,1"])
    write_delivery(shop.root, 2, ["2024-01-01,x,2"])
    shop.merge()
    write_delivery(shop.root, 2, ["2024-01-01,y,5"], name="b.csv")
    shop.merge()
    assert read_rows(shop) == [("01", "x", "3.000000"), ("01", "y", "5.000000")]


@pytest.mark.parametrize(("percent", "looks"), [(5, 1), (20, 0)])
def test_the_contract_says_from_which_share_of_rejects_on_a_person_should_know(
    shop: Home, percent: int, looks: int
) -> None:
    declare(shop, "append", top=f"[holds]\nmax_reject_percent = {percent}")
    write_delivery(shop.root, 1, [*MANY[:100], *["2024-01-01,bad,x"] * 10])
    assert len(shop.merge().to_look_at) == looks


def test_only_what_is_held_can_be_let_pass(shop: Home) -> None:
    declare(shop, "replace_window")
    path = write_delivery(shop.root, 1, MANY)
    shop.merge()
    with pytest.raises(UsageError, match="not held back"):
        merge(shop.lake, settings=shop.settings, accept=[path])


def test_what_waited_for_a_withdrawn_file_is_merged_by_the_next_merge(shop: Home) -> None:
    declare(shop, "replace_window")
    first = write_delivery(shop.root, 1, MANY)
    second = write_delivery(shop.root, 2, MANY[:10])
    shop.merge()
    assert list(withdraw(shop.lake, first, settings=shop.settings).due) == [second]
    # Whoever does not know what came of it tries again, and learns the same.
    assert list(withdraw(shop.lake, first, settings=shop.settings).due) == [second]
    assert list_outcomes(shop.merge()) == [("merged", "")]
    assert len(read_rows(shop)) == 10
    assert shop.merge().transaction is None
    assert not withdraw(shop.lake, first, settings=shop.settings).due


def test_what_waits_for_another_reason_than_what_was_withdrawn_goes_on_waiting(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, MANY, folder="shop/account=A")
    other = write_delivery(shop.root, 2, MANY, folder="shop/account=B")
    second = write_delivery(shop.root, 3, MANY[:10], folder="shop/account=A")
    shop.merge()
    withdraw(shop.lake, other, settings=shop.settings)
    outcome = shop.merge()
    assert [account.found.path for account in outcome.to_look_at] == [second]
    assert list_outcomes(outcome) == [("held", "large_shrink")]
    assert len(read_rows(shop)) == 120
    assert shop.merge().transaction is None


@pytest.mark.parametrize("way", ["let pass", "withdraw"])
def test_what_waits_does_not_become_the_repeat_of_its_own_repeat(shop: Home, way: str) -> None:
    declare(shop, "replace_window")
    first = write_delivery(shop.root, 1, MANY)
    second, repeat = (
        write_delivery(shop.root, 2, MANY[:10], name=name) for name in ("a.csv", "b.csv")
    )
    assert sorted(list_outcomes(shop.merge())) == [
        ("duplicate", "same_file"),
        ("held", "large_shrink"),
        ("merged", ""),
    ]
    if way == "withdraw":
        withdraw(shop.lake, first, settings=shop.settings)
        outcome = shop.merge()
    else:
        outcome = merge(shop.lake, settings=shop.settings, accept=[second])
    assert list_outcomes(outcome) == [("merged", "")]
    assert len(read_rows(shop)) == 10
    assert shop.lake.storage.find(repeat)
    assert shop.merge().transaction is None


@pytest.mark.parametrize(
    ("mode", "top"),
    [("append", ""), ("replace_window", ""), ("upsert", 'key = ["campaign_name", "date"]')],
)
def test_a_withdrawn_file_is_as_if_it_had_never_come(
    shop: Home, tmp_path: Path, mode: str, top: str
) -> None:
    declare(shop, mode, top=top)
    other = make_home(tmp_path, "other")
    deliveries = {
        1: ["2024-01-01,x,1", "2024-01-02,x,1", "2024-02-03,y,1"],
        2: ["2024-01-01,x,2", "2024-01-02,z,2"],
        3: ["2024-01-02,x,3"],
    }
    folder = "shop/account=A"  # so that no delivery is held for its campaigns
    paths = {
        day: write_delivery(shop.root, day, rows, folder=folder) for day, rows in deliveries.items()
    }
    shop.merge()
    for day in (1, 3):
        write_delivery(other.root, day, deliveries[day], folder=folder)
    other.merge()
    outcome = withdraw(shop.lake, paths[2], settings=shop.settings)
    assert list_outcomes(outcome) == [("withdrawn", "withdrawn")]
    assert read_rows(shop) == read_rows(other)
    assert shop.merge().transaction is None
    assert withdraw(shop.lake, paths[2], settings=shop.settings).transaction is None
    assert read_rows(shop) == read_rows(other)
    with pytest.raises(UsageError, match="no file that a merge took"):
        withdraw(shop.lake, "landing/shop/account=A/none.csv", settings=shop.settings)


def test_all_that_ever_stood_at_a_path_is_withdrawn_at_once(shop: Home) -> None:
    declare(shop, "append")
    path = write_delivery(shop.root, 1, ["2024-01-01,x,1"])
    other = write_delivery(shop.root, 2, ["2024-01-01,x,4"])
    shop.merge()
    write_delivery(shop.root, 1, ["2024-01-01,x,2"])
    assert shop.merge().transaction == 2
    outcome = withdraw(shop.lake, path, settings=shop.settings)
    assert list_outcomes(outcome) == [("withdrawn", "withdrawn")] * 2
    left = read_rows(shop)
    assert len(left) == 1
    assert withdraw(shop.lake, path, settings=shop.settings).transaction is None
    assert shop.lake.storage.find(other)
    assert rebuild(shop.lake, settings=shop.settings).transaction == 4
    assert read_rows(shop) == left


def test_of_the_same_bytes_only_those_of_the_account_take_a_withdrawn_files_place(
    shop: Home,
) -> None:
    declare(shop, "append")
    rows = ["2024-01-01,x,10"]
    first = write_delivery(shop.root, 1, rows, folder="shop/account=A")
    for day in (2, 3):
        write_delivery(shop.root, day, rows, folder="shop/account=B")
    shop.merge()
    assert shop.read_master()["account"].sort().to_list() == ["A", "B"]
    withdraw(shop.lake, first, settings=shop.settings)
    assert shop.read_master().select("account", "cost").rows() == [("B", 10)]


def test_a_generated_day_is_no_file_to_withdraw(shop: Home) -> None:
    declare(shop, "append")
    write_delivery(shop.root, 1, MANY)
    shop.merge()
    with pytest.raises(UsageError, match="generate the day anew"):
        withdraw(shop.lake, "raw/ad_day/date=2024-01-01/manifest.json", settings=shop.settings)


def test_the_only_file_of_a_source_can_be_withdrawn(shop: Home) -> None:
    declare(shop, "replace_window")
    path = write_delivery(shop.root, 1, MANY)
    shop.merge()
    assert withdraw(shop.lake, path, settings=shop.settings).rows == 0


def test_a_withdrawal_that_cannot_read_the_others_changes_nothing(shop: Home) -> None:
    declare(shop, "replace_window")
    first = write_delivery(shop.root, 1, ["2024-01-01,x,1"])
    second = write_delivery(shop.root, 2, ["2024-01-01,x,2"])
    version = shop.merge().version
    (shop.root / first).unlink()
    with pytest.raises(LakeError, match="can't be read again"):
        withdraw(shop.lake, second, settings=shop.settings)
    assert shop.lake.take_snapshot().version == version


@pytest.mark.parametrize(
    ("campaigns", "words"),
    [(("y",), "line 2 of .* rule unknown_campaign_name"), (("x", "y", "z"), "takes other rows")],
)
def test_a_withdrawal_names_the_contract_that_changed(
    shop: Home, campaigns: tuple[str, ...], words: str
) -> None:
    declare(shop, "replace_window", campaigns=("x", "y"))
    first = write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-01,z,1"])
    second = write_delivery(shop.root, 2, ["2024-01-01,x,2"])
    shop.merge()
    declare(shop, "replace_window", campaigns=campaigns)
    with pytest.raises(LakeError, match=f"contract 'shop', as it is now, .*{words}") as caught:
        withdraw(shop.lake, second, settings=shop.settings)
    assert first in str(caught.value)


@pytest.mark.parametrize("mode", ["append", "replace_window"])
def test_a_replay_merges_what_passes_now_exactly_once(shop: Home, mode: str) -> None:
    declare(shop, mode, campaigns=("x",))
    path = write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-01,y,2"])
    shop.merge()
    assert replay(shop.lake, settings=shop.settings).transaction is None
    declare(shop, mode, campaigns=("x", "y"))
    replay(shop.lake, settings=shop.settings, paths=[path])
    assert read_rows(shop) == [("01", "x", "1.000000"), ("01", "y", "2.000000")]
    assert replay(shop.lake, settings=shop.settings).transaction is None
    assert shop.merge().transaction is None
    newest = shop.read_ledger().row(-1, named=True)
    assert (newest["rows_in"], newest["accepted"], newest["quarantined"]) == (2, 2, 0)


def test_a_file_that_was_refused_whole_is_replayed(shop: Home) -> None:
    path = write_delivery(shop.root, 1, ["2024-01-01,x,1"])
    merge(shop.lake, settings=SETTINGS)
    assert shop.read_ledger()["reason"].to_list() == ["header_mismatch"]
    declare(shop, "replace_window")
    assert replay(shop.lake, settings=shop.settings, paths=[path]).rows == 1
    assert replay(shop.lake, settings=shop.settings).transaction is None


def test_a_file_that_would_lose_rows_is_left_as_it_was_and_the_others_are_replayed(
    shop: Home,
) -> None:
    declare(shop, "upsert", top=UPSERT, campaigns=("x", "y"))
    worse = write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-01,z,3"])
    gone = write_delivery(shop.root, 2, ["2024-01-02,y,1", "2024-01-02,z,3"])
    write_delivery(shop.root, 3, ["2024-01-03,y,1", "2024-01-03,z,3"])
    shop.merge()
    declare(shop, "upsert", top=UPSERT, campaigns=("y", "z"))
    (shop.root / gone).unlink()
    outcome = replay(shop.lake, settings=shop.settings)
    assert read_rows(shop) == [
        ("01", "x", "1.000000"),
        ("02", "y", "1.000000"),
        ("03", "y", "1.000000"),
        ("03", "z", "3.000000"),
    ]
    first, second = outcome.left_out
    assert f"reject line 2 of {worse} by the rule unknown_campaign_name; a replay" in first
    assert f"{gone} can't be read again" in second
    assert replay(shop.lake, settings=shop.settings).transaction is None


@pytest.mark.parametrize("harm", ["gone", "left"])
def test_a_file_is_not_replayed_without_the_others_of_its_delivery(shop: Home, harm: str) -> None:
    declare(shop, "replace_window", campaigns=("x",))
    other = write_delivery(shop.root, 1, ["2024-01-01,x,1"], name="b.csv")
    path = write_delivery(shop.root, 1, ["2024-01-01,x,4", "2024-01-01,y,2"])
    if harm == "left":
        write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-01,z,2"], name="b.csv")
    shop.merge()
    before = (read_rows(shop), shop.read_ledger().height)
    declare(shop, "replace_window", campaigns=("x", "y"))
    (shop.root / other).unlink()
    outcome = replay(shop.lake, settings=shop.settings)
    assert (read_rows(shop), shop.read_ledger().height) == before
    assert f"{path} can't be replayed without {other}: {other} can't be" in outcome.left_out[0]


def test_a_replay_of_what_was_appended_keeps_the_rows_of_other_files(shop: Home) -> None:
    declare(shop, "append", campaigns=("x",))
    write_delivery(shop.root, 1, ["2024-01-01,x,1"])
    write_delivery(shop.root, 2, ["2024-01-01,x,2", "2024-01-01,y,5", "2024-01-03,x,1"])
    write_delivery(shop.root, 2, ["2024-01-01,x,20", "2024-01-02,z,1"], name="b.csv")
    write_delivery(shop.root, 3, ["2024-01-01,x,3"])
    shop.merge()
    declare(shop, "append", campaigns=("x", "y"))
    assert replay(shop.lake, settings=shop.settings).left_out == []
    assert read_rows(shop) == [
        ("01", "x", "26.000000"),
        ("01", "y", "5.000000"),
        ("03", "x", "1.000000"),
    ]
    assert replay(shop.lake, settings=shop.settings).transaction is None


@pytest.mark.slow
def test_the_order_of_arrival_does_not_matter(shop: Home, tmp_path: Path) -> None:
    declare(shop, "replace_window")
    deliveries = {
        1: ["2024-01-01,x,1", "2024-01-04,x,1"],
        2: ["2024-01-02,x,2", "2024-02-02,z,2"],
        3: ["2024-01-02,x,3"],
    }
    found = set()
    for number, order in enumerate(itertools.permutations(deliveries)):
        home = make_home(tmp_path, f"lake-{number}")
        for day in order:
            write_delivery(home.root, day, deliveries[day], folder="shop/account=A")
            home.merge()
        found.add(tuple(read_rows(home)))
    assert len(found) == 1


def test_a_scope_column_must_be_filled(shop: Home) -> None:
    folder = shop.settings.contracts_dir
    assert folder is not None
    declare(shop, "replace_window")
    text = (folder / "shop.toml").read_text()
    (folder / "shop.toml").write_text(text.replace("optional = true\nrequired = true", ""))
    with pytest.raises(ContractError, match=r"columns\.account is in the scope"):
        load_contracts(folder)
