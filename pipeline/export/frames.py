"""Reads parts of the master as sorted frames."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline.engine import Engine, map_ahead
from pipeline.errors import LakeError
from pipeline.export.parts import Part
from pipeline.lake import MASTER_TABLE, Lake
from pipeline.schema import SORT_ORDER
from pipeline.staging import Spooled, fetch_spooled, open_staging, share_file
from pipeline.storage import Storage

_FIRST_KEYS: Final = ("date", "source", "account", "campaign_id", "target_audience")

EXPORT_ORDER: Final = (*_FIRST_KEYS, *(key for key in SORT_ORDER if key not in _FIRST_KEYS))
"""The export's total order; nulls come last."""


@dataclass(frozen=True, slots=True)
class FrameMaker:
    """Makes a part's frame, wherever it is called.

    Attributes:
        lake: The lake.
        columns: Of the canonical row.
        shape: Makes a part's frame from these columns, in this order; keeps the rows.
    """

    lake: Lake
    columns: Sequence[str]
    shape: Callable[[pl.DataFrame], pl.DataFrame]

    def __call__(self, part: Part) -> pl.DataFrame:
        """The part's rows in the export's order."""
        return self.shape(_read_part(self.lake.storage, part, self.columns))


@dataclass(frozen=True, slots=True)
class _Sharer:
    """Makes a part's frame and leaves it to the caller as a file: no rows travel in results.

    Attributes:
        make: Makes the frame.
        folder: As in `Staging`.
    """

    make: FrameMaker
    folder: str

    def __call__(self, part: Part) -> Spooled:
        lake = self.make.lake
        with lake.storage.scratch() as scratch:
            path = scratch / "frame.arrow"
            self.make(part).write_ipc(path)
            return share_file(lake, self.folder, path)


def read_frames(
    make: FrameMaker, parts: Sequence[Part], *, engine: Engine | None = None
) -> Generator[pl.DataFrame, None, None]:
    """Yields each part as a frame in the export's order, the next ones made meanwhile.

    Args:
        make: Makes them.
        parts: In the order of time.
        engine: What makes them, where it is a cluster; else a thread of this process does.

    Raises:
        LakeError: A file of the master cannot be read.
        ClusterError: The engine is a cluster and failed.
    """
    if engine is not None and engine.is_remote:
        with open_staging(make.lake, engine) as staging:
            made = staging.map(_Sharer(make, staging.folder), parts, label=_name_part)
            for file in made:
                [path] = fetch_spooled([file])
                frame = pl.read_ipc(path)
                staging.drop(file)
                yield frame
        return
    # One is enough: it is made while the caller writes the one before.
    yield from map_ahead(make, parts, ahead=1)


def _name_part(part: Part) -> str:
    return f"export {part.start or part.files[0].first_date}"


def _read_part(storage: Storage, part: Part, columns: Sequence[str]) -> pl.DataFrame:
    paths = storage.fetch_all([f"{MASTER_TABLE}/{file.path}" for file in part.files])
    rows = pl.scan_parquet(list(paths), glob=False, hive_partitioning=False)
    if part.start is not None:
        rows = rows.filter(pl.col("date") >= part.start)
    if part.end is not None:
        rows = rows.filter(pl.col("date") <= part.end)
    # The rows of one file lie in the master's order, and those that are alike in the first keys
    # differ in the same keys in both orders: so they stay as they are.
    order = _FIRST_KEYS if len(part.files) == 1 else EXPORT_ORDER
    needed = dict.fromkeys((*columns, *order))
    try:
        # Sorted outside the lazy plan, whose own sort takes twice as long.
        frame = rows.select(*needed).collect().sort(order, nulls_last=True, maintain_order=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LakeError(f"{part.files[0].path} of the master cannot be read: {error}") from error
    return frame.select(*columns)
