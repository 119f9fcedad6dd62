"""SQL text for relations over an explicit list of files.

A pattern such as master/**/*.parquet would count replaced files, and a Hive path could override a
file's own columns; so every relation names its files one by one and reads no columns from paths.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa

_PATTERN_MARKS: Final = "*?["


def quote_text(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def match_exactly(path: str) -> str:
    """The pattern that matches exactly this path.

    DuckDB takes every path as a pattern and has no option against it: without this, `data[1].csv`
    would read `data1.csv`.
    """
    return "".join(f"[{mark}]" if mark in _PATTERN_MARKS else mark for mark in path)


def select_files(uris: Sequence[str], schema: pa.Schema) -> str:
    """A statement that reads exactly these Parquet files.

    Args:
        uris: Their full names; may be empty.
        schema: The columns to read, which every file has.

    Returns:
        A select of the columns of `schema`, with no rows where there are no files.
    """
    if not uris:
        return select_nothing(schema)
    names = ",\n".join(f"    {quote_name(name)}" for name in schema.names)
    return f"select\n{names}\nfrom read_parquet({list_paths(uris)}, hive_partitioning = false)"


def list_paths(uris: Iterable[str]) -> str:
    """Paths as an SQL list, each matching itself only."""
    lines = ",\n".join(f"    {quote_text(match_exactly(uri))}" for uri in uris)
    return f"[\n{lines}\n]"


def select_nothing(schema: pa.Schema) -> str:
    """A statement without rows that has the columns of `schema`."""
    columns = ",\n".join(
        f"    cast(null as {name_type(field.type)}) as {quote_name(field.name)}" for field in schema
    )
    return f"select\n{columns}\nwhere false"


def name_type(arrow_type: pa.DataType) -> str:
    """DuckDB's name of an Arrow type that occurs in our schemas."""
    if pa.types.is_list(arrow_type):
        return f"{name_type(arrow_type.value_type)}[]"
    if pa.types.is_struct(arrow_type):
        fields = ", ".join(f"{quote_name(item.name)} {name_type(item.type)}" for item in arrow_type)
        return f"struct({fields})"
    if pa.types.is_decimal(arrow_type):
        return f"decimal({arrow_type.precision}, {arrow_type.scale})"
    return _PLAIN_TYPES[arrow_type]


_PLAIN_TYPES: Final = {
    pa.string(): "varchar",
    pa.int64(): "bigint",
    pa.date32(): "date",
    pa.bool_(): "boolean",
    pa.timestamp("us", "UTC"): "timestamptz",
}
