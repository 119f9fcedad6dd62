"""What verify says where the master is not what was delivered."""

import shutil
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from pipeline.care.truth import Difference
from pipeline.errors import ExistsError, LakeError, UsageError
from pipeline.generate.request import GenerateRequest
from pipeline.steps.generate_messy import MessyPlan, generate_messy
from pipeline.steps.verify import verify
from pipeline.steps.withdraw import withdraw
from tests.steps.conftest import SETTINGS, Home
from tests.steps.messy import START, TODAY, announce, arrive, find_differences, make_request

CENT = Decimal("0.01")
REQUEST = make_request(5)


def find_written_cost(plan: MessyPlan) -> tuple[str, str, Decimal]:
    """A file of a true row, the row's campaign, and its cost, which the file says once."""
    copied = set(plan.deliveries["copy_of"].drop_nulls())
    for row in plan.rows.iter_rows(named=True):
        text = f"{row['cost']:.2f}".encode()
        if row["path"] not in copied and plan.files[row["path"]].count(text) == 1:
            return row["path"], row["campaign_name"], row["cost"]
    raise AssertionError


def test_a_changed_cent_is_seen_and_explained_by_its_file(home: Home) -> None:
    plan = announce(home, REQUEST)
    path, campaign, cost = find_written_cost(plan)
    arrive(home, plan, plan.files)
    data = plan.files[path].replace(f"{cost:.2f}".encode(), f"{cost + CENT:.2f}".encode())
    (home.root / path).write_bytes(data)
    home.merge()
    file, row = find_differences(home)
    assert (file.kind, file.why) == ("file", f"{path} was changed after it was generated")
    assert (row.kind, row.campaign, row.column) == ("differs", campaign, "cost")
    assert (row.truth, row.master) == (cost, cost + CENT)
    assert row.why == f"{path} was changed after it was generated"


def drop(home: Home, plan: MessyPlan, path: str) -> list[Difference]:
    """What is said where one file never came."""
    arrive(home, plan, (one for one in plan.files if one != path))
    home.merge()
    return find_differences(home)


@pytest.mark.slow
def test_a_file_that_never_came_explains_the_rows_of_others(home: Home) -> None:
    plan = announce(home, REQUEST)
    copied = set(plan.deliveries["copy_of"].drop_nulls())
    newest = plan.rows.filter(~pl.col("path").is_in(list(copied))).sort("delivered_at")
    path = newest["path"][-1]
    found = drop(home, plan, path)
    gone = f"{path} is not in the ledger: not merged, or gone"
    assert (found[0].kind, found[0].why) == ("file", gone)
    rows = found[1:]
    assert {one.kind for one in rows} >= {"missing", "differs"}
    assert all(one.why.startswith(gone) for one in rows)
    older = [one for one in rows if one.kind == "differs"]
    assert all("; the row is of landing/" in one.why for one in older)
    assert all(one.truth > one.master for one in older if one.column == "revenue")
    arrive(home, plan, [path])
    home.merge()
    assert find_differences(home) == []


@pytest.mark.slow
def test_a_copy_that_never_came_is_said_and_costs_no_row(home: Home) -> None:
    plan = announce(home, REQUEST)
    path = plan.deliveries.drop_nulls("copy_of")["path"][0]
    (only,) = drop(home, plan, path)
    assert (only.kind, only.master) == ("file", None)


@pytest.mark.slow
def test_a_file_that_nobody_generated_has_too_many_rows(home: Home) -> None:
    generate_messy(home.lake, REQUEST, today=TODAY)
    home.merge()
    stranger = "landing/tiktok_ads/account=other/delivered=2024-03-01T000000.000000Z/a.csv"
    target = home.root / stranger
    target.parent.mkdir(parents=True)
    header = "Campaign name,Campaign ID,By Day,Currency,Cost,Impressions,Clicks (destination)"
    target.write_text(f"{header}\nx,1,2024-02-12,USD,5.00,10,1\n")
    home.merge()
    (only,) = find_differences(home)
    assert (only.kind, only.account, only.truth, only.master) == ("too_many", "other", None, 5)
    assert only.why == f"{stranger} was not generated"


@pytest.mark.slow
def test_a_withdrawn_file_is_named_with_what_became_of_it(home: Home) -> None:
    plan = generate_messy(home.lake, REQUEST, today=TODAY)
    copied = set(plan.deliveries["copy_of"].drop_nulls())
    path = plan.rows.filter(~pl.col("path").is_in(list(copied)))["path"][-1]
    home.merge()
    withdraw(home.lake, path, settings=SETTINGS)
    first = find_differences(home)[0]
    assert (first.kind, first.column, first.master) == ("file", "outcome", "withdrawn")
    assert first.why == f"{path} is withdrawn"


@pytest.mark.slow
def test_a_row_that_was_let_pass_and_must_not_is_seen(home: Home) -> None:
    """A ledger that says other numbers of rejected rows than the generator knows."""
    plan = generate_messy(home.lake, REQUEST, today=TODAY)
    home.merge()
    changed = plan.deliveries.with_columns(pl.col("quarantined") + 1)
    (home.root / "truth/deliveries.parquet").unlink()
    changed.write_parquet(home.root / "truth/deliveries.parquet")
    found = find_differences(home)
    assert {one.kind for one in found} == {"file"}
    merged = plan.deliveries.filter(pl.col("copy_of").is_null()).height
    assert len(found) == merged
    assert {one.column for one in found} == {"quarantined"}
    assert all(one.truth == one.master + 1 for one in found)


@pytest.mark.slow
def test_an_older_version_is_compared_as_it_was(home: Home) -> None:
    generate_messy(home.lake, REQUEST, today=TODAY)
    home.merge()
    before = verify(home.lake, home.lake.take_snapshot(0))
    assert len(before.differences) == before.rows + before.files


def test_a_lake_without_truth_is_wrong_use_and_a_damaged_truth_an_error(home: Home) -> None:
    home.lake.initialise()
    with pytest.raises(UsageError, match=r"generate --messy"):
        find_differences(home)
    (home.root / "truth").mkdir()
    for name in ("ad_day", "deliveries"):
        (home.root / f"truth/{name}.parquet").write_bytes(b"nothing")
    with pytest.raises(LakeError, match=r"truth/ad_day.parquet cannot be read"):
        find_differences(home)


def test_a_truth_whose_tables_disagree_is_an_error(home: Home) -> None:
    announce(home, REQUEST)
    file = home.root / "truth/deliveries.parquet"
    pl.read_parquet(file).clear().write_parquet(file)
    with pytest.raises(LakeError, match=r"ad_day.parquet has .* rows of files that .* not name"):
        find_differences(home)


def test_the_same_request_again_changes_nothing_and_another_is_refused(home: Home) -> None:
    plan = generate_messy(home.lake, REQUEST, today=TODAY)
    assert generate_messy(home.lake, REQUEST, today=TODAY).files == plan.files
    shutil.rmtree(home.root / "landing")
    with pytest.raises(UsageError, match="truth of another request"):
        generate_messy(home.lake, make_request(6), today=TODAY)
    assert not (home.root / "landing").exists()


def test_a_range_whose_last_report_is_still_to_come_is_refused(home: Home) -> None:
    request = GenerateRequest(start=START, end=START, seed=1, rows=10)
    with pytest.raises(UsageError, match=r"expected an end before 2024-02-10"):
        generate_messy(home.lake, request, today=START)


@pytest.mark.parametrize(
    ("start", "rows", "said"),
    [(date(1999, 12, 31), 10, "no delivery is older"), (START, 2_000_001, "at most 2,000,000")],
)
def test_what_no_delivery_can_be_of_is_refused(
    home: Home, start: date, rows: int, said: str
) -> None:
    request = GenerateRequest(start=start, end=start, seed=1, rows=rows)
    with pytest.raises(UsageError, match=said):
        generate_messy(home.lake, request, today=TODAY)
    assert not home.root.exists()


def test_other_content_in_the_way_of_a_file_is_an_error_and_leaves_no_truth(home: Home) -> None:
    plan = announce(home, REQUEST)
    shutil.rmtree(home.root / "truth")
    path = next(iter(plan.files))
    (home.root / path).parent.mkdir(parents=True)
    (home.root / path).write_text("something else")
    with pytest.raises(ExistsError, match="other content"):
        generate_messy(home.lake, REQUEST, today=TODAY)
    assert not (home.root / "truth").exists()
