"""A DuckDB connection that can read one lake and do nothing else."""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Final

import duckdb

from pipeline.kpi.reach import reach_bucket
from pipeline.kpi.relations import match_exactly, quote_text
from pipeline.storage import Storage

MEMORY_LIMIT: Final = "2GB"
"""Past this the engine spills into a private folder, removed at the end."""

PROCESS_BYTES: Final = 4 << 30
"""Memory of a whole process that runs a person's statement: the engine's own limit leaves out what
some functions take, such as lists."""

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
    """An empty in-memory database that can read files of the lake only.

    Whoever runs a person's statement must still allow only one that reads: views can be made and
    files written below the lake.

    Args:
        storage: The lake's bytes.
        workers: Threads, at least 1.
    """
    with tempfile.TemporaryDirectory(prefix="adlake-") as spill:
        config = _CONFIG | {
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": spill,
            "threads": max(workers, storage.lanes),
        }
        with duckdb.connect(":memory:", config=config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set enable_progress_bar = false")
            if access := storage.sql_access:
                reach_bucket(connection, access)
            connection.execute(f"set allowed_directories = {_list_folders(storage.uri)}")
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            yield connection


def _list_folders(lake_uri: str) -> str:
    # The pattern is compared as well as the path that it matches, so both must be allowed.
    folders = sorted({f"{lake_uri}/", f"{match_exactly(lake_uri)}/"})
    return f"[{', '.join(map(quote_text, folders))}]"
