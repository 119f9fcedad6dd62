"""Time zones: which names are zones, and which words may mean one."""

from zoneinfo import available_timezones

import pytest

from pipeline.contracts import load_contracts
from pipeline.zones import is_zone, may_mean

NAMES = load_contracts()["microsoft_ads"].preamble.zones


def test_the_names_of_the_database_are_zones_and_nothing_else_is() -> None:
    here = available_timezones() - {"Factory", "localtime"}
    assert {name for name in here if not is_zone(name)} == set()
    for other in ("", "Europe", "Madrid", "europe/madrid", "+01:00", "Europe/Madrid ", "é"):
        assert not is_zone(other), other


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("Europe/Madrid", "Europe/Madrid"),
        ("Europe/Madrid", "Europe/Paris"),
        ("US/Eastern", "America/New_York"),
        ("UTC", "Etc/GMT"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT-05:00) eastern time (US & Canada)", "America/Toronto"),
        ("Arizona", "America/Phoenix"),
        ("(GMT+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/Madrid"),
        ("(UTC) Dublin, Edinburgh, Lisbon, London", "Europe/Dublin"),
        ("(GMT+02:00) Athens, Istanbul, Minsk", "Europe/Istanbul"),  # until 2016
        ("(GMT-03:30) Newfoundland", "America/St_Johns"),
        ("(GMT+01:00) Casablanca", "Africa/Casablanca"),  # but for Ramadan
        ("(GMT+01:00) Casablanca", "Africa/El_Aaiun"),
        ("(GMT+10:00) Canberra, Melbourne, Sydney", "Australia/Sydney"),
        ("Hora del Este", "Europe/Madrid"),
        ("Europe/Nowhere", "Europe/Madrid"),
        ("Europe/Madrid", "Europe/Nowhere"),
    ],
)
def test_words_may_mean_a_zone_that_they_do_not_speak_against(words: str, zone: str) -> None:
    assert may_mean(words, zone, NAMES)


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("Europe/Madrid", "Europe/London"),
        ("America/New_York", "America/Havana"),
        ("UTC", "Europe/London"),
        ("Eastern Time (US & Canada)", "America/Chicago"),
        ("Arizona", "America/Denver"),
        ("(GMT+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/London"),
        ("(GMT) Dublin, Edinburgh, Lisbon, London", "Europe/Madrid"),
        ("(GMT-03:30) Newfoundland", "America/Halifax"),
        ("(GMT+01:00) somewhere", "Atlantic/Azores"),
    ],
)
def test_words_that_say_another_zone_speak_against_it(words: str, zone: str) -> None:
    assert not may_mean(words, zone, NAMES)
