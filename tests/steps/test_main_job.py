"""The main job against the original program: the same files, the same numbers, the same bytes."""

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.export.run import export_csv
from pipeline.export.target import FolderTarget
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.kpi.catalogue import run_kpi
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import Lake
from pipeline.steps.land import land
from pipeline.steps.run import RunOutcome, run
from pipeline.storage import LocalStorage
from tests.lots import make_lots_frame, write_lots
from tests.steps.conftest import SETTINGS, Home

LOTS = 50


def read_kpi(home: Home, name: str) -> list[dict[str, Any]]:
    snapshot = home.lake.take_snapshot()
    with open_reading_connection(home.lake, snapshot, with_raw=False) as connection:
        return run_kpi(connection, name).to_dicts()


def export_lots(home: Home, folder: Path) -> list[Path]:
    snapshot = home.lake.take_snapshot()
    outcome = export_csv(
        home.lake,
        snapshot,
        targets=[FolderTarget(folder)],
        master=False,
        lots=snapshot.rows // LOTS,
    )
    return [folder / file.name for file in outcome.files]


def export_master(home: Home, folder: Path) -> Path:
    export_csv(home.lake, home.lake.take_snapshot(), targets=[FolderTarget(folder)])
    return folder / "marketing_master_dataset.csv"


def make_home(root: Path) -> Home:
    return Home(root, Lake(LocalStorage(root)))


@pytest.fixture(scope="module", params=[1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def lots_home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Home, pd.DataFrame]:
    """A lake of 50 lots as pandas wrote them, and their rows; the original's had 10,000 each."""
    root = tmp_path_factory.mktemp("original")
    frame = make_lots_frame(LOTS * request.param)
    write_lots(frame, root / "lake", lot_rows=request.param)
    home = make_home(root / "lake")
    outcome = home.merge()
    assert (outcome.rows, len(outcome.accounts)) == (len(frame), LOTS)
    return home, frame


def test_both_tables_of_the_original_report_equal_pandas(
    lots_home: tuple[Home, pd.DataFrame],
) -> None:
    home, frame = lots_home
    platforms = frame.groupby("platform")[["costo_total", "clicks", "impressions"]].sum()
    for row in read_kpi(home, "platform"):
        expected = platforms.loc[row["platform"]]
        assert float(row["spend"]) == pytest.approx(expected["costo_total"], rel=1e-9)
        assert row["clicks"] == expected["clicks"]
        assert row["impressions"] == expected["impressions"]
        cpc = expected["costo_total"] / expected["clicks"]
        assert row["cpc"] == pytest.approx(cpc, rel=1e-9)
        ctr = expected["clicks"] / expected["impressions"]
        assert row["ctr"] == pytest.approx(ctr, rel=1e-9)
    means = frame.groupby("target_audience")["video_view_time"].mean()
    rows = read_kpi(home, "audience")
    assert [row["target_audience"] for row in rows] == list(
        means.sort_values(ascending=False).index
    )
    for row in rows:
        expected_mean = means[row["target_audience"]]
        assert row["avg_view_time"] == pytest.approx(expected_mean, rel=1e-9)


def test_the_exported_csv_is_what_pandas_writes(
    lots_home: tuple[Home, pd.DataFrame], tmp_path: Path
) -> None:
    home, frame = lots_home
    ordered = frame.sort_values(["date", "campaign_id", "target_audience"])
    path = export_master(home, tmp_path)
    assert path.read_bytes() == ordered.to_csv(index=False).encode()


def test_an_export_that_is_landed_again_changes_nothing(
    lots_home: tuple[Home, pd.DataFrame], tmp_path: Path
) -> None:
    home, frame = lots_home
    before = home.lake.take_snapshot()
    paths = export_lots(home, tmp_path)
    assert len(paths) == LOTS
    land(home.lake, paths, settings=SETTINGS)
    outcome = home.merge()
    assert {account.reason for account in outcome.accounts} == {"own_export"}
    assert sum(account.duplicates for account in outcome.accounts) == len(frame)
    assert (outcome.rows_added, outcome.rows_removed) == (0, 0)
    assert home.lake.take_snapshot().files == before.files


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_home(tmp_path_factory.mktemp("generated") / "lake")
    run_small(home, rows=60_000, end=date(2024, 3, 31))
    return home


def run_small(
    home: Home, *, rows: int, end: date = date(2024, 1, 20), local_dir: Path | None = None
) -> RunOutcome:
    request = GenerateRequest(start=date(2024, 1, 1), end=end, seed=7, rows=rows)
    return run(
        home.lake,
        request,
        settings=SETTINGS,
        today=date(2026, 1, 1),
        local_dir=local_dir,
    )


def test_a_generated_lake_exported_as_lots_and_landed_elsewhere_is_the_same_lake(
    generated: Home, tmp_path: Path
) -> None:
    paths = export_lots(generated, tmp_path / "lots")
    other = make_home(tmp_path / "other")
    land(other.lake, paths, settings=SETTINGS)
    outcome = other.merge()
    assert outcome.rows == generated.lake.take_snapshot().rows == 60_000
    first = export_master(generated, tmp_path / "first").read_bytes()
    second = export_master(other, tmp_path / "second").read_bytes()
    assert first == second
    for name in ("platform", "audience", "month"):
        assert shared_figures(read_kpi(generated, name)) == shared_figures(read_kpi(other, name))


def shared_figures(rows: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """What the original's ten columns can say; revenue and conversions are not among them."""
    names = {
        "platform",
        "target_audience",
        "month",
        "currency",
        "spend",
        "clicks",
        "impressions",
        "cpc",
        "ctr",
        "cpm",
        "avg_view_time",
    }
    return [{name: row[name] for name in row.keys() & names} for row in rows]


def test_running_again_commits_nothing_and_makes_no_new_file(home: Home, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    first = run_small(home, rows=9_000, local_dir=exports)
    assert first.merged.rows == 9_000
    before = sorted(path for path in home.root.rglob("*") if path.is_file())
    for _ in range(2):
        again = run_small(home, rows=9_000, local_dir=exports)
        assert again.merged.transaction is None
        assert again.generated.days_written == 0
    assert sorted(path for path in home.root.rglob("*") if path.is_file()) == before
    assert home.lake.take_snapshot().rows == 9_000


def test_the_master_csv_is_in_the_lake_and_in_the_local_folder(home: Home, tmp_path: Path) -> None:
    run_small(home, rows=900, local_dir=tmp_path / "exports")
    name = "marketing_master_dataset.csv"
    local = (tmp_path / "exports" / name).read_bytes()
    assert (home.root / "exports" / name).read_bytes() == local
    assert local.count(b"\n") == 901


def test_other_content_of_a_day_replaces_it(home: Home) -> None:
    run_small(home, rows=9_000)
    outcome = run_small(home, rows=10_000)
    assert outcome.merged.rows == 10_000
    assert outcome.merged.rows_removed > 0
    back = run_small(home, rows=9_000)
    assert back.merged.rows == 9_000


def test_generated_days_are_merged_without_rejects_and_add_up(generated: Home) -> None:
    ledger = generated.read_ledger()
    assert ledger["quarantined"].sum() == 0
    assert ledger["accepted"].sum() == 60_000
    manifests = [
        json.loads((generated.root / path).read_bytes()) for path in ledger["path"].to_list()
    ]
    assert sum(manifest["rows"] for manifest in manifests) == 60_000


def test_a_changed_data_file_of_a_generated_day_is_set_aside(home: Home) -> None:
    run_small(home, rows=900)
    day = home.root / "raw/ad_day/date=2024-01-05"
    other = run_small_elsewhere(home, seed_rows=1800)
    (manifest,) = (other / "raw/ad_day/date=2024-01-05").glob("*.manifest.json")
    content = json.loads(manifest.read_bytes())
    for file in content["files"]:
        source = other / "raw/ad_day/date=2024-01-05" / file["name"]
        data = bytearray(source.read_bytes())
        data[len(data) // 2] ^= 1
        (day / file["name"]).write_bytes(data)
    newer = manifest.name.replace(".0.manifest", ".1.manifest")
    content["generation"] = 1
    content["delivered_at"] = content["delivered_at"].replace("00:00:00", "00:00:01")
    text = json.dumps(content, indent=1, sort_keys=True) + "\n"
    (day / newer).write_text(text)
    rows = home.lake.take_snapshot().rows
    home.merge()
    row = home.read_ledger().filter(outcome="quarantined").row(0, named=True)
    assert row["reason"] == "checksum_mismatch"
    assert home.lake.take_snapshot().rows == rows


def run_small_elsewhere(home: Home, *, seed_rows: int) -> Path:
    other = make_home(home.root.parent / "elsewhere")
    run_small(other, rows=seed_rows)
    return other.root


def test_a_generated_day_with_a_missing_file_waits_for_it_and_others_go_on(home: Home) -> None:
    request = GenerateRequest(start=date(2024, 1, 1), end=date(2024, 1, 3), seed=7, rows=300)
    generate_days(home.lake, request, today=date(2026, 1, 1), workers=1)
    (lost,) = (home.root / "raw/ad_day/date=2024-01-02").glob("*.parquet")
    lost.rename(home.root / "elsewhere")
    assert len(home.merge().unfinished) == 1
    assert home.merge().transaction is None
    reasons = home.read_ledger().select("path", "reason").rows()
    assert [path for path, _ in reasons if "2024-01-02" in path] == []
    assert home.read_master()["date"].unique().sort().to_list() == [
        date(2024, 1, 1),
        date(2024, 1, 3),
    ]
    snapshot = home.lake.take_snapshot()
    with open_reading_connection(home.lake, snapshot) as connection:
        days = connection.sql("select distinct date from raw order by date").fetchall()
    assert days == [(date(2024, 1, 1),), (date(2024, 1, 3),)]
    (home.root / "elsewhere").rename(lost)
    assert home.merge().rows == 300


def make_days(home: Home, *, rows: int) -> None:
    request = GenerateRequest(start=date(2024, 1, 1), end=date(2024, 1, 4), seed=7, rows=rows)
    generate_days(home.lake, request, today=date(2026, 1, 1), workers=1)


def test_a_day_that_was_emptied_stays_empty_when_its_older_rows_come_late(
    home: Home, tmp_path: Path
) -> None:
    make_days(home, rows=400)
    make_days(home, rows=3)
    late = tmp_path / "late"
    late.mkdir()
    older = list((home.root / "raw").rglob("*.0.manifest.json"))
    for path in older:
        path.rename(late / f"{path.parent.name}-{path.name}")
    assert home.merge().rows == 3
    for path in older:
        (late / f"{path.parent.name}-{path.name}").rename(path)
    outcome = home.merge()
    assert outcome.rows == 3
    assert sum(account.superseded for account in outcome.accounts) == 400


def test_days_far_apart_are_accepted_together_as_they_are_alone(home: Home) -> None:
    for day in (date(1999, 1, 1), date(2024, 1, 1)):
        request = GenerateRequest(start=day, end=day, seed=7, rows=50)
        generate_days(home.lake, request, today=date(2026, 1, 1), workers=1)
    assert home.merge().rows == 100


def test_a_copied_lake_has_nothing_to_merge(home: Home, tmp_path: Path) -> None:
    make_days(home, rows=400)
    home.merge()
    shutil.copytree(home.root, tmp_path / "copy", copy_function=shutil.copyfile)
    copy = make_home(tmp_path / "copy")
    assert copy.merge().transaction is None
    assert copy.lake.take_snapshot().rows == 400
