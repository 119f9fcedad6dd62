"""Connections that have the views of one version of the lake, and the SQL that makes these."""

import contextlib
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import duckdb

from pipeline.errors import LakeError
from pipeline.kpi.connection import hand_over, open_locked
from pipeline.kpi.days import Span, keep_days
from pipeline.kpi.query import Row, fetch_result
from pipeline.kpi.query_errors import explain_error
from pipeline.kpi.rates import Rates, check_rates
from pipeline.kpi.raw import RawFile, list_raw_files
from pipeline.kpi.reach import explain_failure
from pipeline.kpi.relations import select_files
from pipeline.kpi.rollup import KINDS, Kind, RollupPlan, define_rollup, plan_rollup
from pipeline.kpi.rollup_files import list_rollups, read_rollups
from pipeline.kpi.view_list import View, list_first_views, list_other_views, list_raw_views
from pipeline.lake import Lake, Snapshot
from pipeline.schema import AD_DAY

_log = logging.getLogger(__name__)

_REJECT_PATHS: Final = """
select distinct reject_path
from ledger
where reject_path is not null
order by reject_path
"""
PREFERRED: Final = "select * from preferred_breakdown"


class _Wanted(NamedTuple):
    """What the views of a connection are for.

    Attributes:
        workers: Threads, at least 1.
        stored: The kinds of which rollup files are read.
        kept: The kinds of which all rows are in memory.
        loads: Whether rollup files are read now; else their view names them, to be read by SQL.
        raw_files: Of the view `raw`.
        with_rejects: Without it `quarantine` is empty, and no reject file is opened.
        rates: By which all money is converted; None: it stays as it was delivered.
    """

    workers: int
    stored: Collection[Kind] = KINDS
    kept: Collection[Kind] = ()
    loads: bool = True
    raw_files: Sequence[RawFile] = ()
    with_rejects: bool = True
    rates: Rates | None = None


@contextlib.contextmanager
def open_reading_connection(
    lake: Lake,
    snapshot: Snapshot,
    *,
    workers: int = 1,
    stored: Collection[Kind] = KINDS,
    with_raw: bool = True,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked-down database with the views of one version.

    The views are ad_day, rollup, primary_rollup, campaign_rollup, ledger, account, quarantine and
    raw; beside them are the macros in sql/macros/. It can read files of the lake only; see
    `query.run_query` for what a person may run on it.

    Rollup files are read with their checksums; what is damaged is computed from the master.

    Args:
        lake: The lake.
        snapshot: The version; raw/ has no versions and is read as it is now.
        workers: Threads, at least 1.
        stored: The kinds of which rollup files are read; others are computed from the master.
        with_raw: Without it `raw` is empty, and raw/ is not even listed.
    """
    with open_locked(lake.storage, workers=workers) as connection:
        raw_files = list_raw_files(lake, workers=workers) if with_raw else []
        wanted = _Wanted(workers, stored=stored, raw_files=raw_files)
        _make_views(lake, snapshot, connection, wanted)
        yield connection


@contextlib.contextmanager
def open_kpi_connection(
    lake: Lake,
    snapshot: Snapshot,
    *,
    workers: int = 1,
    stored: Collection[Kind] = KINDS,
    kept: Collection[Kind] = KINDS,
    quarantine: bool = True,
    rates: Rates | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same, less `raw`, with rollups in memory: for KPIs.

    Args:
        lake: The lake.
        snapshot: The version.
        workers: Threads, at least 1.
        stored: The kinds of which rollup files are read; others are computed from the master.
        kept: The kinds of which all rows are in memory; those of others are made when they are
            asked for.
        quarantine: Whether to have the view `quarantine`, which is empty without it.
        rates: By which all money is converted, and computed from the master; None: it stays as
            it was delivered.

    Raises:
        UsageError: Money of a day has no rate.
    """
    # Stored rollups are of the money as it was delivered.
    usable = stored if rates is None else ()
    with open_locked(lake.storage, workers=workers) as connection:
        wanted = _Wanted(workers, usable, kept, with_rejects=quarantine, rates=rates)
        _make_views(lake, snapshot, connection, wanted)
        if rates is not None:
            check_rates(connection, rates)
        yield connection


def views_sql(lake: Lake, snapshot: Snapshot, *, workers: int = 1) -> str:
    """The SQL that makes the views of one version in a person's own DuckDB.

    It stays true for as long as the version's files are kept, that is until a vacuum. A rollup
    file that is damaged is not named in it.
    """
    raw_files = list_raw_files(lake, workers=workers)
    with open_locked(lake.storage, workers=workers) as connection:
        wanted = _Wanted(workers, loads=False, raw_files=raw_files)
        made = _make_views(lake, snapshot, connection, wanted)
    head = f"-- {_on_one_line(lake.uri)}, version {snapshot.version} of the master table.\n"
    return head + "".join(f"\n{view.write()};\n" for view in made)


def read_preferred(lake: Lake, snapshot: Snapshot) -> tuple[Row, ...]:
    """The rows of the view preferred_breakdown, on which the rollup of campaigns depends."""
    with open_locked(lake.storage, workers=1) as connection:
        _make_all(connection, list_first_views(snapshot))
        return fetch_result(connection, PREFERRED).rows


def _make_views(
    lake: Lake, snapshot: Snapshot, connection: duckdb.DuckDBPyConnection, wanted: _Wanted
) -> list[View]:
    """Makes all views and macros of a version, and returns them."""
    first = _make_all(connection, list_first_views(snapshot))
    first += _make_all(connection, _hand_over_rates(connection, wanted.rates))
    preferred = fetch_result(connection, PREFERRED).rows
    found = {kind: _plan(lake, snapshot, connection, kind, preferred, wanted) for kind in KINDS}
    others = list_other_views(
        lake,
        {kind: plan for kind, (plan, _) in found.items()},
        master=snapshot.file_uris,
        rejects=_list_rejects(connection) if wanted.with_rejects else [],
        stored={kind: stored for kind, (_, stored) in found.items()},
        kept=wanted.kept,
        rates=wanted.rates,
    )
    raw = list_raw_views(lake, wanted.raw_files)
    return [*first, *_make_all(connection, others), *_make_all(connection, raw)]


def _hand_over_rates(connection: duckdb.DuckDBPyConnection, rates: Rates | None) -> Iterator[View]:
    if rates is not None:
        file = hand_over(connection, "rates", rates.table)
        yield View("rates", select_files([file], rates.table.schema))


def _make_all(connection: duckdb.DuckDBPyConnection, views: Iterable[View]) -> list[View]:
    """Makes views one after the other, which looks into the files that they name.

    Raises:
        LakeError: One of them is missing or damaged.
        StorageError: The lake's store refused one, or failed to the end.
    """
    made: list[View] = []
    for view in views:
        kind = "table" if view.in_memory else "view"
        text = view.text if view.is_macro else f"create {kind} {view.name} as {view.text}"
        _make(connection, view.name, text)
        made.append(view)
    return made


def _make(connection: duckdb.DuckDBPyConnection, name: str, statement: str) -> None:
    try:
        connection.execute(statement)
    except duckdb.Error as error:
        said, _, _ = explain_error(str(error), "").partition("\n")  # its SQL is none of theirs
        message = f"{name} of this lake cannot be read: {said}; adlake fsck names all damage"
        raise (explain_failure(error) or LakeError(message)) from error


def narrow_master(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, spans: Sequence[Span]
) -> None:
    """Leaves out of `ad_day`, and of what is computed from it, files without rows of some days.

    The rollups, and what of them is computed from the master, stay those of all days.

    Args:
        connection: One of this module, on which money is not converted; from now on it is only
            about these days.
        snapshot: Its version.
        spans: The days, as `days` has them.

    Raises:
        LakeError: A file is missing or damaged.
        StorageError: The lake's store refused one, or failed to the end.
    """
    kept = keep_days(snapshot, spans)
    if len(kept) < len(snapshot.file_uris):
        rows = select_files(kept, AD_DAY)
        _make(connection, "ad_day", f"create or replace view master_rows as {rows}")


def _plan(
    lake: Lake,
    snapshot: Snapshot,
    connection: duckdb.DuckDBPyConnection,
    kind: Kind,
    preferred: Sequence[Row],
    wanted: _Wanted,
) -> tuple[RollupPlan, list[str]]:
    """Plans a kind of rollup without its damaged files, and says where the rows of others are.

    These are files of the lake where SQL may read them, else one that is handed over.
    """
    definition = define_rollup(kind, preferred=preferred)
    present = list_rollups(lake, kind) if kind in wanted.stored else frozenset()
    plan = plan_rollup(snapshot.files, kind, definition=definition, present=present)
    rows, damaged = read_rollups(lake, plan, kind, workers=wanted.workers)
    for key in damaged:
        _log.warning("%s is damaged: its part comes from the master; delete it", key)
    # Not listed anew: the rows of a file that was written meanwhile are not among `rows`.
    plan = plan_rollup(
        snapshot.files, kind, definition=definition, present=present.difference(damaged)
    )
    if not wanted.loads:
        return plan, [lake.locate(key) for key in plan.stored]
    return plan, [hand_over(connection, kind.name, rows)] if rows.num_rows else []


def _list_rejects(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The keys of the reject files that the ledger names."""
    return [str(path) for (path,) in fetch_result(connection, _REJECT_PATHS).rows]


def _on_one_line(text: str) -> str:
    return text if text.isprintable() else ascii(text)
