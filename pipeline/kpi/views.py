"""The views of one version of the lake, as SQL text.

Base relations name files and come from here; the views over them come from sql/.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import duckdb
import pyarrow as pa

from pipeline.errors import LakeError
from pipeline.kpi.connection import open_locked
from pipeline.kpi.query import fetch_result
from pipeline.kpi.raw import RawFile, list_raw_files
from pipeline.kpi.relations import (
    list_paths,
    quote_text,
    select_files,
    select_nothing,
)
from pipeline.kpi.rollup import ROLLUP_SCHEMA, STATEMENT, read_rollup_plan
from pipeline.kpi.statements import read_statement
from pipeline.lake import Lake, Snapshot
from pipeline.schema import AD_DAY, LEDGER, REJECTS

_RAW_PATH: Final = "raw_path"
_NOT_IN_RAW: Final = frozenset({"date", "account"})
_RAW_FILE_FIELDS: Final[list[tuple[str, pa.DataType]]] = [
    (_RAW_PATH, pa.string()),
    ("date", pa.date32()),
    ("account", pa.string()),
]
_RAW_FILE: Final = pa.schema(_RAW_FILE_FIELDS)
_REJECT_PATHS: Final = """
select distinct reject_path
from ledger
where reject_path is not null
order by reject_path
"""


class View(NamedTuple):
    """A view by name and the select that it stands for."""

    name: str
    select: str


@contextlib.contextmanager
def open_reading_connection(
    lake: Lake,
    snapshot: Snapshot,
    *,
    workers: int = 1,
    with_raw: bool = True,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked-down database with the views of one version.

    The views are ad_day, rollup, primary_rollup, ledger, account, quarantine and raw. It can read
    files of the lake only; see `query.run_query` for what a person may run on it.

    Args:
        lake: The lake.
        snapshot: The version; raw/ has no versions and is read as it is now.
        workers: Threads, at least 1.
        with_raw: Without it `raw` is empty, and raw/ is not even listed. KPIs need no `raw`.
    """
    with open_locked(lake.uri, workers=workers) as connection:
        raw_files = list_raw_files(lake, workers=workers) if with_raw else []
        _create(connection, _list_views(lake, snapshot, raw_files=raw_files))
        _create(connection, _list_quarantine_views(lake, connection))
        yield connection


def _create(connection: duckdb.DuckDBPyConnection, views: Sequence[View]) -> None:
    """Makes views, which looks into the files that they name.

    Raises:
        LakeError: One of them is missing or damaged.
    """
    for view in views:
        try:
            connection.execute(f"create view {view.name} as {view.select}")
        except duckdb.Error as error:
            raise LakeError(f"{view.name} of this lake cannot be read: {error}") from error


def views_sql(lake: Lake, snapshot: Snapshot, *, workers: int = 1) -> str:
    """The SQL that makes the views of one version in a person's own DuckDB.

    It stays true for as long as the version's files are kept, that is until a vacuum.
    """
    views = _list_views(lake, snapshot, raw_files=list_raw_files(lake, workers=workers))
    with open_locked(lake.uri, workers=workers) as connection:
        _create(connection, views)
        views += _list_quarantine_views(lake, connection)
    head = f"-- {_on_one_line(lake.uri)}, version {snapshot.version} of the master table.\n"
    return head + "".join(
        f"\ncreate or replace view {view.name} as\n{view.select.strip()};\n" for view in views
    )


def _list_views(lake: Lake, snapshot: Snapshot, *, raw_files: Sequence[RawFile]) -> list[View]:
    """All views but those of the quarantine, each after those that it reads."""
    rollup = read_rollup_plan(lake, snapshot)
    stored = [lake.locate(path) for path in rollup.stored]
    unrolled = [lake.locate(path) for path in rollup.unrolled]
    return [
        View("master_rows", select_files(snapshot.file_uris, AD_DAY)),
        View("ad_day", read_statement("views/ad_day")),
        View("stored_rollup", select_files(stored, ROLLUP_SCHEMA)),
        View("unrolled_rows", select_files(unrolled, AD_DAY)),
        View("computed_rollup", read_statement(STATEMENT)),
        View("rollup", read_statement("views/rollup")),
        View("ledger_rows", select_files(snapshot.ledger_uris, LEDGER)),
        View("ledger", read_statement("views/ledger")),
        View("primary_rollup", read_statement("views/primary_rollup")),
        View("account", read_statement("views/account")),
        *_list_raw_views(lake, raw_files),
    ]


def _list_raw_views(lake: Lake, raw_files: Sequence[RawFile]) -> list[View]:
    return [
        View("raw_files", _select_raw_files(lake, raw_files)),
        View("raw_rows", _select_raw_rows(lake, raw_files)),
        View("raw", read_statement("views/raw")),
    ]


def _select_raw_files(lake: Lake, raw_files: Sequence[RawFile]) -> str:
    if not raw_files:
        return select_nothing(_RAW_FILE)
    rows = ",\n".join(
        f"    ({quote_text(lake.locate(file.path))}, date '{file.date}', "
        f"{quote_text(file.account)})"
        for file in raw_files
    )
    return f"select *\nfrom (\n    values\n{rows}\n) as files ({_RAW_PATH}, date, account)"


def _select_raw_rows(lake: Lake, raw_files: Sequence[RawFile]) -> str:
    if not raw_files:
        # The generator's columns are its own; most columns of the canonical row are among them.
        columns = [field for field in AD_DAY if field.name not in _NOT_IN_RAW]
        return select_nothing(pa.schema([_RAW_FILE.field(_RAW_PATH), *columns]))
    paths = list_paths(lake.locate(file.path) for file in raw_files)
    return (
        f"select *\nfrom read_parquet(\n{paths},\n"
        f"    hive_partitioning = false, filename = {quote_text(_RAW_PATH)}\n)"
    )


def _list_quarantine_views(lake: Lake, connection: duckdb.DuckDBPyConnection) -> list[View]:
    """The views of the quarantine: only files count that the ledger, made before, names."""
    named = fetch_result(connection, _REJECT_PATHS)
    uris = [lake.locate(str(path)) for (path,) in named.rows]
    return [
        View("reject_rows", select_files(uris, REJECTS)),
        View("quarantine", read_statement("views/quarantine")),
    ]


def _on_one_line(text: str) -> str:
    return text if text.isprintable() else ascii(text)
