"""What a path says about the file that lies there."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import available_timezones

import pytest

from pipeline.errors import BadFileError
from pipeline.merge.place import (
    MAX_NAME_LENGTH,
    ZONE_MARK,
    Place,
    check_zone,
    format_delivered,
    is_bad_name,
    is_control_file,
    is_lock,
    is_root_lot,
    is_unfinished,
    parse_delivered,
    parse_period,
    read_labels,
    read_place,
    spell_path,
    was_landed,
)
from pipeline.zones import is_zone

JANUARY = (date(2024, 1, 1), date(2024, 1, 31))


def test_every_folder_says_its_part() -> None:
    path = (
        "landing/shop/account=A/currency=EUR/period=2024-01-01..2024-01-31/timezone=Europe.Madrid/"
        "delivered=2024-02-01/platform=p/breakdown=age/nobody=knows/x=y/plain/file=1.csv"
    )
    assert read_place(path) == Place(
        source="shop",
        delivered="2024-02-01",
        account="A",
        currency="EUR",
        period=JANUARY,
        time_zone="Europe/Madrid",
        claims=(("breakdown", "age"), ("platform", "p")),
    )
    assert read_labels(path) == ("A", "EUR", JANUARY)


def test_a_path_that_says_nothing_more_has_a_source() -> None:
    assert read_place("landing/shop/a.csv") == Place(source="shop")
    assert read_place("marketing_data_12.csv") == Place(source="lots")
    assert read_labels("landing/shop/a.csv") == (None, None, None)


def test_of_a_folder_that_stands_twice_the_inner_one_counts() -> None:
    place = read_place("landing/shop/account=a/account=b=c/x.csv")
    assert place.account == "b=c"


def test_every_time_zone_has_a_folder_of_its_own() -> None:
    zones = {zone for zone in available_timezones() if is_zone(zone)}
    assert len(zones) > 400
    folders = {zone.replace("/", ZONE_MARK): zone for zone in zones}
    assert len(folders) == len(zones)
    for folder, zone in folders.items():
        assert read_place(f"landing/shop/timezone={folder}/a.csv").time_zone == zone
        encoded = zone.replace("/", "%2F")
        assert read_place(f"landing/shop/timezone={encoded}/a.csv").time_zone == zone


@pytest.mark.parametrize(
    "name",
    ["", "..", "Europe..Madrid", "Europe. Madrid", ".Madrid", "é", "1", "+01:00", "Europe/Madrid"],
)
def test_a_folder_that_names_no_time_zone_is_refused(name: str) -> None:
    """A slash begins another folder, so that `timezone=Europe/Madrid` says `Europe`."""
    place = read_place(f"landing/shop/timezone={name}/a.csv")
    with pytest.raises(BadFileError, match="names no time zone; expected an IANA name") as caught:
        check_zone(place)
    assert caught.value.rule == "bad_time_zone"
    assert str(caught.value).endswith("with a dot or %2F for the slash: timezone=Europe.Madrid")


@pytest.mark.parametrize(
    ("path", "reason", "says"),
    [
        (
            "landing/a.csv",
            "no_source",
            "it lies in landing/ itself; expected landing/<source>/",
        ),
        (
            "landing/generated/a.csv",
            "reserved_source",
            "'generated' is the generator's own source",
        ),
    ],
)
def test_a_file_without_a_source_of_its_own_is_refused(path: str, reason: str, says: str) -> None:
    with pytest.raises(BadFileError) as caught:
        read_place(path)
    assert (caught.value.rule, str(caught.value)) == (reason, says)
    assert read_labels(path) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2024-01-01..2024-01-31", JANUARY),
        ("2024-01-01..2024-01-01", (JANUARY[0], JANUARY[0])),
        ("2024-01-31", (JANUARY[1], JANUARY[1])),
    ],
)
def test_a_period_is_two_days_or_one(text: str, period: tuple[date, date]) -> None:
    assert parse_period(text) == period


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "january",
            "the period 'january' is none; expected 2024-01-01..2024-01-31 or a day",
        ),
        (
            "2024-01-01..",
            "the period '2024-01-01..' is none; expected 2024-01-01..2024-01-31 or a day",
        ),
        (
            "2024-01-02..2024-01-01",
            "the period '2024-01-02..2024-01-01' ends before it begins",
        ),
    ],
)
def test_what_is_no_period_is_said(text: str, says: str) -> None:
    with pytest.raises(BadFileError) as caught:
        parse_period(text)
    assert (caught.value.rule, str(caught.value)) == ("bad_period", says)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-01T06:00:00Z", datetime(2024, 3, 1, 6, tzinfo=UTC)),
        ("2024-03-01T06:00:00", datetime(2024, 3, 1, 6, tzinfo=UTC)),
        ("2024-03-01T06:00:00+02:00", datetime(2024, 3, 1, 4, tzinfo=UTC)),
        ("2024-03-01", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2000-01-01", datetime(2000, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_of_delivery_is_utc_where_it_names_no_zone(text: str, moment: datetime) -> None:
    parsed = parse_delivered(text)
    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("soon", "delivered=soon is no ISO time, such as 2024-03-01T06:00:00Z"),
        (
            "0001-01-01T00:00:00+10:00",
            "delivered=0001-01-01T00:00:00+10:00 is no ISO time, such as 2024-03-01T06:00:00Z",
        ),
        ("1999-12-31T23:59:59", "delivered=1999-12-31T23:59:59 lies before 2000-01-01"),
    ],
)
def test_what_is_no_time_of_delivery_is_said(text: str, says: str) -> None:
    with pytest.raises(BadFileError) as caught:
        parse_delivered(text)
    assert (caught.value.rule, str(caught.value)) == ("bad_delivered", says)


def test_the_folder_of_a_delivery_is_read_back_to_the_microsecond() -> None:
    moment = datetime(2024, 3, 1, 14, 5, 6, 7, tzinfo=timezone(timedelta(hours=2)))
    folder = format_delivered(moment)
    assert folder == "delivered=2024-03-01T120506.000007Z"
    assert parse_delivered(folder.removeprefix("delivered=")) == moment
    assert was_landed(f"landing/s/{folder}/a.csv")
    assert not was_landed(f"landing/s/{folder}.csv")


@pytest.mark.parametrize(
    "name", ["a.csv.tmp", "A.PART", "b.partial", "c.crdownload", "d.filepart", "~$e.csv"]
)
def test_names_of_what_is_still_written_are_known(name: str) -> None:
    assert is_unfinished(f"landing/s/{name}")
    assert not is_unfinished(f"landing/{name}/a.csv")


def test_names_of_locks_are_known_by_the_last_part_of_the_path() -> None:
    assert is_lock(".~lock.a.csv#")
    assert is_lock("landing/s/~$a.xlsx")
    assert not is_lock("landing/~$s/a.csv")
    assert not is_lock("landing/s/a~$.csv")


def test_names_of_control_files_are_known_by_the_last_part_of_the_path() -> None:
    assert is_control_file("_SUCCESS")
    assert is_control_file("landing/s/_manifest.json")
    assert not is_control_file("landing/_SUCCESS/a.csv")
    assert not is_control_file("landing/s/x_SUCCESS")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "landing\\s\\a.csv",
        "landing/../a.csv",
        "..",
        "a\x1fb",
        "a\x7fb",
        "a" * (MAX_NAME_LENGTH + 1),
    ],
)
def test_paths_that_nobody_may_open_are_bad(path: str) -> None:
    assert is_bad_name(path)


@pytest.mark.parametrize("path", ["a b", "a..b/..c", "é\x80", "a" * MAX_NAME_LENGTH, "a~b"])
def test_other_paths_are_fine(path: str) -> None:
    assert not is_bad_name(path)


def test_a_path_of_foreign_bytes_is_spelt_with_escapes() -> None:
    assert spell_path("año/\udcff") == "año/\\udcff"


def test_lots_lie_at_the_root_under_their_name() -> None:
    assert is_root_lot("marketing_data_0.csv")
    for path in ("marketing_data_.csv", "x/marketing_data_1.csv", "marketing_data_1xcsv"):
        assert not is_root_lot(path)
