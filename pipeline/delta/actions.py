"""What a log says of a file, as Delta's library gives it and takes it."""

import json
from collections.abc import Mapping
from typing import Any

from deltalake.transaction import AddAction, RemoveAction

from pipeline.delta.log import DataFile


def read_action(
    action: Mapping[str, Any], partitions: dict[tuple[str, ...], Mapping[str, str]]
) -> DataFile:
    """A file of a flattened action.

    Args:
        action: Names and values of `DeltaTable.get_add_actions(flatten=True)`.
        partitions: Those seen so far: files of one partition share its values, of which a large
            table has many copies.
    """
    partition = {
        key.removeprefix("partition."): value
        for key, value in action.items()
        if key.startswith("partition.")
    }
    return DataFile(
        path=action["path"],
        size=action["size_bytes"],
        rows=action["num_records"],
        partition=partitions.setdefault(tuple(partition.values()), partition),
        first_date=action.get("min.date"),
        last_date=action.get("max.date"),
    )


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
