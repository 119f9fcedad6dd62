"""Reads the generator's Parquet days: trusted where their bytes are what the manifest says."""

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts import Contract
from pipeline.errors import BadFileError, MissingError
from pipeline.schema import AD_DAY


class DataPart(NamedTuple):
    """One data file that a manifest lists.

    Attributes:
        read: Gives its bytes.
        name: Its name, for messages.
        sha256: What the manifest says of its bytes.
        rows: What the manifest says of its rows.
    """

    read: Callable[[], bytes]
    name: str
    sha256: str
    rows: int


def read_day(parts: Iterable[DataPart], contract: Contract) -> pa.Table:
    """Reads the data files of one day.

    Returns:
        The contract's columns with their canonical types.

    Raises:
        BadFileError: A file is not what the manifest or the contract says.
    """
    schema = pa.schema([AD_DAY.field(column.name) for column in contract.columns])
    tables = [_read_part(part, schema) for part in parts]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _read_part(part: DataPart, schema: pa.Schema) -> pa.Table:
    try:
        data = part.read()
    except MissingError as error:
        raise BadFileError(
            "missing_file", f"{part.name} is in the manifest and not in its folder"
        ) from error
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
    if missing := [name for name in schema.names if name not in table.schema.names]:
        raise BadFileError("missing_column", f"{part.name} has no column {missing[0]}")
    table = table.select(schema.names)
    for found, expected in zip(table.schema, schema, strict=True):
        if found.type != expected.type:
            detail = f"{part.name}: {found.type}; expected {expected.type}"
            raise BadFileError(f"schema_type:{found.name}", detail)
    return table
