"""The lake: which folder holds what, its format, and snapshots of its two Delta tables.

raw/ad_day/date=D/   what the generator wrote; a manifest beside the data, written last
landing/<source>/    what others delivered
master/              Delta table of canonical rows (`schema.AD_DAY`)
ledger/              Delta table of every file ever seen (`schema.LEDGER`)
quarantine/          rejected rows (`schema.REJECTS`); true where a ledger row names the file
rollup/              derived measures, one file a partition, named after the master files
exports/, reports/   results for people
config/              what people say: rates of exchange
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

from pipeline.delta.log import LOG, Commit, DataFile, find_newest
from pipeline.delta.log_copy import list_log
from pipeline.delta.table import Table, create_table, open_table
from pipeline.errors import (
    EmptyLakeError,
    ExistsError,
    FormatError,
    LakeError,
    MissingError,
)
from pipeline.ledger import LedgerPart, catch_up, pick_part
from pipeline.schema import LEDGER, MASTER, PARTITION_COLUMNS
from pipeline.storage import Storage, open_storage

FORMAT_VERSION: Final = 3
FIRST_FORMAT: Final = 3
"""Of the first release; what came before was not promised to anybody."""

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
_FORMAT_LOST: Final = (
    f'restore it from a backup, or let it be {{"format": {FORMAT_VERSION}}} again where no newer '
    f"adlake than this has written to the lake"
)
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
        ledger: The ledger up to that transaction.
    """

    version: int
    commit: Commit
    files: tuple[DataFile, ...]
    file_uris: tuple[str, ...]
    transaction: int
    ledger: LedgerPart

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
            FormatError: The lake is of another format.
        """
        if not self.check_format():
            self.create_tables()
            # Last: where it is, all is.
            text = json.dumps({"format": FORMAT_VERSION}) + "\n"
            with contextlib.suppress(ExistsError):  # another process may be faster
                self.storage.create(FORMAT_FILE, text.encode())
            self.storage.persist([FORMAT_FILE])
            self.check_format()

    def create_tables(self) -> None:
        """Makes those of the two tables that are not there."""
        create_table(self.storage, LEDGER_TABLE, LEDGER)
        create_table(self.storage, MASTER_TABLE, MASTER, partition_by=PARTITION_COLUMNS)

    def check_format(self) -> bool:
        """Refuses a lake that another adlake wrote, of which this one cannot read the tables.

        Returns:
            Whether there is a lake.

        Raises:
            FormatError: As said; `adlake upgrade` moves an older one.
            LakeError: lake.json cannot be read, or is gone from a lake that is there.
        """
        try:
            found = self.read_format()
        except MissingError:
            if not self._holds_commits():
                return False
            found = self._read_format_again()
        if found < FORMAT_VERSION:
            raise FormatError(
                f"{self.uri} is a lake of format {found}, and this adlake writes "
                f"{FORMAT_VERSION}: run adlake upgrade"
            )
        return True

    def _holds_commits(self) -> bool:
        """Whether something was ever committed; of a lake that is being made it was not."""
        logs = (list_log(self.storage, table) for table in (MASTER_TABLE, LEDGER_TABLE))
        return any(find_newest(names) for names in logs)

    def _read_format_again(self) -> int:
        """Another process may have made the lake since its format was asked for."""
        try:
            return self.read_format()
        except MissingError as error:
            raise LakeError(
                f"{self.locate(FORMAT_FILE)} is gone, and only it says which adlake wrote the "
                f"lake: {_FORMAT_LOST}"
            ) from error

    def read_format(self) -> int:
        """The format of the lake, which is there.

        Raises:
            FormatError: It is newer than any that this adlake knows, or from before the first.
            LakeError: lake.json cannot be read.
        """
        try:
            found = json.loads(self.storage.read(FORMAT_FILE))["format"]
        except (ValueError, KeyError, TypeError):
            found = None
        if type(found) is not int:
            raise LakeError(
                f"{self.locate(FORMAT_FILE)} is damaged, it does not say the lake's format: "
                f"{_FORMAT_LOST}"
            )
        if found > FORMAT_VERSION:
            raise FormatError(
                f"{self.uri} is a lake of format {found}; this adlake knows up to "
                f"{FORMAT_VERSION}: install a newer one"
            )
        if found < FIRST_FORMAT:
            raise FormatError(
                f"{self.uri} is a lake of format {found}, from before the first release: nothing "
                f"leads from it to {FORMAT_VERSION}; land its files in a new lake"
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
            LakeError: Its log is damaged, or gone from a lake that is there.
        """
        is_there = self.check_format()
        table = open_table(self.storage, MASTER_TABLE, MASTER, version=version)
        if table is None and is_there:
            raise LakeError(
                f"{self.locate(MASTER_TABLE)} is gone or empty, and {FORMAT_FILE} says that a lake "
                f"is there: restore it from a backup, or run adlake rebuild"
            )
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
        table = open_table(self.storage, LEDGER_TABLE, LEDGER)
        if table is None:
            raise LakeError(
                f"{self.locate(LEDGER_TABLE)} is gone or empty, and nothing else says what was "
                f"merged: restore it from a backup"
            )
        return table

    def catch_up(self, master: Table) -> Table:
        """As `ledger.catch_up`."""
        return catch_up(master, self.open_ledger)

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
            ledger=self.pick_ledger(master),
        )

    def pick_ledger(self, master: Table, ledger: Table | None = None) -> LedgerPart:
        """What the ledger says up to the master's transaction, as `ledger.pick_part`.

        Args:
            master: The master.
            ledger: On a handle that was opened after it; opened here where it is None.

        Raises:
            LakeError: The master's log lacks what the ledger knows of.
        """
        ledger = ledger or self.open_ledger()
        self._refuse_lost_commits(master, ledger)
        return pick_part(master, ledger)


@functools.lru_cache(maxsize=16)
def _open_storage_once(uri: str) -> Storage:
    """A process reads its credentials once for all parts that it works on."""
    return open_storage(uri)
