"""Writes the rollups that a version lacks, and computes again those that it has."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import duckdb
import pyarrow as pa

from pipeline.delta.log import DataFile
from pipeline.engine import Engine
from pipeline.kpi.query import fetch_result
from pipeline.kpi.rollup import KINDS, Kind, Partition, RollupPlan
from pipeline.kpi.rollup_files import fetch_months, read_plan, write_missing
from pipeline.kpi.views import PREFERRED, open_kpi_connection, read_preferred
from pipeline.lake import Lake, Snapshot
from pipeline.staging import open_staging

_TASK_ROWS: Final = 4_000_000
"""So many rows of the master are rolled up at once, in whole partitions."""


class _Piece(NamedTuple):
    """Some partitions of a version: their files, as in `Snapshot`."""

    files: tuple[DataFile, ...]
    file_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Roller:
    """Writes the rollups that some partitions of a version lack, wherever it is called.

    Attributes:
        lake: The lake.
        snapshot: The version, without its files.
        workers: Threads, at least 1.
    """

    lake: Lake
    snapshot: Snapshot
    workers: int = 1

    def __call__(self, piece: _Piece) -> int:
        """Rollups depend on nothing but their partition and the ledger."""
        narrowed = replace(self.snapshot, files=piece.files, file_uris=piece.file_uris)
        with open_kpi_connection(
            self.lake, narrowed, workers=self.workers, quarantine=False, stored=()
        ) as connection:
            return store_rollups(connection, self.lake, narrowed)


def write_rollups(
    lake: Lake, snapshot: Snapshot, *, workers: int = 1, engine: Engine | None = None
) -> int:
    """Writes the rollups of a version that are missing.

    Args:
        lake: The lake.
        snapshot: The version.
        workers: Threads, at least 1.
        engine: What adds up; None: this machine.

    Returns:
        How many were written; 0 where all were there.
    """
    pieces = _cut_missing(lake, snapshot)
    nothing = replace(snapshot, files=(), file_uris=())
    if engine is not None and engine.is_remote:
        with open_staging(lake, engine) as staging:
            return sum(staging.map(_Roller(lake, nothing), pieces, label=_name_piece))
    return sum(map(_Roller(lake, nothing, workers), pieces))


def store_rollups(connection: duckdb.DuckDBPyConnection, lake: Lake, snapshot: Snapshot) -> int:
    """The same, from a connection of `open_kpi_connection` with all rollups in memory."""
    plans = _read_plans(lake, snapshot, connection)
    return sum(write_missing(lake, connection, plan, kind) for kind, plan in plans.items())


def compute_stored(lake: Lake, snapshot: Snapshot, *, workers: int = 1) -> dict[str, pa.Table]:
    """What the rollup files of a version must hold, computed from the master, by their keys."""
    with open_kpi_connection(
        lake, snapshot, workers=workers, quarantine=False, stored=()
    ) as connection:
        return {
            name: part
            for kind, plan in _read_plans(lake, snapshot, connection).items()
            for partition, part in fetch_months(connection, kind, plan.names).items()
            if (name := plan.names[partition]) in plan.stored
        }


def _cut_missing(lake: Lake, snapshot: Snapshot) -> Iterator[_Piece]:
    """The partitions that lack a rollup, in pieces that fit into memory and are worth sending."""
    preferred = read_preferred(lake, snapshot)
    missing = {
        partition
        for kind in KINDS
        for partition in read_plan(lake, snapshot, kind, preferred=preferred).missing
    }
    by_partition: dict[Partition, list[tuple[DataFile, str]]] = defaultdict(list)
    for file, uri in zip(snapshot.files, snapshot.file_uris, strict=True):
        partition = (file.partition["year"], file.partition["month"])
        if partition in missing:
            by_partition[partition].append((file, uri))
    held: list[tuple[DataFile, str]] = []
    for partition in sorted(by_partition):
        held += by_partition[partition]
        if sum(file.rows for file, _ in held) >= _TASK_ROWS:
            yield _make_piece(held)
            held = []
    if held:
        yield _make_piece(held)


def _make_piece(members: Sequence[tuple[DataFile, str]]) -> _Piece:
    return _Piece(tuple(file for file, _ in members), tuple(uri for _, uri in members))


def _name_piece(piece: _Piece) -> str:
    partition = piece.files[0].partition
    return f"roll up {partition['year']}-{partition['month']}"


def _read_plans(
    lake: Lake, snapshot: Snapshot, connection: duckdb.DuckDBPyConnection
) -> dict[Kind, RollupPlan]:
    preferred = fetch_result(connection, PREFERRED).rows
    return {kind: read_plan(lake, snapshot, kind, preferred=preferred) for kind in KINDS}
