"""Landing files: recognised first, all of them or none."""

import gzip
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import ExistsError, UsageError
from pipeline.steps.draft_contract import draft_contract
from pipeline.steps.label import Label
from pipeline.steps.land import land
from pipeline.steps.rebuild import rebuild
from pipeline.steps.withdraw import withdraw
from tests.exports import FACTS, Style, make_google_export
from tests.exports.downloads import make_microsoft_export
from tests.lots import make_line, write_lot
from tests.sources import write_contract
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
    with pytest.raises(UsageError, match=r"bad\.csv cannot be landed \(header_mismatch\)") as said:
        land(home.lake, [good, bad], settings=SETTINGS)
    assert "; the others (1) were not landed either" in str(said.value)
    assert not home.root.exists()


@pytest.mark.parametrize("name", ["~$book.xlsx", ".~lock.day.csv#"])
def test_the_lock_of_an_open_file_is_said_to_be_one(home: Home, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x05Maria" + bytes(159))
    with pytest.raises(UsageError, match="has a file open: close the file there"):
        land(home.lake, [tmp_path / name], settings=SETTINGS)
    land(home.lake, [write_lot(tmp_path / "a.csv", [make_line()])], settings=SETTINGS)
    lock = home.root / "landing" / "lots" / name
    lock.write_bytes(b"a lock")
    assert len(home.merge().accounts) == 1


def test_who_lands_a_file_of_no_contract_is_told_how_to_draft_one(
    home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "my phones.csv"
    file.write_text("name,phone\nAnn,555\n")
    with pytest.raises(UsageError, match=r"`adlake contract new '.*my phones\.csv'` drafts"):
        land(home.lake, [file], settings=SETTINGS)


@pytest.mark.parametrize("name", ["j.json", "j.csv", "j.csv.gz"])
def test_nobody_is_told_to_draft_a_contract_for_what_no_draft_is_made_of(
    home: Home, tmp_path: Path, name: str
) -> None:
    text = b'[{"name": "Ann", "phone": 555}]'
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    with pytest.raises(UsageError, match=r"JSON; expected CSV with a header$"):
        land(home.lake, [tmp_path / name], settings=SETTINGS)
    with pytest.raises(UsageError, match="JSON; expected CSV with a header"):
        draft_contract(tmp_path / name, settings=SETTINGS)


@pytest.mark.parametrize("name", ["none.csv", "empty"])
def test_no_file_is_wrong_use(home: Home, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=name):
        land(home.lake, [tmp_path / name], settings=SETTINGS)
    assert not home.root.exists()


def test_a_folder_means_its_files_but_no_hidden_or_unfinished_ones(
    home: Home, tmp_path: Path
) -> None:
    for name in ("a.csv", "b.csv", ".c.csv", "d.csv.part", "~$a.csv", ".~lock.a.csv#"):
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
    label = Label(source="agency", delivered="2024-05-01T10:00-03:00")
    (landed,) = land(home.lake, [lot], settings=SETTINGS, label=label)
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
        land(home.lake, [lot], settings=SETTINGS, label=Label(delivered="2024-05-01"))
    write_lot(lot, [make_line(clicks=1)])
    with pytest.raises(ExistsError, match="other content"):
        land(home.lake, [lot], settings=SETTINGS, label=Label(delivered="2024-05-01"))
    assert home.merge().rows == 1


def test_a_withdrawn_file_comes_back_only_as_a_later_delivery(home: Home, tmp_path: Path) -> None:
    lot = write_lot(tmp_path / "a.csv", [make_line()])
    label = Label(delivered="2024-05-01")
    (landed,) = land(home.lake, [lot], settings=SETTINGS, label=label)
    home.merge()
    withdraw(home.lake, landed.path, settings=SETTINGS)
    for name in ("a.csv", "b.csv"):
        again = write_lot(tmp_path / "again" / name, [make_line()])
        said = r"withdrawn from this very delivery.* --delivered"
        with pytest.raises(UsageError, match=said) as caught:
            land(home.lake, [again], settings=SETTINGS, label=label)
        assert f"({landed.path})" in str(caught.value)
    write_lot(tmp_path / "other.csv", [make_line(clicks=1)])
    land(home.lake, [tmp_path / "other.csv"], settings=SETTINGS, label=label)
    land(home.lake, [lot], settings=SETTINGS, label=Label(delivered="2024-05-02"))
    home.merge()
    assert home.read_master()["clicks"].to_list() == [20]


@pytest.mark.parametrize(
    "option", [{"account": "7001"}, {"currency": "EUR"}, {"period": "2024-01-05..2024-01-31"}]
)
def test_what_is_said_otherwise_of_a_withdrawn_file_makes_it_another(
    home: Home, tmp_path: Path, option: dict[str, str]
) -> None:
    said = {"currency": "USD", "account": "1", "period": "2024-01-05", "delivered": "2024-05-01"}
    path = tmp_path / "a.csv"
    path.write_text("Day,Campaign,Impr.,Clicks,Cost\n2024-01-05,Brand,10,1,2.50\n")
    (landed,) = land(home.lake, [path], settings=SETTINGS, label=Label(**said))
    home.merge()
    withdraw(home.lake, landed.path, settings=SETTINGS)
    with pytest.raises(UsageError, match="withdrawn from this very delivery"):
        land(home.lake, [path], settings=SETTINGS, label=Label(**said))
    land(home.lake, [path], settings=SETTINGS, label=Label(**{**said, **option}))
    assert home.merge().rows == 1
    row = home.read_master().row(0, named=True)
    assert [row[name] for name in ("account", "currency")] == [
        option.get(name, said[name]) for name in ("account", "currency")
    ]


@pytest.mark.parametrize(
    "option",
    [
        {"delivered": "yesterday"},
        {"source": "a/b"},
        {"source": ""},
        {"source": "generated"},
        {"account": "a/b"},
        {"account": "a=b"},
        {"account": ""},
        {"currency": "eur"},
        {"period": "May"},
        {"period": "2024-02-01..2024-01-01"},
    ],
)
def test_bad_options_are_wrong_use(home: Home, tmp_path: Path, option: dict[str, str]) -> None:
    lot = write_lot(tmp_path / "a.csv", [make_line()])
    (name,) = option
    with pytest.raises(UsageError, match=f"--{name}"):
        land(home.lake, [lot], settings=SETTINGS, label=Label(**option))
    assert not home.root.exists()


def test_what_a_person_says_of_a_file_stands_in_its_path(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "Report (1).csv"
    path.write_text("Day,Campaign,Impr.,Clicks,Cost\n2024-01-05,Brand,10,1,2.50\n")
    label = Label(account="123", currency="EUR", period="2024-01-01..2024-01-31")
    (landed,) = land(home.lake, [path], settings=SETTINGS, label=label)
    folder = "landing/google_ads/account=123/currency=EUR/period=2024-01-01..2024-01-31/delivered="
    assert landed.path.startswith(folder)
    assert landed.path.endswith("/Report (1).csv")
    assert not landed.lacks_account
    home.merge()
    row = home.read_master().row(0, named=True)
    assert (row["account"], row["currency"], str(row["cost"])) == ("123", "EUR", "2.500000")


def test_a_file_of_which_nobody_knows_the_currency_is_not_landed(
    home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Day,Campaign,Impr.,Clicks,Cost\n2024-01-05,Brand,10,1,2.50\n")
    with pytest.raises(UsageError, match="--currency"):
        land(home.lake, [path], settings=SETTINGS)
    assert not home.root.exists()


def test_a_file_without_days_has_to_be_of_one_day(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Campaign,Currency code,Impr.,Clicks,Cost\nBrand,EUR,10,1,2.50\n")
    for period in (None, "2024-01-01..2024-01-02"):
        with pytest.raises(UsageError, match="no column for the day"):
            land(home.lake, [path], settings=SETTINGS, label=Label(period=period))
    (landed,) = land(home.lake, [path], settings=SETTINGS, label=Label(period="2024-01-02"))
    assert landed.lacks_account
    home.merge()
    assert str(home.read_master()["date"][0]) == "2024-01-02"


def test_what_a_file_says_itself_is_left_to_it(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    names = "segments.date,customer.id,customer.currency_code,campaign.id,metrics.cost_micros"
    path.write_text(f"{names}\n2024-01-01,7,EUR,1,1000000\n")
    for label in (Label(account="7"), Label(currency="EUR")):
        with pytest.raises(UsageError, match=r"a\.csv says its .* leave --(account|currency) out"):
            land(home.lake, [path], settings=SETTINGS, label=label)
    assert not home.root.exists()
    (landed,) = land(home.lake, [path], settings=SETTINGS)
    assert not landed.lacks_account


def test_a_period_that_is_not_the_one_of_the_file_is_wrong_use(home: Home, tmp_path: Path) -> None:
    path = make_google_export().write(tmp_path / "in")
    with pytest.raises(UsageError, match=r"Campaign report.* says that it is of .* --period is"):
        land(home.lake, [path], settings=SETTINGS, label=Label(period="2024-01-01..2024-01-30"))
    assert not home.root.exists()
    label = Label(period="2024-01-01..2024-01-31", account="7")
    (landed,) = land(home.lake, [path], settings=SETTINGS, label=label)
    assert landed.path.endswith(f"/{path.name}")


def test_a_time_zone_is_kept_with_the_file_and_shifts_nothing(home: Home, tmp_path: Path) -> None:
    path = make_google_export().write(tmp_path / "in")
    for zone in ("America/Argentina/Buenos_Aires", None):
        label = Label(account="7", time_zone=zone)
        (landed,) = land(home.lake, [path], settings=SETTINGS, label=label)
        assert ("/timezone=America.Argentina.Buenos_Aires/" in landed.path) == bool(zone)
    home.merge()
    ledger = home.read_ledger().sort("delivered_at")
    assert ledger["outcome"].to_list() == ["merged", "merged"]
    assert ledger["time_zone"].to_list() == ["America/Argentina/Buenos_Aires", "the account's"]
    assert set(home.read_master()["date"]) == {fact.day for fact in FACTS}
    rebuild(home.lake, settings=SETTINGS)
    again = home.read_ledger().filter(n=2).sort("delivered_at")
    assert again["time_zone"].to_list() == ledger["time_zone"].to_list()


MADRID = "(GMT+01:00) Brussels, Copenhagen, Madrid, Paris"
"""As the preamble of Microsoft's sample says it."""


@pytest.mark.parametrize(
    ("words", "folder", "kept"),
    [
        (MADRID, "", MADRID),
        (MADRID, "timezone=Europe.Madrid/", "Europe/Madrid"),
        ("Eastern Time (US & Canada)", "timezone=America%2FNew_York/", "America/New_York"),
        ("Eastern Time (US & Canada)", "timezone=America.Toronto/", "America/Toronto"),
        ("the moon", "timezone=Europe.Madrid/", "Europe/Madrid"),
    ],
)
def test_a_preamble_and_a_folder_may_name_the_same_time_zone(
    home: Home, tmp_path: Path, words: str, folder: str, kept: str
) -> None:
    data = make_microsoft_export(Style()).data.replace(MADRID.encode(), words.encode())
    home.lake.storage.create(f"landing/microsoft_ads/{folder}a.csv", data)
    home.merge()
    (row,) = home.read_ledger().to_dicts()
    assert (row["outcome"], row["time_zone"]) == ("merged", kept)


def test_a_preamble_and_a_folder_of_two_time_zones_contradict_each_other(
    home: Home, tmp_path: Path
) -> None:
    path = make_microsoft_export(Style()).write(tmp_path / "in")
    with pytest.raises(UsageError, match=r"\(GMT\+01:00\) Bru.* is 'Europe/London'; leave"):
        land(home.lake, [path], settings=SETTINGS, label=Label(time_zone="Europe/London"))
    assert land(home.lake, [path], settings=SETTINGS, label=Label(time_zone="Europe/Madrid"))
    other = "landing/microsoft_ads/timezone=Europe.London/a.csv"
    home.lake.storage.create(other, path.read_bytes())
    home.merge()
    said = {row["outcome"]: row for row in home.read_ledger().to_dicts()}
    assert said["merged"]["time_zone"] == "Europe/Madrid"
    assert said["quarantined"]["reason"] == "bad_time_zone"
    assert said["quarantined"]["detail"].endswith("and its place says Europe/London")


def test_a_time_zone_in_two_folders_is_refused_with_a_way_to_write_it(
    home: Home, tmp_path: Path
) -> None:
    data = make_google_export().write(tmp_path / "in").read_bytes()
    home.lake.storage.create("landing/google_ads/account=7/timezone=Europe/Madrid/a.csv", data)
    home.merge()
    (row,) = home.read_ledger().to_dicts()
    assert (row["outcome"], row["reason"]) == ("quarantined", "bad_time_zone")
    assert row["detail"].endswith("with a dot or %2F for the slash: timezone=Europe.Madrid")


@pytest.mark.parametrize(
    ("zone", "like"), [("Europe/Madird", "Europe/Madrid"), ("", "Europe/Madrid")]
)
def test_a_time_zone_that_is_none_is_wrong_use(
    home: Home, tmp_path: Path, zone: str, like: str
) -> None:
    path = make_google_export().write(tmp_path / "in")
    with pytest.raises(UsageError, match=f"expected an IANA name such as {like}$"):
        land(home.lake, [path], settings=SETTINGS, label=Label(time_zone=zone))
    assert not home.root.exists()


def test_of_two_contracts_that_fit_the_source_decides(home: Home, tmp_path: Path) -> None:
    for name in ("north", "south"):
        write_contract(tmp_path / "own", mode="append", name=name)
    settings = replace(SETTINGS, contracts_dir=tmp_path / "own")
    path = tmp_path / "a.csv"
    path.write_text("date,campaign_name,cost\n2024-01-01,a,1\n")
    with pytest.raises(UsageError, match="north and south; choose with --source north or"):
        land(home.lake, [path], settings=settings)
    (landed,) = land(home.lake, [path], settings=settings, label=Label(source="south"))
    assert landed.contract == "south"
    assert landed.path.startswith("landing/south/delivered=")


def test_files_of_several_contracts_land_each_with_its_source(home: Home, tmp_path: Path) -> None:
    lot = write_lot(tmp_path / "lot.csv", [make_line()])
    download = make_google_export().write(tmp_path / "in")
    landed = land(home.lake, [lot, download], settings=SETTINGS)
    assert [one.path.split("/")[1] for one in landed] == ["lots", "google_ads"]
    assert [one.lacks_account for one in landed] == [False, True]


def test_a_pipe_is_no_file(home: Home, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no such file"):
        land(home.lake, [tmp_path / "pipe"], settings=SETTINGS)
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize(
    "option",
    [{"account": " "}, {"account": "7 "}, {"period": "20240105"}, {"period": "2024-W01-1"}],
)
def test_a_label_is_written_in_one_way_only(
    home: Home, tmp_path: Path, option: dict[str, str]
) -> None:
    lot = write_lot(tmp_path / "a.csv", [make_line()])
    (name,) = option
    with pytest.raises(UsageError, match=f"--{name} is"):
        land(home.lake, [lot], settings=SETTINGS, label=Label(**option))
    assert not home.root.exists()


@pytest.mark.parametrize(("account", "source"), [("x" * 260, None), ("x" * 240, "y" * 240)])
def test_what_no_merge_would_open_is_not_landed(
    home: Home, tmp_path: Path, account: str, source: str | None
) -> None:
    lot = write_lot(tmp_path / "a.csv", [make_line()])
    with pytest.raises(UsageError, match="choose a shorter"):
        land(home.lake, [lot], settings=SETTINGS, label=Label(account=account, source=source))
    assert not home.root.exists()


def test_one_taken_name_lands_none(home: Home, tmp_path: Path) -> None:
    label = Label(delivered="2024-05-01")
    taken = write_lot(tmp_path / "b.csv", [make_line()])
    land(home.lake, [taken], settings=SETTINGS, label=label)
    write_lot(taken, [make_line(clicks=1)])
    other = write_lot(tmp_path / "a.csv", [make_line(campaign_id="d")])
    with pytest.raises(ExistsError, match="other content"):
        land(home.lake, [other, taken], settings=SETTINGS, label=label)
    assert [path.name for path in home.root.glob("landing/**/*.csv")] == ["b.csv"]
