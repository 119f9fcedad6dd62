"""Exports of real lakes into folders and into the lake."""

import csv
import hashlib
import io
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.errors import LakeError, StorageError, UsageError
from pipeline.export import run
from pipeline.export.parts import plan_parts
from pipeline.export.register import find_export
from pipeline.export.run import export_csv, export_parquet
from pipeline.export.target import FolderTarget, LakeTarget
from pipeline.lake import Lake
from pipeline.schema import AD_DAY, SEED_CSV_COLUMNS
from pipeline.storage import LocalStorage
from tests.lakes import build_lake, commit_rows, make_row

MASTER = "marketing_master_dataset.csv"
HEADER = (",".join(SEED_CSV_COLUMNS) + "\n").encode()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return build_lake(tmp_path_factory.mktemp("lake"), make_rows(500))


def make_rows(count: int) -> list[dict[str, Any]]:
    draw = random.Random(7)
    return [
        make_row(
            date=date(2024, 1, 1) + timedelta(days=draw.randrange(90)),
            source=draw.choice(["lots", "demo"]),
            account=draw.choice(["b", "a"]),
            campaign_id=draw.choice([None, "c9", "c10", "#c", f"u{number}"]),
            campaign_name=f"n{number}",
            platform=draw.choice(["Google ADS", "Facebook ADS"]),
            target_audience=draw.choice(["Mujer +46", "Hombre, 18", None]),
            cost=f"{draw.randrange(10**6)}.{draw.randrange(100):02}",
            impressions=draw.randrange(10**6),
            clicks=draw.randrange(100),
            line=number,
        )
        for number in range(count)
    ]


def test_rows_stand_in_the_documented_order_whatever_order_they_came_in(
    tmp_path: Path, lake: Lake
) -> None:
    rows = make_rows(500)
    random.Random(1).shuffle(rows)
    other = build_lake(tmp_path / "other", rows[:100])
    for start in range(100, 500, 100):
        commit_rows(other, rows[start : start + 100])

    content = export_master(lake, tmp_path / "one")

    assert export_master(other, tmp_path / "two") == content
    keys = ("date", "source", "account", "campaign_id", "target_audience", "platform")
    ordered = sorted(
        rows, key=lambda row: [(row[key] is None, str(row[key] or "")) for key in keys]
    )
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    assert [line["campaign_id"] for line in lines] == [row["campaign_id"] or "" for row in ordered]
    assert [line["date"] for line in lines] == [str(row["date"]) for row in ordered]
    assert [line["platform"] for line in lines] == [row["platform"] for row in ordered]


def test_rows_alike_in_all_but_the_last_keys_stand_in_one_order_in_one_file_or_in_many(
    tmp_path: Path,
) -> None:
    draw = random.Random(3)
    rows = [
        make_row(
            date=date(2024, 1, draw.randrange(1, 3)),
            campaign_id=draw.choice([None, "c1"]),
            campaign_name=draw.choice([None, "a", "b"]),
            breakdown=(breakdown := draw.choice(["", "age", "place"])),
            segment=breakdown and draw.choice(["s", "t", "u"]),
            platform=draw.choice(["Google ADS", "Facebook ADS"]),
            clicks=number,
            line=number,
        )
        for number in range(120)
    ]
    one = build_lake(tmp_path / "one", rows)
    many = build_lake(tmp_path / "many", rows[::2])
    commit_rows(many, rows[1::2])

    content = export_master(one, tmp_path / "of-one")

    assert export_master(many, tmp_path / "of-many") == content
    # Ties of the documented keys are told apart by the rest of the master's order.
    keys = ("date", "campaign_id", "breakdown", "platform", "segment", "campaign_name", "line")
    ordered = sorted(
        rows, key=lambda row: [(row[key] is None, str(row[key] or "").zfill(9)) for key in keys]
    )
    lines = csv.DictReader(io.StringIO(content.decode()))
    assert [int(line["clicks"]) for line in lines] == [row["clicks"] for row in ordered]


def test_lots_together_are_the_master_file_cut_into_pieces(tmp_path: Path, lake: Lake) -> None:
    outcome = export_csv(
        lake, lake.take_snapshot(), targets=[FolderTarget(tmp_path / "new" / "dir")], lots=120
    )

    names = [MASTER, *(f"marketing_data_{number}.csv" for number in range(1, 6))]
    assert [file.name for file in outcome.files] == names
    assert [file.rows for file in outcome.files] == [500, 120, 120, 120, 120, 20]
    assert outcome.rows == 500
    folder = tmp_path / "new" / "dir"
    assert list_names(folder) == sorted(names)
    whole, *lots = [(folder / name).read_bytes() for name in names]
    assert whole == HEADER + b"".join(lot.removeprefix(HEADER) for lot in lots)
    for file in outcome.files:
        content = (folder / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)


def test_the_size_of_parts_does_not_show(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = export_master(lake, tmp_path / "large")
    monkeypatch.setattr(
        run, "plan_parts", lambda files, **days: plan_parts(files, **days, max_rows=7)
    )

    assert export_master(lake, tmp_path / "small") == whole


def test_both_targets_get_the_same_bytes(tmp_path: Path, lake: Lake) -> None:
    snapshot = lake.take_snapshot()
    folder, inside = FolderTarget(tmp_path / "a"), LakeTarget(lake.storage)

    export_csv(lake, snapshot, targets=[folder, inside], lots=300)
    first = lake.storage.read(f"exports/{MASTER}")
    export_csv(lake, snapshot, targets=[inside, folder, FolderTarget(tmp_path / "b")])

    assert first == lake.storage.read(f"exports/{MASTER}")
    assert first == (tmp_path / "a" / MASTER).read_bytes() == (tmp_path / "b" / MASTER).read_bytes()
    assert len(lake.storage.read("exports/marketing_data_2.csv").splitlines()) == 201
    assert not [entry for entry in Path(lake.uri).iterdir() if entry.name.startswith(".")]
    assert list_names(tmp_path / "b") == [MASTER]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2024, 1, 15), date(2024, 2, 2)),
        (date(2024, 3, 1), None),
        (None, date(2024, 1, 1)),
        (date(2024, 2, 29), date(2024, 2, 29)),
    ],
)
def test_both_borders_of_a_range_are_included(
    tmp_path: Path, lake: Lake, start: date | None, end: date | None
) -> None:
    wanted = [
        row["date"]
        for row in make_rows(500)
        if (start is None or row["date"] >= start) and (end is None or row["date"] <= end)
    ]

    content = export_master(lake, tmp_path, start=start, end=end)

    days = [line["date"] for line in csv.DictReader(io.StringIO(content.decode()))]
    assert days == [str(day) for day in sorted(wanted)]
    assert days


def test_without_rows_the_master_file_is_its_header_and_there_are_no_lots(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake")

    outcome = export_csv(
        lake, lake.take_snapshot(), targets=[FolderTarget(tmp_path / "out")], lots=10
    )

    assert [file.name for file in outcome.files] == [MASTER]
    assert (tmp_path / "out" / MASTER).read_bytes() == HEADER


def test_parquet_holds_the_canonical_rows_in_the_same_order(tmp_path: Path, lake: Lake) -> None:
    outcome = export_parquet(lake, lake.take_snapshot(), targets=[FolderTarget(tmp_path)])

    found = pq.read_table(tmp_path / "marketing_master_dataset.parquet")

    assert found.schema.equals(AD_DAY)
    assert outcome.rows == found.num_rows == 500
    lines = csv.DictReader(io.StringIO(export_master(lake, tmp_path).decode()))
    assert [line["campaign_id"] or None for line in lines] == found["campaign_id"].to_pylist()
    by_line = {row["line"]: row for row in found.to_pylist()}
    assert [by_line[row["line"]] for row in make_rows(500)] == make_rows(500)


def test_every_export_is_found_in_the_register_by_its_hash(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "lake", make_rows(30))
    snapshot = lake.take_snapshot()

    outcome = export_csv(lake, snapshot, targets=[FolderTarget(tmp_path / "out")], lots=20)
    export_csv(lake, snapshot, targets=[FolderTarget(tmp_path / "again")], lots=20)

    for file in outcome.files:
        note = find_export(lake.storage, file.sha256)
        assert note == {"name": file.name, "rows": file.rows, "version": snapshot.version}
    assert find_export(lake.storage, "0" * 64) is None
    assert find_export(lake.storage, "../../lake") is None


@pytest.mark.parametrize("text", [b"{", b"[]"])
def test_a_spoilt_note_in_the_register_is_an_error(tmp_path: Path, text: bytes) -> None:
    storage = LocalStorage(tmp_path)
    storage.create(f"exports/_files/{'a' * 64}.json", text)

    with pytest.raises(LakeError, match="exports/_files/aaaa"):
        find_export(storage, "a" * 64)


def test_lots_of_a_longer_export_before_are_named_and_stay(tmp_path: Path, lake: Lake) -> None:
    snapshot = lake.take_snapshot()
    target = FolderTarget(tmp_path)
    export_csv(lake, snapshot, targets=[target], lots=100)

    outcome = export_csv(lake, snapshot, targets=[target], lots=200)

    left = [str(tmp_path / f"marketing_data_{number}.csv") for number in (4, 5)]
    assert list(outcome.leftovers) == left
    assert all(Path(path).exists() for path in left)


def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_left(
    tmp_path: Path, lake: Lake
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("mine")

    with pytest.raises(StorageError, match=f"{in_the_way}/sub: cannot be written") as refusal:
        export_csv(lake, lake.take_snapshot(), targets=[FolderTarget(in_the_way / "sub")])

    assert refusal.value.exit_code == 4
    assert list_names(tmp_path) == ["file"]
    assert in_the_way.read_text() == "mine"


def test_a_second_target_that_cannot_be_written_leaves_the_first_as_it_was(
    tmp_path: Path, lake: Lake
) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / MASTER).write_text("old")
    (tmp_path / "bad").write_text("")
    targets = [FolderTarget(tmp_path / "good"), FolderTarget(tmp_path / "bad")]

    with pytest.raises(StorageError, match="bad: cannot be written"):
        export_csv(lake, lake.take_snapshot(), targets=targets)

    assert (tmp_path / "good" / MASTER).read_text() == "old"
    assert list_names(tmp_path / "good") == [MASTER]


def test_a_lost_or_spoilt_file_of_the_master_ends_the_export_with_nothing_left(
    tmp_path: Path,
) -> None:
    for number, spoil in enumerate((Path.unlink, lambda path: path.write_bytes(b"PAR1"))):
        lake = build_lake(tmp_path / f"lake{number}", make_rows(5))
        snapshot = lake.take_snapshot()
        spoil(Path(snapshot.file_uris[-1]))
        out = tmp_path / f"out{number}"

        with pytest.raises((LakeError, StorageError), match="parquet"):
            export_csv(lake, snapshot, targets=[FolderTarget(out)])

        assert list_names(out) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lots": 0}, "a lot has at least 1 row; got 0"),
        ({"master": False}, "nothing to export"),
        ({"start": date(2024, 2, 1), "end": date(2024, 1, 1)}, "is after the last day"),
        ({"targets": []}, "nowhere to export to"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    tmp_path: Path, lake: Lake, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        export_csv(
            lake, lake.take_snapshot(), **{"targets": [FolderTarget(tmp_path / "out")], **options}
        )

    assert not (tmp_path / "out").exists()


def export_master(lake: Lake, folder: Path, **days: date | None) -> bytes:
    export: Callable[..., run.ExportOutcome] = export_csv
    export(lake, lake.take_snapshot(), targets=[FolderTarget(folder)], **days)
    return (folder / MASTER).read_bytes()


def list_names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())
