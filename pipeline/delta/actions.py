"""What a log says of a file, as Delta's library gives it and takes it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
from deltalake.transaction import AddAction, RemoveAction

from pipeline.delta.log import DataFile

_PARTITION: Final = "partition."
_ACTIONS_AT_ONCE: Final = 8192
"""So many of a log's actions are Python objects twice at once."""


def read_actions(actions: pa.Table) -> Iterator[DataFile]:
    """The files of a version.

    A large table has many files of one partition, date and number of rows: they share the values.

    Args:
        actions: `DeltaTable.get_add_actions(flatten=True)`.
    """
    keys = [name for name in actions.column_names if name.startswith(_PARTITION)]
    names = ("path", "size_bytes", "num_records", "min.date", "max.date")
    partitions: dict[tuple[str, ...], Mapping[str, str]] = {}
    seen: dict[Any, Any] = {}
    for batch in actions.to_batches(max_chunksize=_ACTIONS_AT_ONCE):
        columns = [_list_cells(batch, name) for name in (*names, *keys)]
        for path, size, rows, first, last, *values in zip(*columns, strict=True):
            key = tuple(values)
            if key not in partitions:
                short = (name.removeprefix(_PARTITION) for name in keys)
                partitions[key] = dict(zip(short, key, strict=True))
            yield DataFile(
                path=path,
                size=size,
                rows=seen.setdefault(rows or 0, rows or 0),
                partition=partitions[key],
                first_date=seen.setdefault(first, first),
                last_date=seen.setdefault(last, last),
            )


def _list_cells(batch: pa.RecordBatch, name: str) -> list[Any]:
    """A column's values; nothing but None where there is no such column."""
    if name not in batch.schema.names:
        return [None] * batch.num_rows
    return batch.column(name).to_pylist()


def make_add(file: DataFile, now_ms: int) -> AddAction:
    """The action that adds a file, with its number of rows and, where it is known, its dates."""
    statistics: dict[str, Any] = {"numRecords": file.rows}
    if file.first_date is not None and file.last_date is not None:
        statistics["minValues"] = {"date": file.first_date.isoformat()}
        statistics["maxValues"] = {"date": file.last_date.isoformat()}
        statistics["nullCount"] = {"date": 0}
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values=file.partition,
        modification_time=now_ms,
        data_change=True,
        stats=json.dumps(statistics),
    )


def make_remove(file: DataFile, now_ms: int) -> RemoveAction:
    """The action that takes a file out of the versions from now on."""
    return RemoveAction(
        file.path,
        data_change=True,
        deletion_timestamp=now_ms,
        size=file.size,
        partition_values=dict(file.partition),
    )
