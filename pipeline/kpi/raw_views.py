"""The views of raw/, as SQL text."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from pipeline.kpi.raw import RawFile
from pipeline.kpi.relations import list_paths, quote_text, select_nothing
from pipeline.lake import Lake
from pipeline.schema import AD_DAY

_RAW_PATH: Final = "raw_path"
_NOT_IN_RAW: Final = frozenset({"date", "account"})
_RAW_FILE_FIELDS: Final[list[tuple[str, pa.DataType]]] = [
    (_RAW_PATH, pa.string()),
    ("date", pa.date32()),
    ("account", pa.string()),
]
_RAW_FILE: Final = pa.schema(_RAW_FILE_FIELDS)


def select_raw_files(lake: Lake, raw_files: Sequence[RawFile]) -> str:
    """The date and account of each raw file, which stand in its manifest and not in it."""
    if not raw_files:
        return select_nothing(_RAW_FILE)
    rows = ",\n".join(
        f"    ({quote_text(lake.locate(file.path))}, date '{file.date}', "
        f"{quote_text(file.account)})"
        for file in raw_files
    )
    return f"select *\nfrom (\n    values\n{rows}\n) as files ({_RAW_PATH}, date, account)"


def select_raw_rows(lake: Lake, raw_files: Sequence[RawFile]) -> str:
    """The rows of all raw files, each with the path of its file."""
    if not raw_files:
        # The generator's columns are its own; most columns of the canonical row are among them.
        columns = [field for field in AD_DAY if field.name not in _NOT_IN_RAW]
        return select_nothing(pa.schema([_RAW_FILE.field(_RAW_PATH), *columns]))
    paths = list_paths(lake.locate(file.path) for file in raw_files)
    return (
        f"select *\nfrom read_parquet(\n{paths},\n"
        f"    hive_partitioning = false, filename = {quote_text(_RAW_PATH)}\n)"
    )
