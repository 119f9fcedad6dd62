"""Reads one delivered file, judges its rows and spools them to local files.

Delivered files are read in child processes, so that one that kills its reader takes nothing else
down.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import BadFileError
from pipeline.merge.coverage import Window
from pipeline.merge.place import Period
from pipeline.read.lay_out import lay_out
from pipeline.staging import Spooled, fetch_spooled
from pipeline.steps.blocks import (
    Block,
    judge_block,
    list_blocks,
    list_rejects,
    refuse_split,
)
from pipeline.steps.context import Context, check_claims, find_context
from pipeline.steps.other_notation import refuse_other_notation
from pipeline.steps.totals import Checksum
from pipeline.validate import Verdict

READ_NO = "read_no"
"""The column of spooled rows that says which of the files read together a row is of."""

VANISHED = "vanished"
"""The file went away, or is not there yet, while it was read: no verdict on it."""

SAME_FILE = "same_file"
"""Its bytes were taken before."""

UNCHANGED = "unchanged"
"""It was judged before and is judged the same."""

INCOMPLETE = "incomplete"
"""Its delivery is not complete yet: no verdict on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """A file to ingest.

    Attributes:
        read_no: Its number among all that a transaction reads, over all its attempts.
        path: Its key in the lake.
        local: Where its bytes are.
        contracts: Those it may be of.
        source: Whose it is.
        delivered_on: UTC day of its delivery.
        spool: Folder for what is read.
        account: Where its place says it.
        currency: Likewise.
        period: Likewise.
        time_zone: Likewise.
        claims: What its place says of its columns.
    """

    read_no: int
    path: str
    local: Path
    contracts: Sequence[Contract]
    source: str
    delivered_on: date
    spool: Path
    account: str | None = None
    currency: str | None = None
    period: Period | None = None
    time_zone: str | None = None
    claims: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Ingested:
    """What a file held.

    Attributes:
        read_no: As in its task.
        contract: Name of the contract it was read by; '' where none was found.
        time_zone: In which its days are meant; '' where that was not found out.
        control: Blank lines, and those of preamble and totals.
        valid: Rows that passed their contract.
        quarantined: Rows that did not.
        days: Rows that passed, by date.
        remarks: Counts of what was taken but is worth a look.
        coverage: For what it speaks.
        constants: What is the same in all its rows, by canonical column.
        folds: Whether its rows are parts of others, to be added up.
        reason: Why the whole file is refused, held or a duplicate; '' where it is not.
        detail: The same in words; of a file that is taken, what is worth a look.
        held: Whether it only waits for a person.
        duplicates: Rows that were said before, where the whole file was.
        spooled: Arrow IPC files with the rows that passed: `columns`, `line` and `read_no`.
        columns: The canonical columns in `spooled`.
        rejects: Arrow IPC files with those that did not; columns `REJECT_COLUMNS`.
    """

    read_no: int
    contract: str = ""
    time_zone: str = ""
    control: int = 0
    valid: int = 0
    quarantined: int = 0
    days: Counter[date] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    coverage: list[Window] = field(default_factory=list)
    constants: Mapping[str, str | None] = field(default_factory=dict)
    folds: bool = False
    reason: str = ""
    detail: str = ""
    held: bool = False
    duplicates: int = 0
    spooled: list[Spooled] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    rejects: list[Spooled] = field(default_factory=list)

    @property
    def is_passing(self) -> bool:
        """Whether the next run may well be able to read the file."""
        return self.reason in {VANISHED, INCOMPLETE, UNCHANGED, "missing_file"}

    @property
    def span(self) -> tuple[date, date] | None:
        """First and last date that it speaks for."""
        if not self.coverage:
            return None
        return (
            min(window.first_date for window in self.coverage),
            max(window.last_date for window in self.coverage),
        )

    def refuse(self, reason: str, detail: str) -> None:
        """Sets the whole file aside: nothing of it is taken."""
        self.reason, self.detail = reason, detail
        self.valid = self.quarantined = self.control = 0
        self.coverage, self.spooled, self.rejects = [], [], []
        self.remarks, self.days = Counter(), Counter()

    def leave(self) -> None:
        """Leaves the file as it was judged before."""
        self.refuse(UNCHANGED, "judged as before")

    def repeat(self, detail: str, rows: int) -> None:
        """Sets the whole file aside: all that it says was said before."""
        self.refuse(SAME_FILE, detail)
        self.duplicates = rows

    def hold(self, reason: str, detail: str) -> None:
        """Sets the whole file aside until a person lets it pass."""
        self.refuse(reason, detail)
        self.held = True


def ingest_file(task: FileTask) -> Ingested:
    """Ingests a delivered file; one that cannot be read comes back with its reason."""
    result = Ingested(task.read_no)
    scratch = task.spool / f"{task.read_no}-scratch"
    scratch.mkdir()
    try:
        layout, path = lay_out(
            task.local,
            task.contracts,
            source=task.source,
            scratch=scratch,
            name=task.path.rpartition("/")[2],
        )
        result.contract = layout.contract.name
        context = find_context(
            layout,
            account=task.account,
            currency=task.currency,
            period=task.period,
            time_zone=task.time_zone,
        )
        result.time_zone = context.time_zone
        _ingest_rows(result, task, context, list_blocks(path, layout, scratch))
    except BadFileError as error:
        result.refuse(error.rule, str(error))
    return result


def _ingest_rows(
    result: Ingested, task: FileTask, context: Context, blocks: Iterator[Block]
) -> None:
    layout = context.layout
    checksum = Checksum(layout.contract, context.dialect)
    seen: list[pl.DataFrame] = []
    result.control = max(layout.header_line - 1, 0)
    for number, block in enumerate(blocks):
        verdict = judge_block(block, context, delivered_on=task.delivered_on)
        refuse_other_notation(block, verdict, context)
        said = [("path", name, value) for name, value in task.claims]
        check_claims(verdict.accepted, [*said, *context.claims])
        checksum.add(block.totals, verdict.accepted)
        seen.append(verdict.coverage)
        result.control += block.blank + len(block.totals)
        result.remarks.update(verdict.remarks)
        spool_rejects(
            result, list_rejects(block, verdict), task.spool / f"{task.read_no}-{number}-bad"
        )
        _spool_rows(result, verdict, block.lines, task.spool / f"{task.read_no}-{number}")
    result.constants = context.constants
    result.folds = layout.folds
    result.coverage = context.cover(seen, rows=result.valid + result.quarantined)
    if layout.ignored:
        result.remarks["ignored_columns"] = len(layout.ignored)
    refuse_split(layout, result.columns, fetch_spooled(result.spooled))
    if mismatch := checksum.compare():
        result.remarks["totals_mismatch"] = 1
        result.detail = mismatch


def spool_rejects(result: Ingested, rejects: pl.DataFrame, path: Path) -> None:
    """Puts rejected rows, columns `REJECT_COLUMNS`, into a file, where there are any."""
    if len(rejects):
        rejects.write_ipc(path)
        result.quarantined += len(rejects)
        result.rejects.append(path)


def _spool_rows(result: Ingested, verdict: Verdict, lines: pl.Series, path: Path) -> None:
    rows = verdict.accepted
    if len(rows):
        kept = lines.filter(verdict.kept)
        rows.with_columns(kept, pl.lit(result.read_no, pl.Int32).alias(READ_NO)).write_ipc(path)
        result.valid += len(rows)
        result.days.update(dict(rows["date"].value_counts().iter_rows()))
        result.spooled.append(path)
        result.columns = tuple(rows.columns)
