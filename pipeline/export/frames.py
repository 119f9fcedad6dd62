"""Reads parts of the master as sorted frames."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import polars as pl

from pipeline.errors import LakeError
from pipeline.export.parts import Part
from pipeline.lake import MASTER_TABLE
from pipeline.schema import SORT_ORDER
from pipeline.storage import Storage

_FIRST_KEYS: Final = ("date", "source", "account", "campaign_id", "target_audience")

EXPORT_ORDER: Final = (*_FIRST_KEYS, *(key for key in SORT_ORDER if key not in _FIRST_KEYS))
"""The export's total order; nulls come last."""


def read_frames(
    storage: Storage,
    parts: Sequence[Part],
    *,
    columns: Sequence[str],
    shape: Callable[[pl.DataFrame], pl.DataFrame],
) -> Iterator[pl.DataFrame]:
    """Yields each part as a frame in the export's order, the next one made meanwhile.

    Args:
        storage: The lake's bytes.
        parts: In the order of time.
        columns: Of the canonical row.
        shape: Makes a part's frame from these columns, in this order; keeps the rows.

    Raises:
        LakeError: A file of the master cannot be read.
    """

    def make(part: Part) -> pl.DataFrame:
        return shape(_read_part(storage, part, columns))

    # One thread is enough: it works on a part while the caller writes the one before.
    with ThreadPoolExecutor(1, thread_name_prefix="adlake-export") as pool:
        following: Future[pl.DataFrame] | None = None
        for part in parts:
            current, following = following, pool.submit(make, part)
            if current:
                yield current.result()
        if following:
            yield following.result()


def _read_part(storage: Storage, part: Part, columns: Sequence[str]) -> pl.DataFrame:
    paths = storage.fetch_all([f"{MASTER_TABLE}/{file.path}" for file in part.files])
    rows = pl.scan_parquet(list(paths), glob=False, hive_partitioning=False)
    if part.start is not None:
        rows = rows.filter(pl.col("date") >= part.start)
    if part.end is not None:
        rows = rows.filter(pl.col("date") <= part.end)
    needed = dict.fromkeys((*columns, *EXPORT_ORDER))
    try:
        # Sorted outside the lazy plan, whose own sort takes twice as long.
        frame = rows.select(*needed).collect().sort(*EXPORT_ORDER, nulls_last=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LakeError(f"{part.files[0].path} of the master cannot be read: {error}") from error
    return frame.select(*columns)
