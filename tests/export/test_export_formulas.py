"""Texts that a spreadsheet could take for a formula, in an export that is safe for one."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest

from pipeline.export.run import export_csv
from pipeline.export.seed_csv import neutralise_formulas
from pipeline.export.target import FolderTarget
from tests.lakes import build_lake, make_row
from tests.report.hostile import NAUGHTY

TRIGGERS = "=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20"
PAYLOADS = [
    *(f"{mark}1+1" for mark in TRIGGERS),
    *(f"{mark}cmd|' /C calc'!A0" for mark in TRIGGERS),
    *(f'{lead}=HYPERLINK("//example.invalid","x")' for lead in (" ", "\t", "\r", "\n", "\x00")),
    *(f"{lead}@SUM(1)" for lead in ('"', '""', '" ', "\ufeff", "\u200b", "\u00a0")),
    *("-5", "+5", "=", "-", "@"),
]
HARMLESS = ["", "a=b", "Mujer +46", "'=1", "5-5", "x@y", "#x", "\u00f1"]
NAME = "marketing_master_dataset.csv"


def neutralise(texts: list[str]) -> list[str]:
    return neutralise_formulas(pl.DataFrame({"name": texts}))["name"].to_list()


def read_rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))


def test_there_are_forty_payloads() -> None:
    assert len(set(PAYLOADS)) == 40


def test_every_text_like_a_formula_gets_an_apostrophe() -> None:
    assert neutralise(PAYLOADS) == [f"'{text}" for text in PAYLOADS]
    assert neutralise(HARMLESS) == HARMLESS
    assert not [text for text in neutralise(list(NAUGHTY)) if text.startswith(tuple(TRIGGERS))]


def test_numbers_stay_numbers_and_the_default_stays_as_it_was(tmp_path: Path) -> None:
    texts = [*PAYLOADS, *HARMLESS[1:]]
    rows = [
        make_row(campaign_id=text, platform=text, target_audience=text, cost="-5", clicks=-1)
        for text in texts
    ]
    lake = build_lake(tmp_path / "lake", rows)
    snapshot = lake.take_snapshot()

    for safe in (True, False):
        target = FolderTarget(tmp_path / f"{safe}")
        export_csv(lake, snapshot, targets=[target], safe=safe)

    plain, safe_rows = (read_rows(tmp_path / name / NAME) for name in ("False", "True"))
    wanted = dict(zip(texts, neutralise(texts), strict=True))
    assert len(plain) == len(safe_rows) == len(texts)
    for before, after in zip(plain, safe_rows, strict=True):
        assert after == {
            key: wanted.get(value, value) if key in TEXTS else value
            for key, value in before.items()
        }
        assert (after["costo_total"], after["clicks"]) == ("-5.0", "-1")


TEXTS = ("campaign_id", "platform", "target_audience")


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_text_is_not_touched(text: str) -> None:
    assert neutralise([text]) == [text]
