"""Joins small files of the master; its rows stay as they are."""

import functools

import polars as pl

from pipeline.delta.log import DataFile
from pipeline.delta.table import Table
from pipeline.engine import map_threads
from pipeline.lake import Lake
from pipeline.merge.plan import Part, plan_compaction
from pipeline.merge.write import Writer, sort_rows
from pipeline.settings import Settings
from pipeline.steps.commit import Change, MergeOutcome, commit_change
from pipeline.steps.part_rows import fetch_files, load_rows, slice_part


def compact(lake: Lake, *, settings: Settings) -> MergeOutcome:
    """Rewrites small files of a month as one, by the writer and the commit that a merge uses.

    Where no month has two small files, nothing is committed.

    Args:
        lake: The lake.
        settings: How much is worked on at once.

    Raises:
        EmptyLakeError: There is no master table.
        LakeError: A file of the master cannot be read.
        CommitConflictError: Other writers were faster each time.
        StorageError: The lake cannot be read or written.
    """
    lake.open_master()

    def prepare(master: Table, _: pl.DataFrame, writer: Writer) -> Change:
        parts = plan_compaction(master.list_files())
        rewrite = functools.partial(_rewrite, lake=lake, writer=writer)
        written = map_threads(rewrite, parts, workers=settings.workers)
        return Change(
            adds=[file for files in written for file in files],
            removes=[file for part in parts for file in part.files],
        )

    with lake.storage.scratch() as scratch:
        return commit_change(lake, prepare, command="compact", scratch=scratch)


def _rewrite(part: Part, *, lake: Lake, writer: Writer) -> list[DataFile]:
    files = fetch_files(lake, part)
    slices = (sort_rows(load_rows(piece, files)) for piece in slice_part(part, files))
    return [writer.place(file) for file in writer.write_part(part, slices)]
