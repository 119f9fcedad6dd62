"""Exports one version of the master: read parts, write files in a workspace, put them in place."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.engine import Engine
from pipeline.errors import UsageError
from pipeline.export.files import ExportedFile, write_csv_files, write_parquet_file
from pipeline.export.frames import FrameMaker, read_frames
from pipeline.export.parts import Part, plan_parts
from pipeline.export.register import register_export
from pipeline.export.seed_csv import (
    SOURCE_COLUMNS,
    neutralise_formulas,
    shape_frame,
    spell_cells,
)
from pipeline.export.target import Target
from pipeline.lake import Lake, Snapshot
from pipeline.schema import AD_DAY

_CURRENCY: Final = "currency"


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """What an export wrote.

    Attributes:
        rows: Rows of the master that were exported.
        files: The files, each in every target.
        leftovers: Full names of lots of an earlier export in the targets with a higher number than
            this one's; they stay, and whoever reads the folder would count them too.
        currencies: Of the rows of a CSV, which has no column for them; sorted.
    """

    rows: int
    files: tuple[ExportedFile, ...]
    leftovers: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()


def export_csv(  # noqa: PLR0913 - each is an option of the command
    lake: Lake,
    snapshot: Snapshot,
    *,
    targets: Sequence[Target],
    master: bool = True,
    lots: int | None = None,
    start: date | None = None,
    end: date | None = None,
    safe: bool = False,
    engine: Engine | None = None,
) -> ExportOutcome:
    """Writes the original program's CSV files.

    Args:
        lake: The lake.
        snapshot: The version.
        targets: Where to; at least one. Files are written in the first and copied to the others.
        master: Whether to write `marketing_master_dataset.csv`.
        lots: Rows of each `marketing_data_<n>.csv`, or None for no lots.
        start: First day; all where it is None.
        end: Last day, included; all where it is None.
        safe: Whether texts that a spreadsheet could take for a formula get an apostrophe.
        engine: What reads and sorts, where it is a cluster; None: this machine.

    Raises:
        UsageError: The options contradict each other.
        ClusterError: The engine is a cluster and failed.
        StorageError: A target cannot be written. Every file is there whole or not at all.
    """
    if not master and lots is None:
        raise UsageError("nothing to export: neither the master file nor lots are asked for")
    if lots is not None and lots < 1:
        raise UsageError(f"a lot has at least 1 row; got {lots}")
    parts = _plan(snapshot, targets, start=start, end=end)
    currencies: set[str] = set()
    make = FrameMaker(lake, (*SOURCE_COLUMNS, _CURRENCY), _ShapeCells(safe))
    with (
        contextlib.closing(read_frames(make, parts, engine=engine)) as frames,
        targets[0].open_workspace() as workspace,
    ):
        cells = _take_currencies(frames, currencies)
        files = write_csv_files(cells, workspace, master=master, lot_rows=lots)
        _publish(lake, snapshot, targets=targets, workspace=workspace, files=files)
    leftovers = _find_leftovers(targets, files) if lots else ()
    rows = files[0].rows if master else sum(file.rows for file in files)
    return ExportOutcome(
        rows=rows,
        files=tuple(files),
        leftovers=leftovers,
        currencies=tuple(sorted(currencies)),
    )


def export_parquet(
    lake: Lake,
    snapshot: Snapshot,
    *,
    targets: Sequence[Target],
    start: date | None = None,
    end: date | None = None,
    engine: Engine | None = None,
) -> ExportOutcome:
    """Writes `marketing_master_dataset.parquet` with canonical columns; else as `export_csv`."""
    parts = _plan(snapshot, targets, start=start, end=end)
    make = FrameMaker(lake, AD_DAY.names, _leave)
    with (
        contextlib.closing(read_frames(make, parts, engine=engine)) as frames,
        targets[0].open_workspace() as workspace,
    ):
        files = write_parquet_file(frames, workspace)
        _publish(lake, snapshot, targets=targets, workspace=workspace, files=files)
    return ExportOutcome(rows=files[0].rows, files=tuple(files))


@dataclass(frozen=True, slots=True)
class _ShapeCells:
    """Makes a part's cells, and beside them the currency, for which the CSV has no column."""

    safe: bool

    def __call__(self, facts: pl.DataFrame) -> pl.DataFrame:
        cells = shape_frame(facts.drop(_CURRENCY))
        spelled = spell_cells(neutralise_formulas(cells) if self.safe else cells)
        return spelled.with_columns(facts[_CURRENCY])


def _leave(facts: pl.DataFrame) -> pl.DataFrame:
    return facts


def _take_currencies(frames: Iterable[pl.DataFrame], seen: set[str]) -> Iterator[pl.DataFrame]:
    """The cells alone; their currencies are added to `seen`."""
    for frame in frames:
        seen.update(frame[_CURRENCY].drop_nulls().unique())
        yield frame.drop(_CURRENCY)


def _plan(
    snapshot: Snapshot, targets: Sequence[Target], *, start: date | None, end: date | None
) -> list[Part]:
    if not targets:
        raise UsageError("nowhere to export to: name a folder, or the lake")
    if start and end and start > end:
        raise UsageError(f"the first day {start} is after the last day {end}")
    return plan_parts(snapshot.files, start=start, end=end)


def _publish(
    lake: Lake,
    snapshot: Snapshot,
    *,
    targets: Sequence[Target],
    workspace: Path,
    files: Sequence[ExportedFile],
) -> None:
    """Registers the files and puts them in place, in this order.

    So there is no moment at which an export could be delivered again without being recognised.
    """
    for file in files:
        register_export(
            lake.storage,
            sha256=file.sha256,
            name=file.name,
            rows=file.rows,
            version=snapshot.version,
        )
        for target in reversed(targets):  # the first one last: it may take the file away
            target.publish(workspace / file.name)


def _find_leftovers(targets: Sequence[Target], files: Sequence[ExportedFile]) -> tuple[str, ...]:
    written = {file.name for file in files}
    return tuple(
        path
        for target in targets
        for path in target.list_lots()
        if path.rpartition("/")[2] not in written
    )
