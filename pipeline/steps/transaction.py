"""One transaction on the lake: read, judge, resolve, write, and one commit that decides.

Merging, replaying and withdrawing differ in which files they take in, and in nothing else.
Whatever goes wrong with a commit, its outcome is unknown until the master is opened again: nothing
is deleted, and the next attempt looks first whether the commit landed.
"""

import functools
import itertools
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from pipeline.contracts import Contract, load_contracts
from pipeline.engine import map_threads
from pipeline.errors import CommitConflictError, StorageError
from pipeline.lake import MASTER_TABLE, Lake
from pipeline.manifest import Manifest
from pipeline.merge.account import FileAccount
from pipeline.merge.delivery import Delivery
from pipeline.merge.plan import plan_parts
from pipeline.merge.write import Writer
from pipeline.settings import Settings
from pipeline.steps.accounting import Lost, gather_rejects, make_accounts
from pipeline.steps.batch import Batch, gather_batch
from pipeline.steps.complete import leave_incomplete
from pipeline.steps.hold import hold_back
from pipeline.steps.ingest import UNCHANGED, Ingested
from pipeline.steps.ledger import read_ledger
from pipeline.steps.read_deliveries import Reader
from pipeline.steps.refuse import refuse_broken, refuse_mixed, settle_repeats
from pipeline.steps.resolve_parts import PartResult, work_on_part
from pipeline.table import Table

ATTEMPTS = 6

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeOutcome:
    """What a transaction did.

    Attributes:
        version: Delta version of the master afterwards.
        rows: Rows in the master afterwards.
        transaction: The number of its commit; None where there was nothing to commit.
        accounts: The files it decided on.
        rows_added: Rows that came into the master.
        rows_removed: Rows that went.
        unfinished: Files left to a later run.
    """

    version: int
    rows: int
    transaction: int | None = None
    accounts: Sequence[FileAccount] = ()
    rows_added: int = 0
    rows_removed: int = 0
    unfinished: Sequence[str] = ()

    @property
    def to_look_at(self) -> list[FileAccount]:
        """Files that were refused, whole or in so many rows that a person should know."""
        return [account for account in self.accounts if account.needs_a_look]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a transaction takes in.

    Attributes:
        deliveries: Files to read.
        manifests: The manifest of each generated day among them, by path.
        settled: Accounts of files that nobody has to read.
        unfinished: Files left to a later run.
        ledger: The ledger as it counts from now on; columns of schema.LEDGER.
        withdrawn: What does not speak any more: source, delivered_at, delivery_id, first, last.
        check: Looks at what was read of the deliveries before anything else is done.
    """

    deliveries: Sequence[Delivery]
    ledger: pl.DataFrame
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    settled: Sequence[FileAccount] = ()
    unfinished: Sequence[str] = ()
    withdrawn: pl.DataFrame | None = None
    check: Callable[[Sequence[Delivery], Sequence[Ingested]], None] | None = None


TakeIn = Callable[[pl.DataFrame, Mapping[str, Contract]], Intake]
"""Chooses what a transaction takes in, given the ledger and the contracts."""


def transact(
    lake: Lake,
    take_in: TakeIn,
    *,
    command: str,
    settings: Settings,
    on_file: Callable[[int], None] | None = None,
) -> MergeOutcome:
    """Runs one transaction; tried again where another writer was faster.

    Args:
        lake: The lake, which is there.
        take_in: Chooses the files, at each attempt.
        command: Its name, for the log of the master.
        settings: Where further contracts are, and how much is worked on at once.
        on_file: Called with how many more files have been read.

    Raises:
        ContractError: A contract is wrong.
        ChangedOutsideError: Someone else committed to the master.
        CommitConflictError: Other writers were faster each time.
        StorageError: The lake cannot be read or written.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(CommitConflictError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential_jitter(multiplier=0.05, max=2, jitter=0.1),
        reraise=True,
    )
    with lake.storage.scratch() as scratch:
        contracts = load_contracts(settings.contracts_dir)
        reader = Reader(lake, contracts, scratch, settings.workers, on_file)
        work = _Work(lake, settings, contracts, scratch, reader, take_in, command)
        return retrying(work.attempt)


@dataclass(slots=True)
class _Work:
    """One transaction over its attempts."""

    lake: Lake
    settings: Settings
    contracts: Mapping[str, Contract]
    scratch: Path
    reader: Reader
    take_in: TakeIn
    command: str
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    numbers: Iterator[int] = field(default_factory=itertools.count)
    expected: MergeOutcome | None = None

    def attempt(self) -> MergeOutcome:
        master = self.lake.open_master()
        master.refuse_foreign_commit()
        self.lake.catch_up(master)
        if self.expected and self._has_landed(master, self.expected):
            return self.expected
        intake = self.take_in(read_ledger(self.lake.list_ledger(master)), self.contracts)
        rows_before = sum(file.rows for file in master.list_files())
        unchanged = MergeOutcome(
            version=master.version, rows=rows_before, unfinished=intake.unfinished
        )
        if not intake.deliveries and not intake.settled:
            return unchanged
        batch = self._read(intake, master)
        passing = [
            delivery.found.path
            for delivery, result in zip(batch.deliveries, batch.results, strict=True)
            if result.is_passing and result.reason != UNCHANGED and delivery.is_fresh
        ]
        unfinished = [*intake.unfinished, *passing]
        if not batch.list_fresh() and not intake.settled:
            return replace(unchanged, unfinished=unfinished)
        n = master.transaction + 1
        writer = Writer(self.lake.storage, self.scratch, n, self.run, self.numbers)
        parts = self._work_on_parts(batch, master, writer)
        accounts = self._account(batch, parts, intake.settled, writer)
        added = sum(part.rows_added for part in parts)
        removed = sum(part.rows_removed for part in parts)
        self.expected = MergeOutcome(
            version=master.version + 1,
            rows=rows_before + added - removed,
            transaction=writer.transaction,
            accounts=accounts,
            rows_added=added,
            rows_removed=removed,
            unfinished=unfinished,
        )
        self._commit(master, writer, parts, self.expected)
        return self.expected

    def _read(self, intake: Intake, master: Table) -> Batch:
        """Reads the files and sets those aside that cannot be merged as things stand."""
        ledger = intake.ledger
        deliveries = sorted(
            intake.deliveries, key=lambda delivery: (delivery.rank, delivery.sha256)
        )
        _log.info("reading %d files", len(deliveries))
        results = self.reader.read(deliveries, intake.manifests)
        if intake.check is not None:
            intake.check(deliveries, results)
        leave_incomplete(deliveries, results, self.contracts, self.lake.storage)
        refuse_broken(deliveries, results, ledger)
        refuse_mixed(deliveries, results, self.contracts, ledger)
        settle_repeats(deliveries, results, self.contracts, ledger)
        hold_back(deliveries, results, self.contracts, ledger, master)
        return gather_batch(deliveries, results, self.contracts, ledger, withdrawn=intake.withdrawn)

    def _has_landed(self, master: Table, expected: MergeOutcome) -> bool:
        """Whether the commit whose answer was lost is in the log, under others by now or not."""
        since = max(1, master.version - expected.version + 1)
        return any(one.metadata.get("run") == self.run for one in master.read_commits(since))

    def _work_on_parts(self, batch: Batch, master: Table, writer: Writer) -> list[PartResult]:
        parts = plan_parts(master.list_files(), batch.spans)
        _log.info("resolving %d partitions", len(parts))
        work = functools.partial(work_on_part, batch=batch, master=master, writer=writer)
        return list(map_threads(work, parts, workers=self.settings.workers))

    def _account(
        self,
        batch: Batch,
        parts: Sequence[PartResult],
        settled: Sequence[FileAccount],
        writer: Writer,
    ) -> list[FileAccount]:
        lost: Lost = Counter()
        for part in parts:
            lost.update(part.lost)
        accounts = make_accounts(batch, lost, settled)
        rejects = gather_rejects(batch, accounts, n=writer.transaction)
        if len(rejects):
            path = writer.write_rejects(rejects)
            for account in accounts:
                if account.quarantined or account.outcome == "quarantined":
                    account.reject_path = path
        return accounts

    def _commit(
        self, master: Table, writer: Writer, parts: Sequence[PartResult], outcome: MergeOutcome
    ) -> None:
        n = writer.transaction
        now = datetime.now(UTC)
        rows = [account.to_ledger_row(n=n, recorded_at=now) for account in outcome.accounts]
        for file in (file for part in parts for file in part.adds):
            entry = self.lake.storage.find(f"{MASTER_TABLE}/{file.path}")
            if entry is None or entry.size != file.size:
                raise StorageError(f"{file.path} is not in the master's folder as it was written")
        _log.info("committing transaction %d: %d rows in the master", n, outcome.rows)
        ledger_file = writer.write_ledger(rows)
        master.commit(
            adds=[file for part in parts for file in part.adds],
            removes=[file for part in parts for file in part.removes],
            transaction=n,
            metadata={
                "command": self.command,
                "n": n,
                "run": self.run,
                "ledger": {
                    "path": ledger_file.path,
                    "size": ledger_file.size,
                    "rows": ledger_file.rows,
                },
                "rows": outcome.rows,
                "rows_added": outcome.rows_added,
                "rows_removed": outcome.rows_removed,
            },
        )
        self.lake.catch_up(self.lake.open_master())
