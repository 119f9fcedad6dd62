"""A DuckDB connection that can read one lake and do nothing else."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.kpi.reach import reach_bucket
from pipeline.kpi.relations import match_exactly, quote_text
from pipeline.storage import Storage
from pipeline.storage.temporary import told_as_temporary

MEMORY_LIMIT: Final = "2GB"
"""Past this the engine spills into a private folder, removed at the end."""

PROCESS_BYTES: Final = 4 << 30
"""Memory of a whole process that runs a person's statement: the engine's own limit leaves out what
some functions take, such as lists."""

_SPILL: Final = "spill"
_HANDED: Final = "handed"
"""Where rows lie that this program gives to the engine, beside what the engine spills."""

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # Else a name in a query could mean a variable of this program.
    "python_enable_replacements": False,
}


@contextlib.contextmanager
def open_locked(storage: Storage, *, workers: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty in-memory database that can read files of the lake, and rows handed over, only.

    Whoever runs a person's statement must still allow only one that reads: views can be made and
    files written below the lake.

    Args:
        storage: The lake's bytes.
        workers: Threads, at least 1.
    """
    with told_as_temporary():
        made = tempfile.TemporaryDirectory(prefix="adlake-")
    with made as private:
        config = _CONFIG | {
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": f"{private}/{_SPILL}",
            "threads": max(workers, storage.lanes),
        }
        with duckdb.connect(":memory:", config=config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set enable_progress_bar = false")
            if access := storage.sql_access:
                reach_bucket(connection, access)
            connection.execute(
                f"set allowed_directories = {_list_folders([storage.uri, f'{private}/{_HANDED}'])}"
            )
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            yield connection


def hand_over(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> str:
    """Gives rows to a connection of `open_locked`, which may read them until it is closed.

    They go by a private file: what takes an Arrow table imports pyarrow.dataset, which imports
    pandas where that is installed, and that takes longer than most KPIs.

    Args:
        connection: The connection.
        name: Of the rows, other than those of others.
        rows: The rows; may be empty.

    Returns:
        The full name of the Parquet file that holds them.
    """
    [(spill,)] = connection.execute("select current_setting('temp_directory')").fetchall()
    file = Path(spill).with_name(_HANDED) / f"{name}.parquet"
    with told_as_temporary():
        file.parent.mkdir(exist_ok=True)
        pq.write_table(rows, file, compression="none")
    return str(file)


def _list_folders(uris: Iterable[str]) -> str:
    # The pattern is compared as well as the path that it matches, so both must be allowed.
    folders = sorted({f"{form}/" for uri in uris for form in (uri, match_exactly(uri))})
    return f"[{', '.join(map(quote_text, folders))}]"
