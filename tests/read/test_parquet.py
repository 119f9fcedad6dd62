"""Parquet deliveries: each drift of the schema is decided, and no value is changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contracts import Contract
from pipeline.contracts.model import Dialect, Headers
from pipeline.errors import BadFileError
from pipeline.read.parquet import BATCH_ROWS, lay_out_parquet, read_parquet_rows
from pipeline.read.parquet_rows import ParquetRows
from tests.read.parquet_files import make_contract, make_table, replace

MIDNIGHT = datetime(2024, 3, 1)  # noqa: DTZ001 - naive on purpose
NOON = datetime(2024, 3, 1, 12)  # noqa: DTZ001 - likewise
FAR = datetime(3024, 3, 1)  # noqa: DTZ001 - likewise


def write(path: Path, table: pa.Table, **options: Any) -> Path:
    pq.write_table(table, path / "delivery.parquet", **options)
    return path / "delivery.parquet"


def read(path: Path, contract: Contract | None = None) -> pl.DataFrame:
    none = pl.DataFrame(schema={name: pl.String() for name in make_table(0).column_names})
    batches = [rows.cells for rows in read_batches(path, contract)]
    return pl.concat(batches) if batches else none


def read_batches(path: Path, contract: Contract | None = None) -> list[ParquetRows]:
    layout = lay_out_parquet(path, [contract or make_contract()])
    return list(read_parquet_rows(path, layout))


@dataclass
class Drift:
    """A column that arrives otherwise, and its texts, or the reason why the file is refused."""

    column: str
    values: pa.Array | Sequence[Any]
    texts: list[str] | None = None
    rule: str = ""


def numbers(values: Sequence[Any], data_type: pa.DataType) -> pa.Array:
    return pa.array(values, data_type)


DRIFTS = {
    "D1 whole floats": Drift("clicks", [1.0, 20.0, None, -0.0], ["1", "20", "", "0"]),
    "D1 a fraction": Drift("clicks", [1.0, 2.5], rule="schema_type:clicks"),
    "D1 floats that are no number": Drift("clicks", [1.0, float("nan")], ["1", "nan"]),
    "D1 a huge float": Drift("clicks", [1e19], ["10000000000000000000"]),
    "D1 float noise in a decimal": Drift(
        "cost", [0.1 + 0.2, 12.5, float("inf")], ["0.30000000000000004", "12.5", "inf"]
    ),
    "D1 float32 in a decimal": Drift("cost", numbers([0.1], pa.float32()), ["0.1"]),
    "D2 digits as text": Drift("clicks", ["1", "2"], rule="schema_type:clicks"),
    "D2 money as text": Drift("cost", ["1.50"], rule="schema_type:cost"),
    "D3 int8": Drift("clicks", numbers([-1, 127], pa.int8()), ["-1", "127"]),
    "D3 uint32": Drift("clicks", numbers([2**32 - 1], pa.uint32()), ["4294967295"]),
    "D3 uint64": Drift("clicks", numbers([1, 2**64 - 1], pa.uint64()), ["1", str(2**64 - 1)]),
    "D3 booleans": Drift("clicks", [True], rule="schema_type:clicks"),
    "D4 finer decimal": Drift(
        "cost", numbers([Decimal("1.2300000001")], pa.decimal128(30, 10)), ["1.2300000001"]
    ),
    "D4 wide decimal": Drift("cost", numbers([Decimal("1.5")], pa.decimal256(60, 1)), ["1.5"]),
    "D4 whole decimals as integers": Drift(
        "clicks", numbers([Decimal("7.00"), None], pa.decimal128(20, 2)), ["7", ""]
    ),
    "D4 a fraction as integer": Drift(
        "clicks", numbers([Decimal("7.50")], pa.decimal128(20, 2)), rule="schema_type:clicks"
    ),
    "D4 integers as money": Drift("cost", numbers([15], pa.int32()), ["15"]),
    "D8 nulls without a type": Drift("platform", numbers([None, None], pa.null()), ["", ""]),
    "D8 nulls for numbers": Drift("clicks", numbers([None], pa.null()), [""]),
    "D9 date as text": Drift("date", ["2024-03-01"], rule="schema_type:date"),
    "D9 date as days": Drift("date", [19_783], rule="schema_type:date"),
    "D9 date64": Drift("date", numbers([date(2024, 3, 1)], pa.date64()), ["2024-03-01"]),
    "D9 midnight": Drift("date", [MIDNIGHT, None], ["2024-03-01", ""]),
    "D9 noon": Drift("date", [MIDNIGHT, NOON], rule="schema_type:date"),
    "D10 UTC": Drift("date", numbers([MIDNIGHT], pa.timestamp("us", "UTC")), ["2024-03-01"]),
    "D10 nanoseconds": Drift("date", numbers([MIDNIGHT], pa.timestamp("ns")), ["2024-03-01"]),
    "D10 milliseconds": Drift("date", numbers([FAR], pa.timestamp("ms")), ["3024-03-01"]),
    "D10 another zone": Drift(
        "date", numbers([MIDNIGHT], pa.timestamp("us", "Europe/Madrid")), rule="schema_type:date"
    ),
    "D10 a year of five digits": Drift(
        "date", numbers([2_932_897], pa.int32()).cast(pa.date32()), ["day 2932897 after 1970-01-01"]
    ),
    "D11 dictionary": Drift(
        "platform", pa.array(["a", None, "a"]).dictionary_encode(), ["a", "", "a"]
    ),
    "D11 large text": Drift("platform", numbers([" a "], pa.large_string()), ["a"]),
    "D11 text views": Drift("platform", numbers(["a", ""], pa.string_view()), ["a", ""]),
    "D11 ids as numbers": Drift("campaign_id", [9_007_199_254_740_993], ["9007199254740993"]),
    "D11 ids as floats": Drift("campaign_id", [1.0], rule="schema_type:campaign_id"),
    "D11 numbers as other text": Drift("platform", [1], rule="schema_type:platform"),
    "D11 bytes": Drift("platform", [b"a"], rule="schema_type:platform"),
    "D12 list": Drift("clicks", [[1]], rule="schema_type:clicks"),
    "D12 struct": Drift("platform", [{"a": "b"}], rule="schema_type:platform"),
    "D13 no rows": Drift("clicks", numbers([], pa.int64()), []),
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
def test_a_drifted_column_is_taken_without_change_or_its_file_is_refused(
    tmp_path: Path, drift: Drift
) -> None:
    table = replace(drift.column, drift.values)
    path = write(tmp_path, table)
    if drift.rule:
        with pytest.raises(BadFileError) as caught:
            read(path)
        assert caught.value.rule == drift.rule
        assert drift.column in str(caught.value)
        return
    cells = read(path)
    assert cells[drift.column].to_list() == drift.texts
    others = [name for name in cells.columns if name != drift.column]
    assert cells.select(others).equals(read(write(tmp_path, make_table(len(table)))).select(others))


def test_int96_dates_are_taken_at_midnight(tmp_path: Path) -> None:
    path = write(tmp_path, replace("date", [MIDNIGHT]), use_deprecated_int96_timestamps=True)
    assert read(path)["date"].to_list() == ["2024-03-01"]


@pytest.mark.parametrize("day", [NOON, FAR])
def test_int96_dates_that_are_not_midnight_or_overflow_are_refused(
    tmp_path: Path, day: datetime
) -> None:
    path = write(tmp_path, replace("date", [day]), use_deprecated_int96_timestamps=True)
    with pytest.raises(BadFileError) as caught:
        read(path)
    assert caught.value.rule == "schema_type:date"


def test_columns_stand_in_the_contracts_order_and_an_optional_one_may_lack(tmp_path: Path) -> None:
    names = make_table().column_names
    path = write(tmp_path, make_table().select(names[::-1]))
    assert read(path).columns == names


def test_what_a_layout_says_of_parquet(tmp_path: Path) -> None:
    layout = lay_out_parquet(write(tmp_path, make_table()), [make_contract()])
    assert (layout.format, layout.header_line, layout.width) == ("parquet", 0, 6)
    assert layout.dialect == Dialect(exponents=True)
    assert layout.positions["cost"] == (5,)


@pytest.mark.parametrize(
    ("table", "extra", "rule"),
    [
        (make_table().drop_columns(["cost"]), "refuse", "missing_column"),
        (make_table().rename_columns({"cost": "spend"}), "refuse", "missing_column"),
        (make_table().rename_columns({"cost": "COST "}), "refuse", ""),
        (make_table().append_column("x", pa.array([[1]] * 50)), "refuse", "header_mismatch"),
        (make_table().append_column("x", pa.array([[1]] * 50)), "ignore", ""),
        (make_table().append_column("cost", pa.array([1] * 50)), "refuse", "duplicate_column"),
    ],
    ids=["missing", "renamed", "other case", "extra", "extra and ignored", "twice"],
)
def test_other_columns_are_decided_by_the_contract(
    tmp_path: Path, table: pa.Table, extra: str, rule: str
) -> None:
    path = write(tmp_path, table)
    contract = make_contract(extra_columns=extra)
    if rule:
        with pytest.raises(BadFileError) as caught:
            read(path, contract)
        assert caught.value.rule == rule
    else:
        assert read(path, contract).equals(read(write(tmp_path, make_table())))


def test_a_contract_without_parquet_takes_none(tmp_path: Path) -> None:
    with pytest.raises(BadFileError) as caught:
        read(write(tmp_path, make_table()), make_contract(formats=("csv",)))
    assert caught.value.rule == "header_mismatch"


def test_breakdowns_are_joined_and_a_last_day_is_shown(tmp_path: Path) -> None:
    contract = make_contract(
        breakdowns={"age": Headers({"": ("age",)}), "ad": Headers({"": ("ad",)})},
    )
    table = make_table(2).append_column("ad", pa.array([7, 8]))
    table = table.append_column("age", pa.array(["18-24", None]))
    path = write(tmp_path, table)
    assert lay_out_parquet(path, [contract]).breakdown == "age+ad"
    assert read(path, contract)["segment"].to_list() == ["18-24 | 7", ""]


def test_repeated_columns_that_differ_cost_only_their_row(tmp_path: Path) -> None:
    contract = make_contract(repeated_columns=True)
    table = make_table(3).append_column("Platform", pa.array(["Search", "Other", "Search"]))
    [rows] = read_batches(write(tmp_path, table), contract)
    assert [(bad.line, bad.fault.rule) for bad in rows.bad] == [(2, "repeated_columns_differ")]
    assert rows.lines.tolist() == [1, 3]


def test_control_characters_and_endless_rows_cost_only_their_row(tmp_path: Path) -> None:
    texts = ["a", "a\0b", "a\tb", "x" * 70_000, "e"]
    [rows] = read_batches(write(tmp_path, replace("platform", texts)))
    assert [(bad.line, bad.fault.rule) for bad in rows.bad] == [
        (2, "control_char"),
        (4, "cell_too_long"),
    ]
    assert rows.cells["platform"].to_list() == ["a", "a\tb", "e"]
    assert json.loads(rows.show(2))["platform"] == "e"


def test_a_row_is_shown_as_it_was_delivered(tmp_path: Path) -> None:
    table = make_table(2).rename_columns({"cost": "COST"})
    [rows] = read_batches(write(tmp_path, table))
    assert json.loads(rows.show(0)) == {
        "campaign_id": "c0",
        "date": "2024-03-18",
        "platform": "Search",
        "impressions": "1000",
        "clicks": None,
        "COST": "0.00",
    }


def test_row_groups_are_read_in_batches_whose_rows_are_numbered_on(tmp_path: Path) -> None:
    size = BATCH_ROWS + 10
    table = pa.concat_tables([make_table(size), make_table(5)])
    batches = read_batches(write(tmp_path, table, row_group_size=size))
    assert [(rows.first_row, len(rows.cells)) for rows in batches] == [
        (1, BATCH_ROWS),
        (BATCH_ROWS + 1, 10),
        (size + 1, 5),
    ]
    assert pl.concat([rows.cells for rows in batches])["impressions"][-1] == "1148"


@pytest.mark.parametrize("writer", ["polars", "duckdb", "page index", "v2 brotli", "no rows"])
def test_files_of_other_writers_are_read(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "delivery.parquet"
    table = make_table(0 if writer == "no rows" else 5000)
    if writer == "polars":
        pl.DataFrame(table).write_parquet(path)
    elif writer == "duckdb":
        import duckdb

        duckdb.from_arrow(table).write_parquet(str(path))
    elif writer == "page index":
        write(tmp_path, table, write_page_index=True, row_group_size=1000)
    else:
        write(tmp_path, table, data_page_version="2.0", compression="brotli")
    cells = read(path)
    assert cells["clicks"].to_list() == [
        "" if number is None else str(number) for number in table["clicks"].to_pylist()
    ]
    assert cells["cost"].to_list() == [str(number) for number in table["cost"].to_pylist()]


def test_a_file_that_changes_its_mind_about_fractions_is_refused_when_they_come(
    tmp_path: Path,
) -> None:
    path = tmp_path / "delivery.parquet"
    first, second = replace("clicks", [1.0]), replace("clicks", [1.5])
    with pq.ParquetWriter(path, first.schema) as out:
        out.write_table(first)
        out.write_table(second)
    with pytest.raises(BadFileError) as caught:
        read(path)
    assert caught.value.rule == "schema_type:clicks"
