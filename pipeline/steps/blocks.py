"""The records of one delivered file, block by block and whatever its format, and their verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import polars as pl

from pipeline.errors import BadFileError
from pipeline.merge.resolve import CAMPAIGN, name_campaign
from pipeline.read.layout import Layout
from pipeline.read.parquet import read_parquet_rows
from pipeline.read.text import read_rows
from pipeline.schema import GRAIN, PART_CELL, Fault
from pipeline.steps.context import Context
from pipeline.validate import Verdict, validate_texts

REJECT_COLUMNS = pl.Schema(
    {
        "line": pl.Int64(),
        **{name: pl.String() for name in ("rule", "column", "value", "expected", "raw")},
    }
)
"""A rejected row as it is spooled; see schema.REJECTS."""


class Showing(Protocol):
    """Shows a row of a block as it was delivered."""

    def show(self, row: int) -> str:
        """Its text."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some records of a file, whatever its format.

    Attributes:
        cells: Text by canonical column.
        lines: Where each row stands in the file.
        bad: Rows that have no cells: line, fault, raw.
        totals: Rows that sum up the others.
        blank: How many lines were empty.
        origin: Shows each row as it was delivered.
    """

    cells: pl.DataFrame
    lines: pl.Series
    bad: Sequence[tuple[int, Fault, str]]
    totals: pl.DataFrame
    blank: int
    origin: Showing


def list_blocks(path: Path, layout: Layout, scratch: Path) -> Iterator[Block]:
    """The records of a file, block by block."""
    if layout.format == "parquet":
        for rows in read_parquet_rows(path, layout):
            lines = pl.Series("line", rows.lines, pl.Int64)
            yield Block(rows.cells, lines, rows.bad, rows.cells.clear(), 0, rows)
        return
    for records in read_rows(path, layout, scratch=scratch):
        lines = pl.Series("line", records.lines, pl.Int64)
        yield Block(records.cells, lines, records.bad, records.totals, records.blank, records)


def judge_block(block: Block, context: Context, *, delivered_on: date) -> Verdict:
    """Judges the rows of a block."""
    texts = block.cells
    if context.day is not None:  # the file has no column for it
        texts = texts.with_columns(pl.lit(context.day.isoformat()).alias("date"))
    return validate_texts(
        texts,
        context.layout.contract,
        context.dialect,
        delivered_on=delivered_on,
        period=context.period,
    )


def list_rejects(block: Block, verdict: Verdict) -> pl.DataFrame:
    """The rows of a block that did not pass; columns `REJECT_COLUMNS`."""
    rows = [(line, *fault, raw) for line, fault, raw in block.bad]
    rows += [
        (block.lines[row], *fault, block.origin.show(row)) for row, fault in verdict.faults.items()
    ]
    return pl.DataFrame(rows, schema=REJECT_COLUMNS, orient="row")


def refuse_split(layout: Layout, columns: Sequence[str], spooled: Sequence[Path]) -> None:
    """Refuses a file of which rows share their place and say something else.

    It is split by a column that its contract does not know, such as a keyword, or two campaigns
    have one name: of the rows of one campaign and day only one would stay. Rows that are the same
    in every column are one row that was written twice.

    Args:
        layout: Of the file.
        columns: The columns in `spooled` beside `line`.
        spooled: Arrow IPC files with its accepted rows.

    Raises:
        BadFileError: As said.
    """
    if layout.contract.mode != "replace_window" or not spooled:
        return
    rows = pl.scan_ipc(list(spooled), glob=False, hive_partitioning=False)
    key = [name for name in columns if name in GRAIN or name == PART_CELL]
    if {"campaign_id", "campaign_name"} <= set(key):
        key = [*(name for name in key if not name.startswith("campaign_")), CAMPAIGN]
        rows = rows.with_columns(name_campaign())
    said = [name for name in columns if name not in {*key, "campaign_id", "campaign_name"}]
    distinct = rows.select(*key, *said, "line").unique([*key, *said])
    split = distinct.filter(pl.struct(key).is_duplicated()).sort("line").collect()
    if len(split):
        named = "campaign_id" in columns
        clash = "" if named else "two campaigns may have one name: export their ids too; or "
        unread = f" that is not read ({', '.join(map(repr, layout.ignored[:5]))})"
        raise BadFileError(
            "unknown_split",
            f"{len(split)} rows share campaign and day, first on line {split['line'][0]}, and say "
            f"different things: {clash}the file is split by a column"
            f"{unread if layout.ignored else ''}: export it without that split, or name the "
            f"column in the contract under breakdowns or fold",
        )
