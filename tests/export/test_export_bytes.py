"""The CSV's bytes, against those of pandas."""

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.export.files import cut_frames
from pipeline.export.seed_csv import (
    SOURCE_COLUMNS,
    shape_frame,
    spell_cells,
    write_header,
    write_lines,
)
from pipeline.schema import SEED_CSV_COLUMNS

TEXT_COLUMNS = ("campaign_id", "platform", "target_audience")
COUNT_COLUMNS = ("impressions", "clicks")
AMOUNT_COLUMNS = ("cost", "video_view_time", "reported_ctr", "reported_cpc")
TYPES: dict[str, pl.DataType] = {
    **dict.fromkeys(TEXT_COLUMNS, pl.String()),
    **dict.fromkeys(COUNT_COLUMNS, pl.Int64()),
    **dict.fromkeys(AMOUNT_COLUMNS, pl.Decimal(18, 6)),
    "date": pl.Date(),
}
HARD_TEXTS = [
    "000000000000000000012345678901234567890",
    'say "hi"',
    "a,b",
    "two\nlines",
    "",
    '"',
    "#x",
    " x ",
    "-5",
    "=1+1",
    "'",
    "ñandú 東京 🙂",
    "tab\there",
    "\\N",
    "null",
    "NaN",
    "1e-06",
    "Mujer +46",
]
TINY_AMOUNTS = ["0", "0.000001", "0.00001", "0.000099", "0.0001", "0.000101", "-0.000001"]
PLAIN_AMOUNTS = ["0.1", "0.07", "0.333333", "2.675", "1.005", "4684", "4684.5", "100000", "-12.5"]
HUGE_AMOUNTS = ["1e11", "123456789012.345678", "999999999999.999999"]
HARD_AMOUNTS = [Decimal(text) for text in (*TINY_AMOUNTS, *PLAIN_AMOUNTS, *HUGE_AMOUNTS)]

texts = (
    st.none()
    | st.sampled_from(HARD_TEXTS)
    | st.text(st.characters(codec="utf-8", exclude_characters="\r"))
)
counts = st.none() | st.integers(0, 2**63 - 1) | st.just(0)
amounts = (
    st.none()
    | st.sampled_from(HARD_AMOUNTS)
    | st.decimals(min_value=-(10**12) + 1, max_value=10**12 - 1, places=6)
    | st.decimals(min_value=0, max_value=10**6, places=2)
)
row_strategy = st.fixed_dictionaries(
    {
        **dict.fromkeys(TEXT_COLUMNS, texts),
        **dict.fromkeys(COUNT_COLUMNS, counts),
        **dict.fromkeys(AMOUNT_COLUMNS, amounts),
        "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    }
)


@pytest.mark.slow
@settings(max_examples=150)
@given(rows=st.lists(row_strategy, max_size=20))
def test_any_rows_are_written_as_pandas_writes_them(rows: list[dict[str, object]]) -> None:
    facts = make_facts(rows)

    assert write_csv(facts) == write_with_pandas(facts)


def test_a_quarter_of_a_million_rows_are_written_as_pandas_writes_them() -> None:
    rng = np.random.default_rng(20240101)
    count = 250_000
    scales = 10 ** rng.integers(1, 18, count)
    micros = rng.integers(0, scales)
    micros[: count // 4] = micros[: count // 4] // 1_000_000 * 1_000_000  # whole numbers
    micros[count // 4 : count // 2] = np.arange(count // 4)  # 0, 0.000001, 0.000002, ...
    amount = pl.Series(micros).cast(pl.Decimal(38, 0)) / 1_000_000
    names = pl.Series([*HARD_TEXTS, None, *(str(number) for number in range(3000))])
    facts = pl.DataFrame(
        {
            **{name: names.sample(count, with_replacement=True, seed=3) for name in TEXT_COLUMNS},
            "date": [
                date(2024, 1, 1) + timedelta(days=int(day)) for day in rng.integers(0, 366, count)
            ],
            **{name: rng.integers(0, 2**40, count) for name in COUNT_COLUMNS},
            **{name: amount.cast(pl.Decimal(18, 6)) for name in AMOUNT_COLUMNS},
        }
    )
    facts = facts.with_columns(
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.col(name)).alias(name)
        for name in (*AMOUNT_COLUMNS, "impressions")
    )

    assert write_csv(facts) == write_with_pandas(facts)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("4684", "4684.0"),
        ("0.5", "0.5"),
        ("0.100000", "0.1"),
        ("0.07", "0.07"),
        ("0.000001", "1e-06"),
        ("0.000099", "9.9e-05"),
        ("0.0001", "0.0001"),
        ("0", "0.0"),
    ],
)
def test_numbers_have_pandas_shortest_form(amount: str, text: str) -> None:
    facts = make_facts([{"cost": Decimal(amount), "date": date(2024, 2, 29)}])

    assert write_csv(facts).splitlines()[1] == f",2024-02-29,,,,,,,{text},".encode()


@pytest.mark.parametrize(
    ("columns", "ctr", "cpc"),
    [
        ({"clicks": 1, "impressions": 3, "cost": "1"}, "0.3333", "1.0"),
        ({"clicks": 3, "impressions": 1000, "cost": "1"}, "0.003", "0.33"),
        ({"clicks": 0, "impressions": 0, "cost": "1"}, "", ""),
        ({"clicks": 0, "impressions": 5, "cost": "1"}, "0.0", ""),
        ({"clicks": None, "impressions": None, "cost": "1"}, "", ""),
        ({"clicks": 1, "impressions": 20000, "cost": "0.125"}, "0.0", "0.12"),
        (
            {
                "clicks": 1,
                "impressions": 3,
                "cost": "1",
                "reported_ctr": "0.05",
                "reported_cpc": "0.123456",
            },
            "0.05",
            "0.123456",
        ),
    ],
)
def test_ctr_and_cpc_are_as_stated_or_else_computed_and_rounded(
    columns: dict[str, object], ctr: str, cpc: str
) -> None:
    amounts_given = {
        name: Decimal(str(columns[name])) for name in AMOUNT_COLUMNS if name in columns
    }
    facts = make_facts([{"date": date(2024, 1, 1), **columns, **amounts_given}])

    [line] = csv.DictReader(io.StringIO(write_csv(facts).decode()))

    assert (line["ctr"], line["cpc"]) == (ctr, cpc)


def test_a_carriage_return_is_quoted_as_python_3_13_does_so_that_the_row_stays_whole() -> None:
    facts = make_facts([{"platform": "a\rb", "date": date(2024, 1, 1)}])

    content = write_csv(facts)

    assert b'"a\rb"' in content
    assert len(pd.read_csv(io.BytesIO(content))) == 1


@given(heights=st.lists(st.integers(0, 30), max_size=8), lot_rows=st.integers(1, 12))
def test_lots_hold_all_rows_in_order_and_only_the_last_may_be_short(
    heights: Sequence[int], lot_rows: int
) -> None:
    total = sum(heights)
    frames = list(pl.DataFrame({"n": range(total)}).iter_slices(1))
    parts = [
        pl.concat(take) for height in heights if (take := [frames.pop(0) for _ in range(height)])
    ]

    lots: dict[int, list[int]] = {}
    for piece in cut_frames(parts, lot_rows):
        lots.setdefault(piece.lot, []).extend(piece.rows["n"])

    assert list(lots) == list(range(1, -(-total // lot_rows) + 1))
    assert [n for members in lots.values() for n in members] == list(range(total))
    assert all(len(members) == lot_rows for members in list(lots.values())[:-1])


def make_facts(rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(
        [{name: row.get(name) for name in SOURCE_COLUMNS} for row in rows],
        schema={name: TYPES[name] for name in SOURCE_COLUMNS},
    )


def write_csv(facts: pl.DataFrame) -> bytes:
    return write_header() + write_lines(spell_cells(shape_frame(facts)))


def write_with_pandas(facts: pl.DataFrame) -> bytes:
    """The oracle: Python's floats, numpy's rounding, pandas' to_csv."""
    columns = {name: facts[name].to_list() for name in SOURCE_COLUMNS}
    floats = {
        name: pd.Series([None if x is None else float(x) for x in columns[name]], dtype="float64")
        for name in AMOUNT_COLUMNS
    }
    clicks, impressions = (
        pd.Series([None if x in (None, zero) else float(x) for x in columns[name]], dtype="float64")
        for name, zero in (("clicks", None), ("impressions", 0))
    )
    some_clicks = clicks.where(clicks != 0)
    frame = pd.DataFrame(
        {
            **{name: pd.Series(columns[name], dtype=object) for name in TEXT_COLUMNS},
            "date": pd.Series([day.isoformat() for day in columns["date"]], dtype=object),
            **{name: pd.Series(columns[name], dtype="Int64") for name in COUNT_COLUMNS},
            "ctr": floats["reported_ctr"].fillna((clicks / impressions).round(4)),
            "cpc": floats["reported_cpc"].fillna((floats["cost"] / some_clicks).round(2)),
            "costo_total": floats["cost"],
            "video_view_time": floats["video_view_time"],
        }
    )
    return frame[list(SEED_CSV_COLUMNS)].to_csv(index=False).encode()
