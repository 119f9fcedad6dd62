"""fsck: a whole lake passes; whatever is damaged is named."""

import os
import random
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline.delta.table import CHECKPOINT_EVERY
from pipeline.errors import EmptyLakeError, LakeError
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.kpi.rollup import KINDS
from pipeline.lake import Lake
from pipeline.steps.fsck import Checkup, fsck
from pipeline.steps.report import roll_up
from pipeline.steps.vacuum import vacuum
from pipeline.storage import LocalStorage
from tests.lakes import build_lake, make_row
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS, Home

FLIPS = 200


def generate(home: Home, days: int = 3, *, rows: int = 300, seed: int = 42) -> None:
    request = GenerateRequest(
        start=date(2024, 1, 30),
        end=date(2024, 1, 29 + days) if days < 3 else date(2024, 2, days - 2),
        seed=seed,
        rows=rows,
    )
    generate_days(home.lake, request, today=date(2024, 12, 31), workers=1)


def check(home: Home) -> Checkup:
    return fsck(home.lake, settings=SETTINGS)


def find_one(root: Path, pattern: str) -> Path:
    return min(root.glob(pattern))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake after three merges, with rows in quarantine and rollups."""
    root = tmp_path_factory.mktemp("whole") / "lake"
    home = Home(root, Lake(LocalStorage(root)))
    generate(home)
    home.merge()
    write_lot(root / "landing/lots/a.csv", [make_line(), make_line(clicks=-1)])
    home.merge()
    write_lot(root / "landing/lots/b.csv", [make_line(campaign_id="b")])
    home.merge()
    roll_up(home.lake, home.lake.take_snapshot(), settings=SETTINGS)
    return root


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Home:
    shutil.copytree(whole, tmp_path / "lake", copy_function=shutil.copy2)
    return Home(tmp_path / "lake", Lake(LocalStorage(tmp_path / "lake")))


def test_a_whole_lake_passes_and_what_was_checked_is_counted(whole: Path) -> None:
    checkup = fsck(Lake(LocalStorage(whole)), settings=SETTINGS)
    assert checkup.findings == []
    assert checkup.checked == {
        "master": 3,
        "ledger": 3,
        "quarantine": 1,
        "rollup": 6,
        "raw": 6,
        "landing": 2,
    }
    assert (checkup.version, checkup.gone) == (3, 0)
    assert set(checkup.orphans.values()) == {0}


def test_where_there_is_no_lake_nothing_is_checked(home: Home) -> None:
    with pytest.raises(EmptyLakeError, match="holds no lake"):
        check(home)


def test_orphans_are_counted_and_are_no_damage(copy: Home) -> None:
    (copy.root / "master/year=2024/month=01/0009-x.parquet").write_bytes(b"x")
    (copy.root / "quarantine/0009-x.parquet").write_bytes(b"x")
    (copy.root / ".scratch-abc").mkdir()
    (copy.root / ".scratch-abc/out-1.parquet").write_bytes(b"x")
    (copy.root / "master/_delta_log/00000000000000000004.json#1").write_bytes(b"x")
    checkup = check(copy)
    assert checkup.findings == []
    assert checkup.orphans == {
        "quarantine": 1,
        "rollup": 0,
        "master": 1,
        "ledger": 0,
        "unfinished": 2,
    }


def test_a_delivered_file_that_its_owner_took_away_or_changed_is_no_damage(copy: Home) -> None:
    (copy.root / "landing/lots/a.csv").unlink()
    write_lot(copy.root / "landing/lots/b.csv", [make_line(campaign_id="other")])
    checkup = check(copy)
    assert (checkup.findings, checkup.gone) == ([], 2)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


NEWEST = "_delta_log/00000000000000000003.json"
MIDDLE = "_delta_log/00000000000000000001.json"


@pytest.mark.parametrize("table", ["master", "ledger"])
@pytest.mark.parametrize(
    ("entry", "damage"),
    [
        (NEWEST, empty),
        (NEWEST, truncate),
        (MIDDLE, empty),
        (MIDDLE, truncate),
        (MIDDLE, Path.unlink),
    ],
)
def test_a_damaged_log_is_refused_by_every_command_and_named(
    copy: Home, table: str, entry: str, damage: Callable[[Path], None]
) -> None:
    damage(copy.root / table / entry)
    assert [finding.path for finding in check(copy).findings] == [f"{table}/{entry}"]
    before = copy.lake.storage.list("")
    with pytest.raises(LakeError, match=entry.rpartition("/")[2]):
        copy.lake.take_snapshot()
    with pytest.raises(LakeError, match=entry.rpartition("/")[2]):
        copy.merge()
    assert copy.lake.storage.list("") == before


def test_a_master_that_lost_its_newest_entries_is_refused(copy: Home) -> None:
    (copy.root / "master" / NEWEST).unlink()
    with pytest.raises(LakeError, match="ends with transaction 2 and the ledger knows 3"):
        copy.lake.take_snapshot()
    with pytest.raises(LakeError, match="the newest entries of _delta_log are gone"):
        copy.merge()
    (finding,) = check(copy).findings
    assert "master" in finding.path
    assert "are gone" in finding.detail


def test_what_another_tool_left_of_the_log_is_not_enough_to_know_what_is_garbage(
    home: Home,
) -> None:
    for number in range(CHECKPOINT_EVERY + 1):
        write_lot(home.root / f"landing/lots/{number}.csv", [make_line(campaign_id=f"c{number}")])
        home.merge()
    assert check(home).findings == []
    (home.root / "master/_delta_log/00000000000000000000.json").unlink()
    assert home.lake.take_snapshot().rows == CHECKPOINT_EVERY + 1
    for command in (vacuum, fsck):
        with pytest.raises(LakeError, match="does not reach back to 0000"):
            command(home.lake, settings=SETTINGS)


@pytest.mark.parametrize(
    "pattern",
    [
        "master/year=2024/month=03/00000003-*.parquet",
        "ledger/00000001-*.parquet",
        "quarantine/00000002-*.parquet",
        "rollup/daily/year=2024/month=02/*.parquet",
        "raw/ad_day/date=2024-01-30/*.parquet",
        "raw/ad_day/date=2024-01-30/*.json",
    ],
)
def test_a_file_with_a_flipped_bit_cut_off_or_missing_is_named(copy: Home, pattern: str) -> None:
    path = find_one(copy.root, pattern)
    name = str(path.relative_to(copy.root))
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damaged in (bytes(flipped), whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        assert name in [finding.path for finding in check(copy).findings]
    path.unlink()
    derived = name.startswith("rollup") or name.endswith(".json")
    missing = [finding for finding in check(copy).findings if finding.path == name]
    assert missing == [] if derived else "missing" in missing[0].detail


def test_damage_in_several_places_is_named_at_once(copy: Home) -> None:
    patterns = ("master/year=2024/**/*.parquet", "quarantine/*.parquet", "raw/ad_day/*/*.json")
    damaged = [find_one(copy.root, pattern) for pattern in patterns]
    for path in damaged:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    named = [finding.path for finding in check(copy).findings]
    assert named == [str(path.relative_to(copy.root)) for path in damaged]


def test_a_delivered_file_that_rotted_is_named(home: Home) -> None:
    path = write_lot(home.root / "landing/lots/b.csv", [make_line()])
    home.merge()
    status = path.stat()
    data = path.read_bytes().replace(b"1000", b"1001")
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [finding.path for finding in check(home).findings] == ["landing/lots/b.csv"]


def test_rows_of_one_place_and_rows_outside_their_month_are_named(tmp_path: Path) -> None:
    rows = [
        make_row(),
        make_row(line=2),
        make_row(campaign_id="c2"),
        make_row(date=date(2024, 2, 1)),
    ]
    lake = build_lake(tmp_path / "lake", rows)
    (finding,) = fsck(lake, settings=SETTINGS).findings
    assert finding.path == "master/year=2024/month=01"
    assert (
        "2 rows of one place (source lots, account main, campaign c1, 2024-01-01)" in finding.detail
    )


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_a_rollup_of_other_sums_is_named(copy: Home, kind: str) -> None:
    path = find_one(copy.root, f"rollup/{kind}/year=2024/month=03/*.parquet")
    table = pq.read_table(path)
    changed = pl.from_arrow(table)
    assert isinstance(changed, pl.DataFrame)
    rows = changed.with_columns(pl.col("rows") + 1).to_arrow().cast(table.schema)
    pq.write_table(rows, path, write_page_checksum=True)
    (finding,) = check(copy).findings
    assert finding.path == str(path.relative_to(copy.root))
    assert "its sums are not those" in finding.detail


@pytest.mark.faults
def test_every_flipped_bit_of_master_and_raw_is_found(home: Home) -> None:
    """In each round one in every folder: a manifest that is damaged says nothing of its files."""
    generate(home)
    home.merge()
    root, draw = home.root, random.Random(FLIPS)
    folders = {path.parent for path in root.glob("master/year=*/**/*.parquet")}
    folders |= set(root.glob("raw/ad_day/date=*"))
    flips = found = 0
    while flips < FLIPS:
        drawn = [draw.choice(sorted(folder.iterdir())) for folder in sorted(folders)]
        whole = {path: path.read_bytes() for path in drawn}
        for path, data in whole.items():
            damaged = bytearray(data)
            damaged[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            path.write_bytes(damaged)
        named = {finding.path for finding in check(home).findings}
        found += len(named & {str(path.relative_to(root)) for path in drawn})
        flips += len(drawn)
        for path, data in whole.items():
            path.write_bytes(data)
    assert found == flips
    assert check(home).findings == []
