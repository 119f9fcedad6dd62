"""Landing files: recognised first, all of them or none."""

import shutil
from pathlib import Path

import pytest

from pipeline.errors import ExistsError, UsageError
from pipeline.steps.land import land
from tests.lots import make_line, write_lot
from tests.steps.conftest import SETTINGS, Home


def test_a_lot_is_recognised_by_its_header_whatever_it_is_called(
    home: Home, tmp_path: Path
) -> None:
    lot = write_lot(tmp_path / "Campaign report (1) ñ [x].csv", [make_line()])
    (landed,) = land(home.lake, [lot], settings=SETTINGS)
    assert landed.contract == "lots"
    assert landed.path.startswith("landing/lots/delivered=")
    assert landed.path.endswith("/Campaign report (1) ñ [x].csv")
    assert home.merge().rows == 1
    assert lot.exists()


def test_one_file_of_no_contract_lands_none(home: Home, tmp_path: Path) -> None:
    good = write_lot(tmp_path / "good.csv", [make_line()])
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"bad\.csv cannot be landed \(header_mismatch\)"):
        land(home.lake, [good, bad], settings=SETTINGS)
    assert not home.root.exists()


@pytest.mark.parametrize("name", ["none.csv", "empty"])
def test_no_file_is_wrong_use(home: Home, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=name):
        land(home.lake, [tmp_path / name], settings=SETTINGS)
    assert not home.root.exists()


def test_a_folder_means_its_files_but_no_hidden_or_unfinished_ones(
    home: Home, tmp_path: Path
) -> None:
    for name in ("a.csv", "b.csv", ".c.csv", "d.csv.part"):
        write_lot(tmp_path / "in" / name, [make_line(campaign_id=name)])
    landed = land(home.lake, [tmp_path / "in"], settings=SETTINGS)
    assert [file.given.name for file in landed] == ["a.csv", "b.csv"]
    assert len({file.path.rsplit("/", 1)[0] for file in landed}) == 1


def test_two_files_of_one_name_are_refused(home: Home, tmp_path: Path) -> None:
    one = write_lot(tmp_path / "1/a.csv", [make_line()])
    two = write_lot(tmp_path / "2/a.csv", [make_line()])
    with pytest.raises(UsageError, match="same name"):
        land(home.lake, [one, two], settings=SETTINGS)


def test_each_landing_is_a_delivery_of_its_own(home: Home, tmp_path: Path) -> None:
    lot = write_lot(tmp_path / "a.csv", [make_line()])
    folders = {land(home.lake, [lot], settings=SETTINGS)[0].path for _ in range(3)}
    assert len(folders) == 3
    assert home.merge().rows == 1


def test_a_delivery_can_be_dated_and_named(home: Home, tmp_path: Path) -> None:
    lot = write_lot(tmp_path / "a.csv", [make_line()])
    (landed,) = land(
        home.lake, [lot], settings=SETTINGS, source="agency", delivered="2024-05-01T10:00-03:00"
    )
    assert landed.path == "landing/agency/delivered=2024-05-01T130000.000000Z/a.csv"
    home.merge()
    row = home.read_master().row(0, named=True)
    assert row["source"] == "agency"
    assert str(row["delivered_at"]) == "2024-05-01 13:00:00+00:00"


def test_landing_into_a_dated_delivery_again_is_harmless_with_the_same_bytes_only(
    home: Home, tmp_path: Path
) -> None:
    lot = write_lot(tmp_path / "a.csv", [make_line()])
    for _ in range(2):
        land(home.lake, [lot], settings=SETTINGS, delivered="2024-05-01")
    write_lot(lot, [make_line(clicks=1)])
    with pytest.raises(ExistsError, match="other content"):
        land(home.lake, [lot], settings=SETTINGS, delivered="2024-05-01")
    assert home.merge().rows == 1


@pytest.mark.parametrize(
    "option",
    [{"delivered": "yesterday"}, {"source": "a/b"}, {"source": ""}, {"source": "generated"}],
)
def test_bad_options_are_wrong_use(home: Home, tmp_path: Path, option: dict[str, str]) -> None:
    lot = write_lot(tmp_path / "a.csv", [make_line()])
    with pytest.raises(UsageError):
        land(home.lake, [lot], settings=SETTINGS, **option)  # type: ignore[arg-type]  # by name


def test_a_pipe_is_no_file(home: Home, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no such file"):
        land(home.lake, [tmp_path / "pipe"], settings=SETTINGS)
    shutil.rmtree(tmp_path)
