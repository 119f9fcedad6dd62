"""The KPIs on deliveries and quarantine, against what Python counts on random ledgers."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.selection import Selection
from pipeline.kpi.views import open_kpi_connection
from pipeline.schema import REJECTS
from tests.lakes import (
    DELIVERED_AT,
    build_lake,
    commit_rows,
    make_ledger_row,
    make_row,
    write_file,
)

SOURCES = 1_000
COUNTS = ("accepted", "quarantined", "duplicates", "superseded")
REJECT_PATH = "quarantine/all.parquet"


def make_files(number: int, pick: random.Random) -> list[dict[str, Any]]:
    files = []
    for file in range(pick.randrange(4)):
        counts = {name: pick.randrange(100) for name in COUNTS}
        files.append(
            make_ledger_row(
                source=f"s{number:04d}",
                path=f"landing/s{number:04d}/{file}.csv",
                outcome=pick.choice(["merged", "quarantined", "held", "duplicate", "withdrawn"]),
                delivered_at=DELIVERED_AT + timedelta(hours=pick.randrange(500)),
                time_zone=pick.choice(["UTC", "Europe/Madrid", None]),
                rows_in=sum(counts.values()),
                reject_path=REJECT_PATH,
                **counts,
            )
        )
    return files


def make_days(number: int, pick: random.Random) -> list[dict[str, Any]]:
    days = {date(2024, 1, 1) + timedelta(days=pick.randrange(40)) for _ in range(pick.randrange(4))}
    windows = ["7-day click", "1-day view", None]
    return [
        make_row(source=f"s{number:04d}", date=day, attribution=pick.choice(windows))
        for day in sorted(days)
    ]


def name_all(rows: list[dict[str, Any]], column: str) -> str | None:
    return ", ".join(sorted({row[column] for row in rows} - {None})) or None


@pytest.mark.slow
def test_deliveries_of_a_thousand_sources_are_counted_right(tmp_path: Path) -> None:
    pick = random.Random(5)
    files = [file for number in range(SOURCES) for file in make_files(number, pick)]
    days = [row for number in range(SOURCES) for row in make_days(number, pick)]
    again = [{**file, "outcome": "merged", "accepted": 7} for file in files if pick.random() < 0.3]
    write_file(lake := build_lake(tmp_path), REJECT_PATH, pa.Table.from_pylist([], REJECTS))
    commit_rows(lake, days, ledger=files)
    commit_rows(lake, [], ledger=again)
    newest = {file["path"]: file for file in [*files, *again]}

    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        found = {row["source"]: row for row in run_kpi(connection, "quality").to_dicts()}
        one = run_kpi(connection, "quality", Selection(source="s0001")).to_dicts()

    assert one == [row for source, row in found.items() if source == "s0001"]
    assert set(found) == {row["source"] for row in [*files, *days]}
    for source, row in found.items():
        own = [file for file in newest.values() if file["source"] == source]
        spoken = [day for day in days if day["source"] == source]
        dates = [day["date"] for day in spoken]
        outcomes = [file["outcome"] for file in own]
        assert row["files"] == len(own)
        assert row["merged_files"] == outcomes.count("merged")
        assert row["refused_files"] == outcomes.count("quarantined")
        assert row["held_files"] == outcomes.count("held")
        for name in ("rows_in", *COUNTS):
            assert row[name] == sum(file[name] for file in own)
        share = row["quarantined"] / row["rows_in"] if row["rows_in"] else None
        assert row["quarantined_share"] == (share and pytest.approx(share))
        there = [file for file in own if file["outcome"] != "withdrawn"]
        last = max((file["delivered_at"] for file in there), default=None)
        assert row["last_delivered_at"] == last
        merged = [file for file in own if file["outcome"] == "merged"]
        assert row["time_zone"] == name_all(merged, "time_zone")
        assert row["attribution"] == name_all(spoken, "attribution")
        assert (row["first_date"], row["last_date"]) == (
            min(dates, default=None),
            max(dates, default=None),
        )
        if dates:
            assert row["missing_days"] == (max(dates) - min(dates)).days + 1 - len(dates)
        behind = (max(day["date"] for day in days) - max(dates)).days if dates else None
        assert row["days_behind"] == behind


def test_a_source_that_has_stopped_is_behind_the_others_also_where_it_alone_is_asked_for(
    tmp_path: Path,
) -> None:
    last_days = {"stopped": date(2024, 1, 31), "going": date(2024, 6, 30)}
    files = [
        make_ledger_row(
            source=source,
            path=f"landing/{source}/a.csv",
            delivered_at=datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1),
        )
        for source, day in last_days.items()
    ]
    rows = [make_row(source=source, date=day) for source, day in last_days.items()]
    lake = build_lake(tmp_path, rows, ledger=files)

    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        found = {
            (row["source"], row["days_behind"])
            for source in (None, *last_days)
            for row in run_kpi(connection, "quality", Selection(source=source)).to_dicts()
        }

    assert found == {("stopped", 151), ("going", 0)}


def test_a_file_that_was_withdrawn_makes_no_source_fresh(tmp_path: Path) -> None:
    files = [
        make_ledger_row(
            path=f"landing/{number}.csv",
            outcome=outcome,
            delivered_at=DELIVERED_AT + timedelta(days=number),
        )
        for number, outcome in enumerate(["merged", "withdrawn"])
    ]
    lake = build_lake(tmp_path, [make_row()], ledger=files)
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        [row] = run_kpi(connection, "quality").to_dicts()
    assert (row["files"], row["last_delivered_at"]) == (2, DELIVERED_AT)


def test_of_several_time_zones_it_is_told_which_account_has_which(tmp_path: Path) -> None:
    zones = {"a": "Europe/Madrid", "b": "America/Lima", "": "the account's", "c": "Europe/Madrid"}
    files = [
        make_ledger_row(
            source=source,
            path=f"landing/{source}/{account}.csv",
            time_zone=zone,
            coverage=[{"account": account, "breakdown": ""}],
        )
        for source in ("one", "several")
        for account, zone in zones.items()
        if source == "several" or zone == "Europe/Madrid"
    ]
    commit_rows(lake := build_lake(tmp_path), [], ledger=files)
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        said = {
            row["source"]: row["time_zone"] for row in run_kpi(connection, "quality").to_dicts()
        }
    assert said == {
        "one": "Europe/Madrid",
        "several": "America/Lima (b), Europe/Madrid (a, c), the account's",
    }


def test_quarantine_of_a_thousand_sources_is_counted_right(tmp_path: Path) -> None:
    pick = random.Random(6)
    files = [file for number in range(SOURCES) for file in make_files(number, pick)]
    rejects = [
        dict.fromkeys(REJECTS.names, "x")
        | {
            "n": 1,
            "path": file["path"],
            "line": None if whole else line,
            "rule": pick.choice(["bad_date", "negative_clicks"]),
            "value": f"v{line}",
        }
        for file in files
        for whole in [pick.random() < 0.1]
        for line in range(1 if whole else pick.randrange(4))
    ]
    lake = build_lake(tmp_path)
    write_file(lake, REJECT_PATH, pa.Table.from_pylist(rejects, REJECTS))
    commit_rows(lake, [make_row()], ledger=files)
    wanted: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rejects:
        wanted[row["path"].split("/")[1], row["rule"]].append(row)

    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        found = run_kpi(connection, "quarantine").to_dicts()

    assert {(row["source"], row["rule"]) for row in found} == wanted.keys()
    assert len(found) == len(wanted)
    for row in found:
        rows = wanted[str(row["source"]), str(row["rule"])]
        assert row["files"] == len({one["path"] for one in rows})
        assert row["refused_rows"] == sum(one["line"] is not None for one in rows)
        assert row["first_path"] == min(one["path"] for one in rows)
    refused = [int(str(row["refused_rows"])) for row in found]
    assert refused == sorted(refused, reverse=True)
