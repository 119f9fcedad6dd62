"""The views of one version of the lake, as SQL text, and connections that have them.

Base relations name files and come from here; the views over them come from sql/.
"""

import contextlib
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import duckdb
import pyarrow as pa

from pipeline.errors import LakeError
from pipeline.kpi.connection import open_locked
from pipeline.kpi.macros import FORMULAS, RELATIONS, read_macro
from pipeline.kpi.query import Row, fetch_result
from pipeline.kpi.rates import Rates, check_rates
from pipeline.kpi.raw import RawFile, list_raw_files
from pipeline.kpi.raw_views import select_raw_files, select_raw_rows
from pipeline.kpi.reach import explain_failure
from pipeline.kpi.relations import quote_text, select_files, select_nothing
from pipeline.kpi.rollup import CAMPAIGN, DAILY, KINDS, Kind, RollupPlan
from pipeline.kpi.rollup_files import read_plan, read_rollups
from pipeline.kpi.statements import read_statement
from pipeline.lake import Lake, Snapshot
from pipeline.schema import AD_DAY, LEDGER, REJECTS

_log = logging.getLogger(__name__)

_REJECT_PATHS: Final = """
select distinct reject_path
from ledger
where reject_path is not null
order by reject_path
"""
PREFERRED: Final = "select * from preferred_breakdown"
_STORED: Final = {DAILY: "stored_rollup", CAMPAIGN: "stored_campaigns"}
_COMPUTED: Final = {DAILY: "computed_rollup", CAMPAIGN: "computed_campaigns"}
_UNROLLED: Final = {DAILY: "unrolled_rows", CAMPAIGN: "unrolled_campaigns"}


class View(NamedTuple):
    """A view, or a macro, of a version.

    Attributes:
        name: Of the view or macro.
        text: The select that a view stands for, or the statement that makes a macro.
        is_macro: Which of the two.
        in_memory: Whether a connection keeps the rows, as it will read them more than once.
    """

    name: str
    text: str
    is_macro: bool = False
    in_memory: bool = False

    def write(self) -> str:
        """The statement that makes it, in a form that may be run again."""
        if self.is_macro:
            return self.text.strip()
        return f"create or replace view {self.name} as\n{self.text.strip()}"


class _Loading(NamedTuple):
    """How rollups come into memory.

    Attributes:
        kinds: Which do.
        from_files: Whether rollup files are used, or all is computed from the master.
        workers: Threads, at least 1.
        rates: By which all money is converted; None: it stays as it was delivered. Converted
            measures are always computed from the master.
    """

    kinds: Collection[Kind]
    from_files: bool
    workers: int
    rates: Rates | None = None


@contextlib.contextmanager
def open_reading_connection(
    lake: Lake,
    snapshot: Snapshot,
    *,
    workers: int = 1,
    with_raw: bool = True,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked-down database with the views of one version.

    The views are ad_day, rollup, primary_rollup, campaign_rollup, ledger, account, quarantine and
    raw; beside them are the macros in sql/macros/. It can read files of the lake only; see
    `query.run_query` for what a person may run on it.

    Args:
        lake: The lake.
        snapshot: The version; raw/ has no versions and is read as it is now.
        workers: Threads, at least 1.
        with_raw: Without it `raw` is empty, and raw/ is not even listed.
    """
    with open_locked(lake.storage, workers=workers) as connection:
        raw_files = list_raw_files(lake, workers=workers) if with_raw else []
        _make_all(connection, _list_views(lake, snapshot, connection, raw_files=raw_files))
        yield connection


@contextlib.contextmanager
def open_kpi_connection(
    lake: Lake,
    snapshot: Snapshot,
    *,
    workers: int = 1,
    campaigns: bool = True,
    quarantine: bool = True,
    from_files: bool = True,
    rates: Rates | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same, less `raw`, with the rollups in memory: for KPIs.

    Rollup files are read with their checksums; what is damaged is computed from the master.

    Args:
        lake: The lake.
        snapshot: The version.
        workers: Threads, at least 1.
        campaigns: Whether to have the rollup of campaigns in memory too.
        quarantine: Whether to have the view `quarantine`, which is empty without it.
        from_files: Whether rollup files are used at all, or all is computed from the master.
        rates: By which all money is converted; None: it stays as it was delivered.

    Raises:
        UsageError: Money of a day has no rate.
    """
    kinds = KINDS if campaigns else (DAILY,)
    loading = _Loading(kinds, from_files=from_files, workers=workers, rates=rates)
    with open_locked(lake.storage, workers=workers) as connection:
        _make_all(
            connection,
            _list_views(lake, snapshot, connection, loading=loading, with_rejects=quarantine),
        )
        yield connection


def views_sql(lake: Lake, snapshot: Snapshot, *, workers: int = 1) -> str:
    """The SQL that makes the views of one version in a person's own DuckDB.

    It stays true for as long as the version's files are kept, that is until a vacuum.
    """
    raw_files = list_raw_files(lake, workers=workers)
    with open_locked(lake.storage, workers=workers) as connection:
        made = _make_all(connection, _list_views(lake, snapshot, connection, raw_files=raw_files))
    head = f"-- {_on_one_line(lake.uri)}, version {snapshot.version} of the master table.\n"
    return head + "".join(f"\n{view.write()};\n" for view in made)


def read_preferred(lake: Lake, snapshot: Snapshot) -> tuple[Row, ...]:
    """The rows of the view preferred_breakdown, on which the rollup of campaigns depends."""
    with open_locked(lake.storage, workers=1) as connection:
        _make_all(connection, _list_ledger_views(snapshot))
        return fetch_result(connection, PREFERRED).rows


def _make_all(connection: duckdb.DuckDBPyConnection, views: Iterable[View]) -> list[View]:
    """Makes views one after the other, which looks into the files that they name.

    Raises:
        LakeError: One of them is missing or damaged.
        StorageError: The lake's store refused one, or failed to the end.
    """
    made: list[View] = []
    for view in views:
        kind = "table" if view.in_memory else "view"
        try:
            connection.execute(
                view.text if view.is_macro else f"create {kind} {view.name} as {view.text}"
            )
        except duckdb.Error as error:
            message = f"{view.name} of this lake cannot be read: {error}"
            raise (explain_failure(error) or LakeError(message)) from error
        made.append(view)
    return made


def _list_views(
    lake: Lake,
    snapshot: Snapshot,
    connection: duckdb.DuckDBPyConnection,
    *,
    raw_files: Sequence[RawFile] = (),
    loading: _Loading | None = None,
    with_rejects: bool = True,
) -> Iterator[View]:
    """All views and macros, each after those that it reads.

    Args:
        lake: The lake.
        snapshot: The version.
        connection: Asked about views that were given out before; so each has to be made before
            the next is taken.
        raw_files: Of the view `raw`.
        loading: Which rollups to have in memory; without it they are views over files.
        with_rejects: Without it `quarantine` is empty, and no reject file is opened.
    """
    for name in FORMULAS:
        yield View(name, read_macro(name), is_macro=True)
    yield from _list_ledger_views(snapshot)
    yield View("master_rows", select_files(snapshot.file_uris, AD_DAY))
    rates = loading.rates if loading is not None else None
    yield View("ad_day" if rates is None else "native_day", read_statement("views/ad_day"))
    if rates is not None:
        yield from _list_converted_views(rates, connection)
    preferred = fetch_result(connection, PREFERRED).rows
    for kind in KINDS:
        if loading is not None and rates is not None:
            nothing, all_days = select_nothing(kind.schema), "select * from ad_day"
            yield from _list_rollup_views(kind, nothing, all_days, kept=kind in loading.kinds)
            continue
        plan = read_plan(lake, snapshot, kind, preferred=preferred)
        kept = loading is not None and kind in loading.kinds
        if loading is not None and kept:
            unusable = _load_rollups(lake, plan, kind, connection, loading=loading)
            plan = read_plan(lake, snapshot, kind, preferred=preferred, without=unusable)
        stored = select_files([lake.locate(key) for key in plan.stored], kind.schema)
        unrolled = select_files([lake.locate(path) for path in plan.unrolled], AD_DAY)
        yield from _list_rollup_views(kind, None if kept else stored, unrolled, kept=kept)
    for name in ("primary_day", "campaign_day"):
        yield View(name, read_statement(f"views/{name}"))
    for name in RELATIONS:
        yield View(name, read_macro(name), is_macro=True)
    rejects = _list_rejects(lake, connection) if with_rejects else []
    yield View("reject_rows", select_files(rejects, REJECTS))
    yield View("quarantine", read_statement("views/quarantine"))
    yield View("raw_files", select_raw_files(lake, raw_files))
    yield View("raw_rows", select_raw_rows(lake, raw_files))
    yield View("raw", read_statement("views/raw"))


def _list_ledger_views(snapshot: Snapshot) -> Iterator[View]:
    yield View("ledger_rows", select_files(snapshot.ledger_uris, LEDGER))
    for name in ("ledger", "account", "preferred_breakdown"):
        yield View(name, read_statement(f"views/{name}"))


def _list_converted_views(rates: Rates, connection: duckdb.DuckDBPyConnection) -> Iterator[View]:
    """The views that make `ad_day` from `native_day`, whose money is as it was delivered."""
    connection.from_arrow(rates.table).create("rates")
    yield View("wanted_currency", f"select {quote_text(rates.currency)} as currency")
    yield View("daily_rates", read_statement("currency/daily_rates"), in_memory=True)
    check_rates(connection, rates.currency)
    yield View("ad_day", read_statement("currency/ad_day"))


def _list_rollup_views(
    kind: Kind, stored: str | None, unrolled: str, *, kept: bool
) -> Iterator[View]:
    """The views of one kind of rollup.

    Args:
        kind: Which.
        stored: Selects its stored rows; None where a table of them is there already.
        unrolled: Selects the rows that are to be added up.
        kept: Whether it is kept in memory.
    """
    if stored is not None:
        yield View(_STORED[kind], stored)
    yield View(_UNROLLED[kind], unrolled)
    yield View(_COMPUTED[kind], read_statement(kind.statement))
    after = ("chosen_breakdown", "primary_rollup", "stated") if kind is DAILY else ()
    for name in (kind.view, *after):
        yield View(name, read_statement(f"views/{name}"), in_memory=kept)


def _load_rollups(
    lake: Lake,
    plan: RollupPlan,
    kind: Kind,
    connection: duckdb.DuckDBPyConnection,
    *,
    loading: _Loading,
) -> Collection[str]:
    """Makes the table of the stored rollups, and returns the keys that cannot be used."""
    if not loading.from_files:
        connection.from_arrow(pa.Table.from_batches([], kind.schema)).create(_STORED[kind])
        return plan.stored
    rows, damaged = read_rollups(lake, plan, kind, workers=loading.workers)
    for key in damaged:
        _log.warning("%s is damaged: its part comes from the master; delete it", key)
    connection.from_arrow(rows).create(_STORED[kind])
    return damaged


def _list_rejects(lake: Lake, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The reject files that the ledger names."""
    return [lake.locate(str(path)) for (path,) in fetch_result(connection, _REJECT_PATHS).rows]


def _on_one_line(text: str) -> str:
    return text if text.isprintable() else ascii(text)
