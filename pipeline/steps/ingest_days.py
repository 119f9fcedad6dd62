"""Reads generated days, judges their rows and spools them to a local file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from pipeline.contracts import Contract
from pipeline.errors import BadFileError
from pipeline.merge.coverage import Window
from pipeline.read.raw import DataPart, read_day
from pipeline.steps.blocks import REJECT_COLUMNS
from pipeline.steps.ingest import READ_NO, Ingested, spool_rejects
from pipeline.validate import validate_typed


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTask:
    """A generated day to ingest.

    Attributes:
        read_no: Its number among all that a transaction reads, over all its attempts.
        path: Key of its manifest.
        parts: Its data files.
        contract: The generator's.
        account: From the manifest.
        day: Likewise.
        delivered_on: UTC day of its delivery.
    """

    read_no: int
    path: str
    parts: Sequence[DataPart]
    contract: Contract
    account: str
    day: date
    delivered_on: date


def ingest_raw(tasks: Sequence[RawTask], spool: Path) -> list[Ingested]:
    """Ingests some generated days at once: a day is small and there are many.

    Args:
        tasks: Days of one contract, at least one.
        spool: The file for all that is accepted.
    """
    results = {task.read_no: Ingested(task.read_no, task.contract.name) for task in tasks}
    tables = [(task, _read_day(task, results[task.read_no])) for task in tasks]
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
    result.coverage = [Window(task.account, None, "", task.day, task.day, is_primary=False)]
    result.constants = {**task.contract.constants, "account": task.account}
    return table


def _stack_days(read: Sequence[tuple[RawTask, pa.Table]]) -> pl.DataFrame:
    """The rows of some days with `date`, `read_no` and `line`, the row's number in its day."""
    sizes = [table.num_rows for _, table in read]
    days = pl.Series("date", [task.day for task, _ in read], pl.Date)
    numbers = pl.Series(READ_NO, [task.read_no for task, _ in read], pl.Int32)
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
    rejects: dict[int, list[tuple[object, ...]]] = {}
    for row, fault in verdict.faults.items():
        cells = rows.row(row, named=True)
        bad = rejects.setdefault(cells.pop(READ_NO), [])
        raw = json.dumps(cells, default=str, ensure_ascii=False)
        bad.append((cells["line"], *fault, raw))
    for read_no, bad in rejects.items():
        frame = pl.DataFrame(bad, schema=REJECT_COLUMNS, orient="row")
        spool_rejects(results[read_no], frame, spool.with_name(f"{read_no}-bad"))
    verdict.accepted.write_ipc(spool)
    columns = tuple(name for name in verdict.accepted.columns if name not in {READ_NO, "line"})
    days = {task.read_no: task.day for task in tasks}
    for read_no, count in verdict.accepted.group_by(READ_NO).len().iter_rows():
        results[read_no].valid = count
        results[read_no].days[days[read_no]] = count
        results[read_no].spooled = [spool]
        results[read_no].columns = columns
