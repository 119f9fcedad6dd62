"""The sequence around one commit on the master: open, catch up, prepare, write, commit, account.

Merging, replaying, withdrawing, compacting and rebuilding differ in what they change, and in
nothing else. Whatever goes wrong with a commit, its outcome is unknown until the master is opened
again: nothing is deleted, and the next attempt looks first whether the commit landed.
"""

import contextlib
import itertools
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from pipeline.delta.log import DataFile
from pipeline.delta.table import Table
from pipeline.errors import (
    CommitConflictError,
    EmptyLakeError,
    LakeError,
    MissingError,
    StorageError,
)
from pipeline.lake import LEDGER_TABLE, MASTER_TABLE, Lake
from pipeline.ledger import FILES_AT_MOST, LedgerPart, append
from pipeline.merge.account import FileAccount
from pipeline.merge.write import Writer
from pipeline.schema import LEDGER
from pipeline.secret import scrub
from pipeline.steps.ledger import read_ledger
from pipeline.storage.temporary import describe_folder

ATTEMPTS = 6

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a commit changes; nothing of it is true before.

    Attributes:
        adds: New files of the master, which are in place.
        removes: Files that it no longer has.
        accounts: The delivered files that it decides on.
        rows_added: Rows that come into the master.
        rows_removed: Rows that go.
        unfinished: Files left to a later run.
    """

    adds: Sequence[DataFile] = ()
    removes: Sequence[DataFile] = ()
    accounts: Sequence[FileAccount] = ()
    rows_added: int = 0
    rows_removed: int = 0
    unfinished: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.adds or self.removes or self.accounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeOutcome:
    """What came of it.

    Attributes:
        version: Delta version of the master afterwards.
        rows: Rows in the master afterwards.
        transaction: The number of the commit; None where there was nothing to commit.
        accounts: The delivered files that it decided on.
        rows_added: Rows that came into the master.
        rows_removed: Rows that went.
        files_added: Files that came into the master.
        files_removed: Files that went.
        unfinished: Delivered files left to a later run.
        left_out: Why files were left as they are that a person wanted judged again, in words.
        due: Held files that the next merge judges again.
    """

    version: int
    rows: int
    transaction: int | None = None
    accounts: Sequence[FileAccount] = ()
    rows_added: int = 0
    rows_removed: int = 0
    files_added: int = 0
    files_removed: int = 0
    unfinished: Sequence[str] = ()
    left_out: Sequence[str] = ()
    due: Sequence[str] = ()

    @property
    def to_look_at(self) -> list[FileAccount]:
        """Files that were refused, whole or in so many rows that a person should know."""
        return [account for account in self.accounts if account.needs_a_look]


Prepare = Callable[[Table, pl.DataFrame, Writer], Change]
"""Works out a change and writes its files, given the master, the ledger and the writer."""


def commit_change(
    lake: Lake,
    prepare: Prepare,
    *,
    command: str,
    scratch: Path,
    anew: bool = False,
    job: str = "",
) -> MergeOutcome:
    """Prepares a change and commits it; both again where another writer was faster.

    Args:
        lake: The lake, which is there.
        prepare: Called at each attempt.
        command: Its name, for the log of the master.
        scratch: A local folder for files that are not finished.
        anew: Whether the change replaces the whole master, so that it does not matter what others
            did to it.
        job: For whom it is done, for the log of the master; '' for nobody.

    Raises:
        ChangedOutsideError: Someone else committed to the master.
        CommitConflictError: Other writers were faster each time.
        LakeError: The lake is damaged.
        StorageError: The lake cannot be read or written.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(CommitConflictError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential_jitter(multiplier=0.05, max=2, jitter=0.1),
        reraise=True,
    )
    try:
        return retrying(_Sequence(lake, prepare, command, scratch, anew, job).attempt)
    except EmptyLakeError:
        raise
    except (LakeError, MissingError):
        _refuse_gone(lake)
        raise
    except OSError as error:
        _refuse_gone(lake)
        # The engines that read and write for us often name no file.
        where = error.filename or describe_folder(scratch.parent)
        raise StorageError(f"{where}: {error.strerror or error}; nothing is lost") from error


def _refuse_gone(lake: Lake) -> None:
    """Says what is behind an error about a file, where the whole lake is no longer there.

    Raises:
        LakeError: As said.
    """
    if not lake.exists():
        raise LakeError(
            f"{lake.uri} is gone: somebody removed or renamed it while it was worked on, and "
            f"nothing is made anew in its place; where it is back, adlake goes on from its last "
            f"commit"
        )


@dataclass(slots=True)
class _Sequence:
    """One change over its attempts."""

    lake: Lake
    prepare: Prepare
    command: str
    scratch: Path
    anew: bool
    job: str
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    numbers: Iterator[int] = field(default_factory=itertools.count)
    expected: MergeOutcome | None = None

    def attempt(self) -> MergeOutcome:
        master = self.lake.open_master()
        if not self.anew:
            master.refuse_foreign_commit()
        if self.expected and self._has_landed(master, self.expected):
            return self._let_follow(self.expected, lambda: self.lake.catch_up(master))
        known = self.lake.catch_up(master)
        # A master that is made anew may have lost commits that the ledger knows of.
        if self.anew:
            part = LedgerPart(tuple(known.locate(known.list_files())), known.transaction)
        else:
            part = self.lake.pick_ledger(master, known)
        n = 1 + part.last
        writer = Writer(self.lake.storage, self.scratch, n, self.run, self.numbers)
        # Nobody holds the ledger any longer when Delta's library opens the master once more.
        change = self.prepare(master, read_ledger(self.lake, part), writer)
        rows = sum(file.rows for file in master.list_files())
        if change.is_empty:
            if change.unfinished:  # files also vanish with the whole lake
                _refuse_gone(self.lake)
            return MergeOutcome(version=master.version, rows=rows, unfinished=change.unfinished)
        self.expected = MergeOutcome(
            version=master.version + 1,
            rows=rows + change.rows_added - change.rows_removed,
            transaction=n,
            accounts=change.accounts,
            rows_added=change.rows_added,
            rows_removed=change.rows_removed,
            files_added=len(change.adds),
            files_removed=len(change.removes),
            unfinished=change.unfinished,
        )
        follow = self._commit(master, known, part, writer, change, self.expected)
        return self._let_follow(self.expected, follow)

    def _has_landed(self, master: Table, expected: MergeOutcome) -> bool:
        """Whether the commit whose answer was lost is in the log, under others by now or not."""
        since = max(0, master.version - expected.version + 1)
        return any(one.metadata.get("run") == self.run for one in master.read_commits(since))

    def _commit(
        self,
        master: Table,
        known: Table,
        part: LedgerPart,
        writer: Writer,
        change: Change,
        outcome: MergeOutcome,
    ) -> Callable[[], object]:
        """Commits to the master; what is given then lets the ledger follow."""
        n = writer.transaction
        now = datetime.now(UTC)
        _log.info("committing transaction %d: %d rows in the master", n, outcome.rows)
        rows = [account.to_ledger_row(n=n, recorded_at=now) for account in change.accounts]
        decided = pl.DataFrame(rows, schema=pl.Schema(LEDGER), orient="row")
        ledger_file = writer.write_ledger(decided)
        self._secure(change, ledger_file)
        # What may fail is done while nothing is committed.
        joined, joins = ledger_file, known.list_files()
        if len(joins) < FILES_AT_MOST:
            joins = []
        else:
            joined = writer.write_ledger(pl.concat([read_ledger(self.lake, part), decided]))
            self.lake.storage.persist([f"{LEDGER_TABLE}/{joined.path}"])
        master.commit(
            adds=change.adds,
            removes=change.removes,
            transaction=n,
            metadata={
                "command": self.command,
                "n": n,
                "run": self.run,
                "job": self.job,
                "ledger": {
                    "path": ledger_file.path,
                    "size": ledger_file.size,
                    "rows": ledger_file.rows,
                },
                "rows": outcome.rows,
                "rows_added": outcome.rows_added,
                "rows_removed": outcome.rows_removed,
                "files_to_look_at": len(outcome.to_look_at),
            },
        )
        version = outcome.version
        return lambda: append(master, known, joined, number=n, version=version, joins=joins)

    def _let_follow(self, landed: MergeOutcome, follow: Callable[[], object]) -> MergeOutcome:
        """Lets the ledger follow a commit that stands; only a lake that is gone fails that."""
        try:
            try:
                follow()
            except CommitConflictError:  # another command may have appended it already
                self.lake.catch_up(self.lake.open_master())
        except (CommitConflictError, LakeError, StorageError, OSError) as error:
            with contextlib.suppress(OSError, StorageError):
                _refuse_gone(self.lake)
            _log.warning(
                "version %d of the master is committed and stands; the ledger does not list it "
                "yet, and the next command that writes sees to it: %s",
                landed.version,
                scrub(str(error)),
            )
        return landed

    def _secure(self, change: Change, ledger_file: DataFile) -> None:
        """Sees to it that all that the commit will name is there, also after a power cut.

        Raises:
            StorageError: A file is not as it was written.
        """
        storage = self.lake.storage
        for file in change.adds:
            entry = storage.find(f"{MASTER_TABLE}/{file.path}")
            if entry is None or entry.size != file.size:
                raise StorageError(f"{file.path} is not in the master's folder as it was written")
        rejects = {account.reject_path for account in change.accounts if account.reject_path}
        data = [f"{MASTER_TABLE}/{file.path}" for file in change.adds]
        storage.persist([*data, *sorted(rejects), f"{LEDGER_TABLE}/{ledger_file.path}"])
