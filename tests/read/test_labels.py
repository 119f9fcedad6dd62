"""What a preamble says behind a label: here a time zone."""

import pytest

from pipeline.read.labels import MAX_LENGTH, find_labelled

LABELS = ("Time zone:", "Zona horaria:")
MADRID = "(GMT+01:00) Brussels, Copenhagen, Madrid, Paris"


@pytest.mark.parametrize(
    ("line", "delimiter", "zone"),
    [
        (f'"Time zone: {MADRID}"', ",", MADRID),
        (f'"Time zone: {MADRID}",,,', ",", MADRID),
        (f"Time zone: {MADRID}", ",", MADRID),
        (f"Time zone: {MADRID},,,", ",", MADRID),
        (f"TIME ZONE:\t{MADRID}\t\t", "\t", MADRID),
        ("zona horaria:  Europe/Madrid ", ";", "Europe/Madrid"),
        (f'"Time zone:","{MADRID}"', ",", MADRID),
        (f'"Time zone:";"{MADRID}";"";""', ";", MADRID),
        (f'Time zone:,"{MADRID}",,', ",", MADRID),
        ('Time zone: "Europe/Madrid"', ",", "Europe/Madrid"),
        ('"Time zone: Europe/Madrid","Rows: 15"', ",", "Europe/Madrid"),
        ('"Time zone:",""', ",", None),
        ("Time zone:", ",", None),
        ("The Time zone: UTC", ",", None),
        ("Report time: 1/1/2024", ",", None),
        ("", ",", None),
        ("Time zone: " + "x" * MAX_LENGTH, ",", "x" * MAX_LENGTH),
        ("Time zone: " + "x" * (MAX_LENGTH + 1), ",", None),
        ("Time zone: \x1b[31mUTC", ",", None),
    ],
)
def test_the_words_behind_its_label_are_the_zone(
    line: str, delimiter: str, zone: str | None
) -> None:
    assert find_labelled(["Report", line, "x"], LABELS, delimiter=delimiter) == zone


def test_without_a_label_nothing_is_a_zone() -> None:
    assert find_labelled(["Time zone: UTC"], (), delimiter=",") is None
