"""What restating, taking back and judging again promise, on a real lake."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import polars as pl
import pytest

from pipeline.lake import Lake
from pipeline.steps.merge import MergeOutcome, merge
from pipeline.steps.replay import replay
from pipeline.steps.withdraw import withdraw
from pipeline.storage import LocalStorage
from tests.sources import write_contract, write_delivery
from tests.steps.conftest import SETTINGS, Home

ACCOUNT = "shop/account=A"
UPSERT = 'key = ["campaign_name", "date"]'
MANY = [f"2024-01-01,c{number},1" for number in range(120)]
MakeHome = Callable[[str], Home]


@pytest.fixture
def make_home(tmp_path: Path) -> MakeHome:
    """Makes lakes that share the contracts beside them."""
    settings = replace(SETTINGS, contracts_dir=tmp_path / "contracts")

    def make(name: str) -> Home:
        return Home(tmp_path / name, Lake(LocalStorage(tmp_path / name)), settings)

    return make


@pytest.fixture
def shop(make_home: MakeHome) -> Home:
    return make_home("lake")


def declare(home: Home, mode: str, *, top: str = "", campaigns: tuple[str, ...] = ()) -> None:
    folder = home.settings.contracts_dir
    assert folder is not None
    write_contract(folder, mode=mode, top=top, campaigns=campaigns)


def read_rows(home: Home) -> list[tuple[str, str, float]]:
    """Date, campaign, cost."""
    rows = home.read_master()
    if rows.is_empty():
        return []
    return (
        rows.select(pl.col("date").cast(pl.String), "campaign_name", pl.col("cost").cast(float))
        .sort(pl.all())
        .rows()
    )


def list_outcomes(outcome: MergeOutcome) -> list[tuple[str, str]]:
    return [(account.outcome, account.reason) for account in outcome.accounts]


def check_account(home: Home) -> None:
    ledger = home.read_ledger()
    parts = ledger.select("accepted", "quarantined", "duplicates", "superseded").sum_horizontal()
    assert parts.to_list() == ledger["rows_in"].to_list()
    commits = [one.metadata for one in home.lake.open_master().read_commits()]
    changes = [one["rows_added"] - one["rows_removed"] for one in commits if "n" in one]
    assert sum(changes) == home.lake.take_snapshot().rows


def test_coverage_stays_where_no_row_survived(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-02,x,1"], folder=ACCOUNT)
    shop.merge()
    write_delivery(shop.root, 9, [], folder=f"{ACCOUNT}/period=2024-01-01..2024-01-03")
    shop.merge()
    assert read_rows(shop) == []
    write_delivery(shop.root, 5, [f"2024-01-0{day},late,1" for day in (1, 3, 4)], folder=ACCOUNT)
    late = shop.merge()
    assert read_rows(shop) == [("2024-01-04", "late", 1.0)]
    assert (late.accounts[0].accepted, late.accounts[0].superseded) == (1, 2)
    check_account(shop)


def test_rejected_rows_speak_for_their_dates_and_refused_files_for_none(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 5, ["2024-01-01,x,5", "2024-01-02,x,bad"], folder=ACCOUNT)
    (shop.root / f"landing/{ACCOUNT}/delivered=2024-06-06").mkdir()
    broken = shop.root / f"landing/{ACCOUNT}/delivered=2024-06-06/a.csv"
    broken.write_text("date,nothing\n2024-01-03,1\n")
    shop.merge()
    write_delivery(shop.root, 1, ["2024-01-02,x,1", "2024-01-03,x,1"], folder=ACCOUNT)
    shop.merge()
    assert read_rows(shop) == [("2024-01-01", "x", 5.0), ("2024-01-03", "x", 1.0)]
    check_account(shop)


def test_with_platform_in_the_scope_one_platform_replaces_only_itself(shop: Home) -> None:
    declare(shop, "replace_window", top='scope = ["account", "platform"]')
    folder = shop.settings.contracts_dir
    assert folder is not None
    text = (folder / "shop.toml").read_text().replace('platform = "P"\n', "")
    (folder / "shop.toml").write_text(
        text + '\n[columns.platform]\ntype = "text"\nrequired = true\n'
    )
    header = "date,campaign_name,cost,platform"
    first = ["2024-01-01,x,1,P", "2024-01-01,gone,2,Q"]
    write_delivery(shop.root, 1, first, header=header, folder=ACCOUNT)
    shop.merge()
    write_delivery(shop.root, 2, ["2024-01-01,new,3,Q"], header=header, folder=ACCOUNT)
    shop.merge()
    assert read_rows(shop) == [("2024-01-01", "new", 3.0), ("2024-01-01", "x", 1.0)]
    check_account(shop)


def test_a_window_of_the_longest_length_is_not_held_and_a_day_more_is(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, ["2022-01-01,x,1", "2023-02-04,x,1"], folder=ACCOUNT)
    assert list_outcomes(shop.merge()) == [("merged", "")]
    write_delivery(shop.root, 2, ["2022-01-01,x,2", "2023-02-05,x,2"], folder=ACCOUNT)
    held = shop.merge()
    assert list_outcomes(held) == [("held", "long_window")]
    assert held.to_look_at
    check_account(shop)


def test_one_shared_campaign_is_enough_and_an_account_needs_none(shop: Home) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-01,y,1"])
    shop.merge()
    write_delivery(shop.root, 2, ["2024-01-01,x,2", "2024-01-01,z,2"])
    assert list_outcomes(shop.merge()) == [("merged", "")]
    write_delivery(shop.root, 3, ["2024-01-01,a,1"], folder=ACCOUNT)
    write_delivery(shop.root, 4, ["2024-01-01,b,1"], folder=ACCOUNT)
    assert list_outcomes(shop.merge()) == [("merged", ""), ("merged", "")]


@pytest.mark.parametrize(("bad", "outcome"), [(5, "merged"), (6, "held")])
def test_five_in_a_hundred_rejects_may_replace_rows_and_six_may_not(
    shop: Home, bad: int, outcome: str
) -> None:
    declare(shop, "replace_window")
    write_delivery(shop.root, 1, MANY[:100], folder=ACCOUNT)
    shop.merge()
    rows = [*MANY[bad:100], *(f"2024-01-01,bad{number},x" for number in range(bad))]
    path = write_delivery(shop.root, 2, rows, folder=ACCOUNT)
    assert [one for one, _ in list_outcomes(shop.merge())] == [outcome]
    if outcome == "held":
        assert len(read_rows(shop)) == 100
        merge(shop.lake, settings=shop.settings, accept=[path])
    assert len(read_rows(shop)) == 100 - bad
    check_account(shop)


@pytest.mark.parametrize("mode", ["append", "replace_window", "upsert"])
def test_a_withdrawn_file_stays_out_when_others_come(
    shop: Home, make_home: MakeHome, mode: str
) -> None:
    declare(shop, mode, top=UPSERT if mode == "upsert" else "")
    other = make_home("other")
    days = {
        1: ["2024-01-01,x,1", "2024-01-02,y,1"],
        2: ["2024-01-01,x,2", "2024-01-02,z,2", "2024-01-03,z,2"],
        3: ["2024-01-02,y,3"],
    }
    paths = {day: write_delivery(shop.root, day, days[day], folder=ACCOUNT) for day in (1, 2)}
    shop.merge()
    withdraw(shop.lake, paths[2], settings=shop.settings)
    write_delivery(shop.root, 3, days[3], folder=ACCOUNT)
    shop.merge()
    for day in (1, 3):
        write_delivery(other.root, day, days[day], folder=ACCOUNT)
    other.merge()
    assert read_rows(shop) == read_rows(other)
    assert shop.merge().transaction is None
    check_account(shop)


def test_a_replay_that_would_lose_rows_changes_nothing(shop: Home) -> None:
    declare(shop, "replace_window", campaigns=("x", "y"))
    write_delivery(shop.root, 1, ["2024-01-01,x,1", "2024-01-01,y,2", "2024-01-01,z,3"])
    shop.merge()
    before = read_rows(shop)
    version = shop.lake.take_snapshot().version
    declare(shop, "replace_window", campaigns=("z",))
    (why,) = replay(shop.lake, settings=shop.settings).left_out
    assert "a replay only adds" in why
    assert (read_rows(shop), shop.lake.take_snapshot().version) == (before, version)


def test_a_replay_keeps_its_rank_below_a_newer_delivery(shop: Home) -> None:
    declare(shop, "replace_window", campaigns=("x",))
    path = write_delivery(
        shop.root, 1, ["2024-01-01,x,1", "2024-01-01,y,1", "2024-01-02,y,1"], folder=ACCOUNT
    )
    write_delivery(shop.root, 2, ["2024-01-01,x,9"], folder=ACCOUNT)
    shop.merge()
    declare(shop, "replace_window", campaigns=("x", "y"))
    replay(shop.lake, settings=shop.settings, paths=[path])
    assert read_rows(shop) == [("2024-01-01", "x", 9.0), ("2024-01-02", "y", 1.0)]
    assert replay(shop.lake, settings=shop.settings).transaction is None
    check_account(shop)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "top"),
    [("append", ""), ("replace_window", ""), ("upsert", UPSERT)],
)
def test_ten_orders_of_arrival_give_one_master(make_home: MakeHome, mode: str, top: str) -> None:
    files = [
        (1, "a.csv", ["2024-01-01,x,1", "2024-01-31,gone,1"]),
        (1, "b.csv", ["2024-02-01,y,1", "2024-01-01,y,4"]),
        (2, "a.csv", ["2024-01-31,x,2", "2024-02-02,z,2"]),
        (3, "a.csv", ["2024-02-01,x,3"]),
    ]
    random = Random(14)
    found = set()
    for number in range(10):
        home = make_home(f"lake-{number}")
        declare(home, mode, top=top)
        for day, name, rows in random.sample(files, len(files)):
            write_delivery(home.root, day, rows, name=name, folder=ACCOUNT)
            if random.random() < 0.6:
                home.merge()
        home.merge()
        found.add(tuple(read_rows(home)))
        check_account(home)
    assert len(found) == 1


def test_the_newest_row_of_a_key_wins_in_any_order_where_segments_fold(
    make_home: MakeHome,
) -> None:
    header = "date,campaign_name,cost,hour"
    days = {
        1: ["2024-01-01,x,1,0", "2024-01-01,x,2,1"],
        2: ["2024-01-01,x,10,0", "2024-01-01,x,20,1"],
    }
    found = {}
    for name, order in {"up": [[1], [2]], "down": [[2], [1]], "at once": [[1, 2]]}.items():
        home = make_home(name)
        declare(home, "upsert", top=f'{UPSERT}\nfold = ["hour"]')
        for together in order:
            for day in together:
                write_delivery(home.root, day, days[day], header=header, folder=ACCOUNT)
            home.merge()
        found[name] = read_rows(home)
    assert found == {name: [("2024-01-01", "x", 30.0)] for name in found}


def test_what_repeats_a_withdrawn_file_counts_as_if_that_had_never_come(shop: Home) -> None:
    declare(shop, "append")
    first = write_delivery(shop.root, 1, ["2024-01-01,x,1"], folder=ACCOUNT)
    shop.merge()
    write_delivery(shop.root, 2, ["2024-01-01,x,1"], folder=ACCOUNT)
    assert list_outcomes(shop.merge()) == [("duplicate", "same_file")]
    withdraw(shop.lake, first, settings=shop.settings)
    assert read_rows(shop) == [("2024-01-01", "x", 1.0)]
