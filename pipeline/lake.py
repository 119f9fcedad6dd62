"""The lake: which folder holds what, its format, and snapshots of its two Delta tables.

raw/ad_day/date=D/   what the generator wrote; a manifest beside the data, written last
landing/<source>/    what others delivered
master/              Delta table of canonical rows (`schema.AD_DAY`)
ledger/              Delta table of every file ever seen (`schema.LEDGER`)
quarantine/          rejected rows (`schema.REJECTS`); true where a ledger row names the file
rollup/              derived measures, one file a partition, named after the master files
exports/, reports/   results for people
truth/               what the generator knows that the master must hold
"""

import contextlib
import copy
import functools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipeline.delta_log import (
    LOG,
    find_log_faults,
    is_entry,
    name_checkpoint,
    name_entry,
    parse_entry,
)
from pipeline.errors import (
    CommitConflictError,
    EmptyLakeError,
    ExistsError,
    FormatError,
    LakeError,
    MissingError,
)
from pipeline.schema import LEDGER, MASTER, PARTITION_COLUMNS
from pipeline.storage import Storage, open_storage
from pipeline.table import (
    Commit,
    DataFile,
    Table,
    create_table,
    makes_checkpoint,
    open_table,
)

FORMAT_VERSION: Final = 3
RAW: Final = "raw/ad_day"
LANDING: Final = "landing"
MASTER_TABLE: Final = "master"
LEDGER_TABLE: Final = "ledger"
QUARANTINE: Final = "quarantine"
ROLLUP: Final = "rollup"
EXPORTS: Final = "exports"
REPORTS: Final = "reports"
CONFIG: Final = "config"
TRUE_ROWS: Final = "truth/ad_day.parquet"
TRUE_DELIVERIES: Final = "truth/deliveries.parquet"
FORMAT_FILE: Final = "lake.json"
STAGING: Final = ".scratch-cluster"
"""What the workers of a cluster leave for each other; hidden, and gone at the end of a step."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a reader sees: one version of the master and the ledger that belongs to it.

    Attributes:
        version: Delta version of the master.
        commit: The master's log entry of that version.
        files: The master's files, sorted by path.
        file_uris: Their full names, in the same order.
        transaction: The number of the last merge in it; 0 before the first.
        ledger_uris: Full names of the ledger's files up to that transaction.
    """

    version: int
    commit: Commit
    files: tuple[DataFile, ...]
    file_uris: tuple[str, ...]
    transaction: int
    ledger_uris: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows in the master."""
        return sum(file.rows for file in self.files)


class Lake:
    """One lake; the folders below its root and its tables.

    A pickled lake is its root's name and nothing else: whoever loads it opens the root anew, with
    the credentials of its own environment.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def __reduce__(self) -> tuple[Callable[[str], "Lake"], tuple[str]]:
        return Lake.reopen, (self.uri,)

    @staticmethod
    def reopen(uri: str) -> "Lake":
        """The lake at a root, with copies of its own, which go when it does."""
        return Lake(copy.copy(_open_storage_once(uri)))

    @property
    def uri(self) -> str:
        """The root, as other engines take it."""
        return self.storage.uri

    def locate(self, path: str) -> str:
        """The full name of a key, as DuckDB, Polars and Arrow take it."""
        return f"{self.uri}/{path}"

    def fetch(self, uris: Iterable[str]) -> list[Path]:
        """Local files with the bytes of some that a table names, by full name, in their order.

        Raises:
            LakeError: One of them is not there.
        """
        start = len(self.uri) + 1
        try:
            return list(self.storage.fetch_all([uri[start:] for uri in uris]))
        except MissingError as error:
            raise LakeError(f"a file of the lake cannot be read: {error}") from error

    def exists(self) -> bool:
        """Whether a lake has been made at the root."""
        return self.storage.find(FORMAT_FILE) is not None

    def initialise(self) -> None:
        """Makes an empty lake where there is none; a lake that is there stays as it is.

        Raises:
            FormatError: The lake is of a newer format.
        """
        if not self.exists():
            text = json.dumps({"format": FORMAT_VERSION}) + "\n"
            with contextlib.suppress(ExistsError):  # another process may be faster
                self.storage.create(FORMAT_FILE, text.encode())
            self.storage.persist([FORMAT_FILE])
        self.check_format()
        if not any(map(is_entry, self._list_log(LEDGER_TABLE))):
            create_table(self.locate(LEDGER_TABLE), LEDGER, options=self.storage.table_options)
            self._persist_log(LEDGER_TABLE, 0)
        if not any(map(is_entry, self._list_log(MASTER_TABLE))):
            create_table(
                self.locate(MASTER_TABLE),
                MASTER,
                partition_by=PARTITION_COLUMNS,
                options=self.storage.table_options,
            )
            self._persist_log(MASTER_TABLE, 0)

    def check_format(self) -> None:
        """Refuses a lake that another adlake wrote, of which this one cannot read the tables.

        Raises:
            FormatError: As said; `adlake upgrade` moves an older one.
            LakeError: lake.json cannot be read.
        """
        try:
            found = self.read_format()
        except MissingError:
            return  # there is no lake yet
        if found < FORMAT_VERSION:
            raise FormatError(
                f"{self.uri} is a lake of format {found}, and this adlake writes "
                f"{FORMAT_VERSION}: run adlake upgrade"
            )

    def read_format(self) -> int:
        """The format of the lake, which is there.

        Raises:
            FormatError: It is newer than any that this adlake knows.
            LakeError: lake.json cannot be read.
        """
        try:
            found = json.loads(self.storage.read(FORMAT_FILE))["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(f"{self.locate(FORMAT_FILE)} does not say the lake's format") from error
        if not isinstance(found, int) or found > FORMAT_VERSION:
            raise FormatError(
                f"{self.uri} is a lake of format {found}; this adlake knows up to "
                f"{FORMAT_VERSION}: install a newer one"
            )
        return found

    def write_format(self, number: int) -> None:
        """Says that the lake is of a format from now on."""
        text = json.dumps({"format": number}) + "\n"
        self.storage.overwrite(FORMAT_FILE, text.encode())
        self.storage.persist([FORMAT_FILE])

    def open_master(self, version: int | None = None) -> Table:
        """The master table on a fresh handle.

        Raises:
            EmptyLakeError: There is no master table, or no such version.
            LakeError: Its log is damaged.
        """
        self.check_format()
        table = self._open(MASTER_TABLE, MASTER, version)
        if table is None:
            raise EmptyLakeError(
                f"{self.uri} holds no master table yet: `adlake run` makes one, "
                f"or `adlake land FILES` followed by `adlake merge`"
            )
        return table

    def open_ledger(self) -> Table:
        """The ledger table on a fresh handle.

        Raises:
            LakeError: The lake has a master but no ledger, or the ledger's log is damaged.
        """
        table = self._open(LEDGER_TABLE, LEDGER)
        if table is None:
            raise LakeError(f"{self.uri} has a master table but no ledger")
        return table

    def catch_up(self, master: Table) -> Table:
        """Appends to the ledger what the master's commits name and it does not hold yet.

        A merge appends its own ledger file right after its commit; one that was stopped between
        the two leaves it to the next writing command. Two that do it at once are no harm: the
        slower one is refused and looks again. What the ledger holds is on the disk before it
        holds it: a power cut leaves either no trace of a commit or all of it.

        Returns:
            The ledger on a handle that holds what the master's commits name.
        """
        while True:
            ledger = self.open_ledger()
            missing = find_unlisted(master, after=ledger.transaction)
            if not missing:
                return ledger
            number = missing[0].metadata["n"]
            try:
                self.append_to_ledger(
                    ledger, describe_ledger_file(missing[0]), number, missing[0].version
                )
            except CommitConflictError:
                if self.open_ledger().transaction < number:
                    raise  # nobody was faster: the ledger cannot be written

    def append_to_ledger(self, ledger: Table, file: DataFile, number: int, version: int) -> None:
        """Appends the ledger file that a commit on the master names.

        Args:
            ledger: On a handle that holds all before it.
            file: The ledger file.
            number: Of the commit.
            version: Delta version of the master that the commit made.

        Raises:
            CommitConflictError: As `Table.commit`.
        """
        self._persist_log(MASTER_TABLE, version)
        ledger.commit(adds=[file], removes=[], transaction=number, metadata={"n": number})
        self._persist_log(LEDGER_TABLE, ledger.version + 1)

    def _open(self, table: str, schema: pa.Schema, version: int | None = None) -> Table | None:
        """A table on a fresh handle; None where there is none.

        A log with a hole or an empty entry is refused: Delta's library may read past them.

        Raises:
            EmptyLakeError: There is no such version.
            LakeError: The log is damaged.
        """
        log = f"{table}/{LOG}"
        sizes = self._list_log(table)
        for fault in find_log_faults(sizes):
            raise LakeError(f"{self.locate(log)}/{fault.name}: {fault.detail}")
        try:
            return open_table(
                self.locate(table), schema, version=version, options=self.storage.table_options
            )
        except EmptyLakeError:
            raise
        except LakeError:
            for name in filter(is_entry, sorted(sizes)):
                parse_entry(self.storage.read(f"{log}/{name}"), f"{self.locate(log)}/{name}")
            raise

    def _list_log(self, table: str) -> dict[str, int]:
        """Bytes of each file in a table's log, by name."""
        listed = self.storage.list(f"{table}/{LOG}", recursive=False)
        return {entry.path.rpartition("/")[2]: entry.size for entry in listed}

    def _refuse_lost_commits(self, master: Table, ledger: Table) -> None:
        """Refuses a master that went back behind its ledger, as after a restore of it alone.

        Raises:
            LakeError: As said.
        """
        # A handle may be older than the ledger only where others have committed since.
        if ledger.transaction > master.transaction and (
            ledger.transaction > self.open_master().transaction
        ):
            raise LakeError(
                f"{master.uri} ends with transaction {master.transaction} and the ledger knows "
                f"{ledger.transaction}: the newest entries of {LOG} are gone; restore them from a "
                f"backup, or run adlake rebuild"
            )

    def _persist_log(self, table: str, version: int) -> None:
        names = [name_entry(version)]
        if makes_checkpoint(version - 1):
            names += name_checkpoint(version - 1)
        paths = [f"{table}/{name}" for name in names]
        self.storage.persist(path for path in paths if self.storage.find(path))

    def take_snapshot(self, version: int | None = None) -> Snapshot:
        """Pins one version of the master for reading.

        Raises:
            EmptyLakeError: There is no master table, or no such version.
        """
        master = self.open_master(version)
        files = master.list_files()
        return Snapshot(
            version=master.version,
            commit=master.read_newest_commit(),
            files=tuple(files),
            file_uris=tuple(master.locate(files)),
            transaction=master.transaction,
            ledger_uris=tuple(self.list_ledger(master)),
        )

    def list_ledger(self, master: Table, ledger: Table | None = None) -> list[str]:
        """The full names of the ledger's files up to the master's transaction.

        A merge that was stopped right after its commit has written its ledger file but not yet
        added it to the ledger table; the commit names it, so a reader adds it.

        Args:
            master: The master.
            ledger: On a handle that was opened after it; opened here where it is None.

        Raises:
            LakeError: The master's log lacks what the ledger knows of.
        """
        ledger = ledger or self.open_ledger()
        self._refuse_lost_commits(master, ledger)
        uris = ledger.locate(
            file for file in ledger.list_files() if ledger_number(file.path) <= master.transaction
        )
        unlisted = find_unlisted(master, after=ledger.transaction)
        return uris + ledger.locate(describe_ledger_file(commit) for commit in unlisted)


@functools.lru_cache(maxsize=16)
def _open_storage_once(uri: str) -> Storage:
    """A process reads its credentials once for all parts that it works on."""
    return open_storage(uri)


def ledger_number(path: str) -> int:
    """The transaction that wrote a ledger file, which its name begins with."""
    return int(path.split("-", 1)[0])


def find_unlisted(master: Table, *, after: int) -> list[Commit]:
    """Our commits on the master after a transaction, oldest first: each names a ledger file."""
    unlisted: list[Commit] = []
    if after >= master.transaction:
        return unlisted  # the handle is older than the ledger
    for commit in master.walk_commits():
        n = commit.metadata.get("n")
        if n is not None and n <= after:
            break
        if n is not None:  # else it is a vacuum's or another's
            unlisted.append(commit)
    return unlisted[::-1]


def describe_ledger_file(commit: Commit) -> DataFile:
    """The ledger file that a commit on the master names."""
    named = commit.metadata["ledger"]
    return DataFile(path=named["path"], size=named["size"], rows=named["rows"], partition={})
