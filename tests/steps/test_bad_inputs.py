"""Every bad input by name, delivered to a real lake beside a good one."""

import json
import os
import re
import tempfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import load_contracts
from pipeline.lake import Lake
from pipeline.steps.ingest import FileTask, Ingested, ingest_file
from pipeline.storage import LocalStorage
from tests.lots import HEADER, make_line, write_lot
from tests.steps.bad_inputs import CASES, Case
from tests.steps.conftest import Home

COUNTS = ("accepted", "quarantined", "duplicates", "superseded")
CONTRACTS = list(load_contracts().values())


def name_folder(case: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", case.lower()).strip("-")


def deliver(root: Path, name: str, case: Case) -> None:
    path = root / "landing" / name_folder(name) / case.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if case.place:
        case.place(path)
    else:
        path.write_bytes(case.data)
    (root / "landing" / name_folder(name) / "good.csv").write_bytes(case.good)


class Merged:
    """What one merge made of all of them."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.outcome = home.merge()
        self.ledger = home.read_ledger()
        self.rejects = home.read_rejects()
        self.master = home.read_master()


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Merged:
    root = tmp_path_factory.mktemp("bad") / "lake"
    for name, case in CASES.items():
        deliver(root, name, case)
    return Merged(Home(root, Lake(LocalStorage(root))))


def test_no_two_cases_share_a_folder() -> None:
    assert len({name_folder(name) for name in CASES}) == len(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_gets_its_verdict(merged: Merged, name: str) -> None:
    case = CASES[name]
    path = f"landing/{name_folder(name)}/{case.name}"
    row = merged.ledger.row(by_predicate=pl.col("path") == path, named=True)
    rejects = merged.rejects.filter(path=path)
    faults = rejects.filter(pl.col("line").is_not_null()).sort("line").select("line", "rule")
    found = (row["outcome"], row["reason"] or "", *(row[count] for count in COUNTS), faults.rows())
    counts = (case.accepted, len(case.rejects), case.duplicates, case.superseded)
    assert found == (case.outcome, case.reason, *counts, list(case.rejects)), row["detail"]
    assert row["control"] == case.control
    assert json.loads(row["remarks"] or "{}") == case.remarks
    assert not case.reason or row["detail"]
    assert rejects["raw"].null_count() == 0
    rows = merged.master.filter(pl.col("campaign_id").ne_missing("good"), source=name_folder(name))
    assert len(rows) == case.accepted
    for column, values in case.stored.items():
        assert rows[column].drop_nulls().sort().to_list() == values


def test_every_good_file_beside_them_is_merged(merged: Merged) -> None:
    good = merged.ledger.filter(pl.col("path").str.ends_with("/good.csv"))
    assert len(good) == len(CASES)
    assert good.select("outcome", "reason", *COUNTS).unique().rows() == [
        ("merged", None, 1, 0, 0, 0)
    ]
    rows = merged.master.filter(campaign_id="good")
    assert sorted(rows["source"]) == sorted(name_folder(name) for name in CASES)


def test_every_row_of_every_file_is_accounted_for_once(merged: Merged) -> None:
    ledger = merged.ledger
    assert ledger.select(COUNTS).sum_horizontal().to_list() == ledger["rows_in"].to_list()
    assert len(ledger) == 2 * len(CASES)
    assert len(merged.master) == ledger["accepted"].sum()
    rows = merged.rejects.filter(pl.col("line").is_not_null())
    assert rows.select("path", "line").is_duplicated().sum() == 0
    assert len(rows) == ledger["quarantined"].sum()


def test_a_second_merge_judges_nothing_again(merged: Merged) -> None:
    assert merged.home.merge().transaction is None


def test_a7_the_same_file_under_two_names_counts_once(home: Home) -> None:
    for name in ("a.csv", "b.csv"):
        write_lot(home.root / "landing/lots" / name, [make_line()])
    home.merge()
    rows = home.read_ledger().select("path", "outcome", "reason", *COUNTS).rows()
    assert rows == [
        ("landing/lots/a.csv", "merged", None, 1, 0, 0, 0),
        ("landing/lots/b.csv", "duplicate", "same_file", 0, 0, 1, 0),
    ]
    assert home.lake.take_snapshot().rows == 1


def test_a11_a_name_that_looks_like_a_pattern_stands_for_its_own_file_only(home: Home) -> None:
    names = ["data[1].csv", "data1.csv", "star*.csv", "starry.csv", "q?.csv", "q1.csv"]
    for name in names:
        write_lot(home.root / "landing/lots" / name, [make_line(campaign_id=name)])
    home.merge()
    assert home.read_ledger().select("outcome", *COUNTS).unique().rows() == [("merged", 1, 0, 0, 0)]
    assert home.read_master()["campaign_id"].sort().to_list() == sorted(names)


def test_a8_a_file_that_is_overwritten_is_a_new_version(home: Home) -> None:
    lot = write_lot(home.root / "landing/lots/a.csv", [make_line(costo_total="1.0")])
    os.utime(lot, (1_718_000_000, 1_718_000_000))
    home.merge()
    write_lot(lot, [make_line(costo_total="3.5")])
    home.merge()
    assert home.read_ledger()["outcome"].to_list() == ["merged", "merged"]
    assert home.sum_with_duckdb("sum(cost)::varchar") == "3.500000"


def test_c27_a_late_correction_of_an_older_delivery_changes_nothing(home: Home) -> None:
    for day, cost in (("2024-06-02", "2.0"), ("2024-06-01", "1.0")):
        write_lot(home.root / f"landing/lots/delivered={day}/a.csv", [make_line(costo_total=cost)])
        home.merge()
    assert home.read_ledger().select(COUNTS).rows() == [(1, 0, 0, 0), (0, 0, 0, 1)]
    assert home.sum_with_duckdb("sum(cost)::varchar") == "2.000000"


GOOD, BLANK = "", "blank"
RECORDS = {
    make_line(campaign_id="{}"): GOOD,
    make_line(campaign_id='"{} ""q"", x"'): GOOD,
    make_line(campaign_id="{}", video_view_time=""): GOOD,
    "": BLANK,
    HEADER: "repeated_header",
    "# comment": "column_count",
    make_line() + ",{}": "column_count",
    make_line(campaign_id='a"{}'): "bad_quote",
    make_line(campaign_id="a\0{}"): "control_char",
    make_line(campaign_id="a\u200b{}"): "control_char",
    make_line(platform="a\r{}"): "control_char",
    make_line(campaign_id='"a\n{}"', date="x"): "control_char",
    make_line(campaign_id="\udcff{}"): "invalid_utf8",
    make_line(campaign_id=""): "missing_id",
    make_line(campaign_id="{}", date="2024-02-30"): "bad_date",
    make_line(campaign_id="{}", clicks="2.5"): "not_integer",
    make_line(campaign_id="{}", clicks=2000): "clicks_gt_impressions",
    make_line(campaign_id="{}", costo_total="nan"): "not_finite",
}
"""Records, with a place for a number, and what becomes of each."""


def ingest(data: bytes) -> tuple[Ingested, dict[int, str]]:
    """Reads a file; the second is the verdict on each line that is no control line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lot.csv"
        path.write_bytes(data)
        task = FileTask(
            read_no=1,
            path="landing/lots/lot.csv",
            local=path,
            contracts=CONTRACTS,
            source="lots",
            delivered_on=date(2025, 1, 1),
            spool=Path(folder),
        )
        result = ingest_file(task)
        verdicts = [(line, GOOD) for one in result.spooled for line in pl.read_ipc(one)["line"]]
        for one in result.rejects:
            verdicts += pl.read_ipc(one).select("line", "rule").rows()
    assert len(dict(verdicts)) == len(verdicts)
    return result, dict(verdicts)


@pytest.mark.slow
@settings(max_examples=500)
@given(
    picks=st.lists(st.sampled_from(list(RECORDS)), min_size=1, max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    is_ended=st.booleans(),
)
def test_every_line_of_any_mixture_is_accounted_for_once(
    picks: list[str], end: str, is_ended: bool
) -> None:
    records = [pick.replace("{}", str(number)) for number, pick in enumerate(picks)]
    if not is_ended:
        records.append(make_line(campaign_id="last"))
        picks = [*picks, make_line(campaign_id="{}")]
    expected, blank, line = {}, 0, 2
    for pick, record in zip(picks, records, strict=True):
        if RECORDS[pick] == BLANK:
            blank += 1
        else:
            expected[line] = RECORDS[pick]
        line += 1 + record.count("\n")
    text = end.join([HEADER, *records]) + (end if is_ended else "")
    # Many rows that are UTF-8, so that the file is not refused for those that are not.
    padding = [make_line(campaign_id=f"p{number}") for number in range(300)]
    text = end.join([HEADER, *padding]) + end + text.partition(end)[2]
    expected = {line + 300: rule for line, rule in expected.items()}
    expected |= dict.fromkeys(range(2, 302), GOOD)
    result, verdicts = ingest(text.encode("utf-8", "surrogateescape"))
    assert (result.reason, verdicts, result.control) == ("", expected, blank)
    good = sum(rule == GOOD for rule in expected.values())
    assert (result.valid, result.quarantined) == (good, len(expected) - good)
