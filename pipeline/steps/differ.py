"""Says in words how a file that is read again differs from what it said when it was merged."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline.lake import Lake
from pipeline.staging import fetch_spooled
from pipeline.steps.ingest import VANISHED, Ingested

Row = Mapping[str, Any]
"""A file's row in the ledger."""


def explain_loss(result: Ingested, said: Row, lake: Lake) -> str:
    """Which of a file's rows in the master would not be there now, and why; '' where all would.

    Args:
        result: What was read of it now.
        said: Its row in the ledger.
        lake: The lake.
    """
    path = said["path"]
    if result.reason == VANISHED:
        return f"{path} can't be read again ({result.detail}): put it back as it was merged"
    contract = f"contract {(result.contract or said['contract'])!r}, as it is now,"
    if result.reason:
        return f"{contract} would refuse {path} ({result.reason}: {result.detail})"
    lost = _find_lost(result, said, lake)
    if lost is None:
        return ""
    line, rule = lost
    return f"{contract} would reject line {line} of {path} by the rule {rule}"


def explain_difference(result: Ingested, said: Row, lake: Lake) -> str:
    """Why a file does not say what it said; as for `explain_loss`."""
    return explain_loss(result, said, lake) or (
        f"contract {result.contract!r}, as it is now, takes other rows of {said['path']} than were "
        f"merged: adlake quarantine replay takes them in"
    )


def _find_lost(result: Ingested, said: Row, lake: Lake) -> tuple[int, str] | None:
    """The first line that is rejected now and was not before, and the rule."""
    now = pl.concat(
        [
            pl.DataFrame(schema={"line": pl.Int64(), "rule": pl.String()}),
            *(
                pl.read_ipc(path, columns=["line", "rule"])
                for path in fetch_spooled(result.rejects)
            ),
        ]
    )
    lost = now.filter(~pl.col("line").is_in(_read_rejected(said, lake))).sort("line")
    return lost.row(0) if len(lost) else None


def _read_rejected(said: Row, lake: Lake) -> list[int]:
    """The lines that were rejected when the file was merged."""
    if said["reject_path"] is None:
        return []
    local = lake.storage.fetch(said["reject_path"])
    rejects = pl.read_parquet(local, glob=False, hive_partitioning=False)
    return rejects.filter(path=said["path"])["line"].to_list()
