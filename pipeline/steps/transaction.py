"""One transaction on delivered files: read, judge and resolve them, and one commit that decides.

Merging, replaying and withdrawing differ in which files they take in, and in nothing else.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from pipeline.contracts import Contract, load_contracts
from pipeline.delta.log import DataFile
from pipeline.delta.table import Table
from pipeline.engine import Engine, LocalEngine
from pipeline.lake import Lake
from pipeline.manifest import Manifest
from pipeline.memory import refuse_too_little
from pipeline.merge.account import FileAccount
from pipeline.merge.delivery import Delivery
from pipeline.merge.plan import plan_parts
from pipeline.merge.write import Writer
from pipeline.settings import Settings
from pipeline.staging import open_staging
from pipeline.steps.accounting import Lost, gather_rejects, make_accounts
from pipeline.steps.batch import Batch, gather_batch
from pipeline.steps.commit import Change, MergeOutcome, commit_change
from pipeline.steps.complete import leave_incomplete
from pipeline.steps.hold import hold_back
from pipeline.steps.ingest import UNCHANGED, Ingested
from pipeline.steps.read_deliveries import Reader
from pipeline.steps.refuse import refuse_broken, refuse_lost, refuse_mixed, settle_repeats
from pipeline.steps.resolve_parts import SLICES_AHEAD, PartResult, PartTask, PartWorker

_log = logging.getLogger(__name__)


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
        anew: Whether they are all that the master will hold: nothing of what it holds stays.
    """

    deliveries: Sequence[Delivery]
    ledger: pl.DataFrame
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    settled: Sequence[FileAccount] = ()
    unfinished: Sequence[str] = ()
    withdrawn: pl.DataFrame | None = None
    check: Callable[[Sequence[Delivery], Sequence[Ingested]], None] | None = None
    anew: bool = False


TakeIn = Callable[[pl.DataFrame, Mapping[str, Contract]], Intake]
"""Chooses what a transaction takes in, given the ledger and the contracts."""


def transact(  # noqa: PLR0913 - each is another's of the commands that transact
    lake: Lake,
    take_in: TakeIn,
    *,
    command: str,
    settings: Settings,
    on_file: Callable[[int], None] | None = None,
    anew: bool = False,
    job: str = "",
    engine: Engine | None = None,
) -> MergeOutcome:
    """Runs one transaction; tried again where another writer was faster.

    Args:
        lake: The lake, which is there.
        take_in: Chooses the files, at each attempt.
        command: Its name, for the log of the master.
        settings: Where further contracts are, and how much is worked on at once.
        on_file: Called with how many more files have been read.
        anew: Whether the master is made anew, so that it does not matter what others did to it.
        job: For whom it is done, for the log of the master; '' for nobody.
        engine: What reads and resolves; None: this machine, by the settings.

    Raises:
        ContractError: A contract is wrong.
        ChangedOutsideError: Someone else committed to the master.
        CommitConflictError: Other writers were faster each time.
        ClusterError: The engine is a cluster and failed; nothing is committed.
        LakeError: The process may use too little memory.
        StorageError: The lake cannot be read or written.
    """
    refuse_too_little()
    with (
        lake.storage.scratch() as scratch,
        open_staging(lake, engine or LocalEngine(settings.workers)) as staging,
    ):
        contracts = load_contracts(settings.contracts_dir)
        reader = Reader(lake, contracts, scratch, staging, on_file)
        work = _Work(lake, contracts, reader, take_in)
        return commit_change(
            lake, work.prepare, command=command, scratch=scratch, anew=anew, job=job
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """One transaction; what was read is kept for the next attempt."""

    lake: Lake
    contracts: Mapping[str, Contract]
    reader: Reader
    take_in: TakeIn

    def prepare(self, master: Table, ledger: pl.DataFrame, writer: Writer) -> Change:
        intake = self.take_in(ledger, self.contracts)
        if not intake.deliveries and not intake.settled:
            return Change(unfinished=intake.unfinished)
        batch = self._read(intake, master)
        passing = [
            delivery.found.path
            for number, delivery in batch.deliveries.items()
            if delivery.is_fresh and _is_left(batch.results[number])
        ]
        unfinished = [*intake.unfinished, *passing]
        if not batch.list_fresh() and not intake.settled:
            return Change(unfinished=unfinished)
        if intake.anew:
            refuse_lost([*batch.deliveries.values()], [*batch.results.values()])
        standing = [] if intake.anew else master.list_files()
        parts = self._work_on_parts(batch, standing, writer)
        gone = master.list_files() if intake.anew else []
        return Change(
            adds=[file for part in parts for file in part.adds],
            removes=[*gone, *(file for part in parts for file in part.removes)],
            accounts=self._account(batch, parts, intake.settled, writer),
            rows_added=sum(part.rows_added for part in parts),
            rows_removed=sum(file.rows for file in gone) + sum(part.rows_removed for part in parts),
            unfinished=unfinished,
        )

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
        hold_back(deliveries, results, self.contracts, ledger, self.lake, master)
        return gather_batch(deliveries, results, self.contracts, ledger, withdrawn=intake.withdrawn)

    def _work_on_parts(
        self, batch: Batch, standing: Sequence[DataFile], writer: Writer
    ) -> list[PartResult]:
        parts = plan_parts(standing, batch.spans, batch.days)
        _log.info("resolving %d partitions", len(parts))
        engine = self.reader.staging.engine
        # Where there are fewer parts than workers, two threads work on each of them.
        has_spare = not engine.is_remote and len(parts) < engine.workers
        ahead = SLICES_AHEAD if has_spare else 0
        worker = PartWorker(self.lake, writer.transaction, writer.run, ahead=ahead)
        tasks = (PartTask(part, batch.narrow(part), next(writer.numbers)) for part in parts)
        return list(self.reader.staging.map(worker, tasks, label=lambda task: task.label))

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


def _is_left(result: Ingested) -> bool:
    """Whether a file is left to a later run."""
    return result.is_passing and result.reason != UNCHANGED
