"""Reads the generator's Parquet days: trusted where their bytes are what the manifest says."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts import Contract
from pipeline.errors import BadFileError
from pipeline.schema import AD_DAY


class DataPart(NamedTuple):
    """One data file that a manifest lists.

    Attributes:
        local: Where its bytes are.
        name: Its name, for messages.
        sha256: What the manifest says of its bytes.
        rows: What the manifest says of its rows.
    """

    local: Path
    name: str
    sha256: str
    rows: int


def read_day(parts: Iterable[DataPart], contract: Contract) -> pl.DataFrame:
    """Reads the data files of one day.

    Returns:
        The contract's columns with their canonical types, and `line`: the row's number in the
        day, from 1.

    Raises:
        BadFileError: A file is not what the manifest or the contract says.
    """
    tables = [_read_part(part, contract) for part in parts]
    names = [column.name for column in contract.columns]
    schema = pa.schema([AD_DAY.field(name) for name in names])
    table = pa.concat_tables([table.cast(schema) for table in tables] or [schema.empty_table()])
    frame = pl.DataFrame(table)
    return frame.with_columns(line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def _read_part(part: DataPart, contract: Contract) -> pa.Table:
    data = part.local.read_bytes()
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise BadFileError(
            "checksum_mismatch", f"{part.name} is not the file that the manifest lists"
        )
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        table = file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise BadFileError("corrupt_parquet", f"{part.name}: {error}") from error
    if table.num_rows != part.rows:
        detail = f"{part.name} holds {table.num_rows} rows; the manifest says {part.rows}"
        raise BadFileError("row_count", detail)
    for column in contract.columns:
        _check_column(table.schema, column.name, part.name)
    return table.select([column.name for column in contract.columns])


def _check_column(schema: pa.Schema, name: str, file_name: str) -> None:
    if name not in schema.names:
        raise BadFileError("missing_column", f"{file_name} has no column {name}")
    expected = AD_DAY.field(name).type
    found = schema.field(name).type
    plain = found.value_type if pa.types.is_dictionary(found) else found
    if plain != expected and not _same_kind(plain, expected):
        raise BadFileError(f"schema_type:{name}", f"{file_name}: {found}; expected {expected}")


def _same_kind(found: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_decimal(found) and pa.types.is_decimal(expected):
        return (found.precision, found.scale) == (expected.precision, expected.scale)
    return pa.types.is_large_string(found) and pa.types.is_string(expected)
