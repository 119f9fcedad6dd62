"""Reads one delivered file, judges its rows and spools what is accepted to a local file.

Text files are read in child processes, so that one that kills its reader takes nothing else down.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from pipeline.contracts import Contract
from pipeline.errors import BadFileError
from pipeline.read.raw import DataPart, read_day
from pipeline.read.recognise import recognise
from pipeline.read.text import read_head, read_rows
from pipeline.schema import Fault
from pipeline.validate import Verdict, validate_texts, validate_typed

VANISHED = "vanished"
"""The file went away, or is not there yet, while it was read: no verdict on it."""

RejectRow = tuple[str, int, str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTask:
    """A text file to ingest.

    Attributes:
        file_no: Its number in this merge.
        path: Its key in the lake.
        local: Where its bytes are.
        contracts: Those it may be of.
        delivered_on: UTC day of its delivery.
        spool: Folder for what is accepted.
    """

    file_no: int
    path: str
    local: Path
    contracts: Sequence[Contract]
    delivered_on: date
    spool: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTask:
    """A generated day to ingest; attributes as for `TextTask`, and the day's data files."""

    file_no: int
    path: str
    parts: Sequence[DataPart]
    contract: Contract
    day: date
    delivered_on: date


@dataclass(slots=True)
class Ingested:
    """What a file held.

    Attributes:
        file_no: As in its task.
        contract: Name of the contract it was read by; '' where none was found.
        control: Blank lines.
        valid: Rows that passed their contract.
        rejects: Rows that did not, as rows of REJECTS.
        remarks: Counts of what was taken but is worth a look.
        first: First date in it, whether its row was accepted or not.
        last: Last date in it.
        reason: Why the whole file is refused; '' where it is not.
        detail: The same in words.
        spooled: Arrow IPC files with the rows that passed: the contract's columns, `date`,
            `line` and `file_no`.
    """

    file_no: int
    contract: str = ""
    control: int = 0
    valid: int = 0
    rejects: list[RejectRow] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    first: date | None = None
    last: date | None = None
    reason: str = ""
    detail: str = ""
    spooled: list[Path] = field(default_factory=list)

    @property
    def is_passing(self) -> bool:
        """Whether the next run may well be able to read the file."""
        return self.reason in {VANISHED, "missing_file"}

    def refuse(self, reason: str, detail: str) -> None:
        """Sets the whole file aside: nothing of it is taken."""
        self.reason, self.detail = reason, detail
        self.valid = self.control = 0
        self.first = self.last = None
        self.rejects, self.spooled, self.remarks = [], [], Counter()

    def reject(self, path: str, line: int, fault: Fault, raw: str) -> None:
        """Notes a row that did not pass."""
        self.rejects.append((path, line, *fault, raw))

    def cover(self, dates: tuple[date, date] | None) -> None:
        """Widens the dates that the file speaks for."""
        if dates is not None:
            self.first = min(self.first or dates[0], dates[0])
            self.last = max(self.last or dates[1], dates[1])


def ingest_text(task: TextTask) -> Ingested:
    """Ingests a CSV file; one that cannot be read comes back with its reason."""
    result = Ingested(task.file_no)
    try:
        contract = recognise(read_head(task.local), task.contracts)
        result.contract = contract.name
        for number, records in enumerate(read_rows(task.local, contract)):
            verdict = validate_texts(records.cells, contract, delivered_on=task.delivered_on)
            for record in records.bad:
                result.reject(task.path, record.line, record.fault, record.raw)
            for row, fault in verdict.faults.items():
                result.reject(task.path, int(records.lines[row]), fault, records.show(row))
            lines = pl.Series("line", records.lines, pl.Int64)
            _take(result, verdict, task.spool / f"{task.file_no}-{number}.arrow", lines)
            result.control += records.blank
    except BadFileError as error:
        result.refuse(error.rule, str(error))
    return result


def ingest_raw(tasks: Sequence[RawTask], spool: Path) -> list[Ingested]:
    """Ingests some generated days at once: a day is small and there are many.

    Args:
        tasks: Days of one contract, at least one.
        spool: The file for all that is accepted.
    """
    results = {task.file_no: Ingested(task.file_no, task.contract.name) for task in tasks}
    tables = [(task, _read_day(task, results[task.file_no])) for task in tasks]
    read = [(task, table) for task, table in tables if table is not None]
    if read:
        _take_days(_stack_days(read), tasks, results, spool)
    return list(results.values())


def _read_day(task: RawTask, result: Ingested) -> pa.Table | None:
    try:
        table = read_day(task.parts, task.contract)
    except BadFileError as error:
        result.refuse(error.rule, str(error))
        return None
    result.cover((task.day, task.day))
    return table


def _stack_days(read: Sequence[tuple[RawTask, pa.Table]]) -> pl.DataFrame:
    """The rows of some days with `date`, `file_no` and `line`, the row's number in its day."""
    sizes = [table.num_rows for _, table in read]
    days = pl.Series("date", [task.day for task, _ in read], pl.Date)
    numbers = pl.Series("file_no", [task.file_no for task, _ in read], pl.Int32)
    lines = [np.arange(1, size + 1, dtype=np.int64) for size in sizes]
    place = np.repeat(np.arange(len(sizes)), sizes)
    rows = pl.DataFrame(pa.concat_tables([table for _, table in read]))
    return rows.with_columns(
        days[place], numbers[place], pl.Series("line", np.concatenate(lines), pl.Int64)
    )


def _take_days(
    rows: pl.DataFrame, tasks: Sequence[RawTask], results: Mapping[int, Ingested], spool: Path
) -> None:
    # Its manifest has a day delivered on the next, so one moment can judge all of them.
    delivered_on = max(task.delivered_on for task in tasks)
    verdict = validate_typed(rows, tasks[0].contract, delivered_on=delivered_on)
    paths = {task.file_no: task.path for task in tasks}
    for row, fault in verdict.faults.items():
        cells = rows.row(row, named=True)
        raw = json.dumps(cells, default=str, ensure_ascii=False)
        results[cells["file_no"]].reject(paths[cells["file_no"]], cells["line"], fault, raw)
    verdict.accepted.write_ipc(spool)
    for file_no, count in verdict.accepted.group_by("file_no").len().iter_rows():
        results[file_no].valid = count
        results[file_no].spooled = [spool]


def _take(result: Ingested, verdict: Verdict, spool: Path, lines: pl.Series) -> None:
    result.valid += len(verdict.accepted)
    result.remarks.update(verdict.remarks)
    result.cover(verdict.dates)
    if len(verdict.accepted):
        kept = lines.filter(verdict.kept)
        verdict.accepted.with_columns(kept, file_no=pl.lit(result.file_no, pl.Int32)).write_ipc(
            spool
        )
        result.spooled.append(spool)
