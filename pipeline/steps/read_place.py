"""Where what is read of deliveries is kept until it is resolved."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.lake import Lake
from pipeline.staging import share_file
from pipeline.steps.ingest import Ingested


@dataclass(frozen=True, slots=True)
class Place:
    """Where what is read is spooled.

    Attributes:
        lake: The lake.
        folder: As in `Staging`.
        spool: A folder of this machine that outlives the reading; None: each group of files has
            one of its own, and what is in it is left in `folder`.
    """

    lake: Lake
    folder: str
    spool: Path | None

    @contextlib.contextmanager
    def open_spool(self) -> Iterator[Path]:
        """A local folder for what is read."""
        if self.spool is not None:
            yield self.spool
            return
        with self.lake.storage.scratch() as spool:
            yield spool

    def share(self, results: Sequence[Ingested]) -> None:
        """Leaves what was spooled to whoever resolves it."""
        files = {file for result in results for file in [*result.spooled, *result.rejects]}
        shared = {
            file: share_file(self.lake, self.folder, file)
            for file in files
            if isinstance(file, Path)
        }
        for result in results:
            result.spooled = [shared[file] for file in result.spooled if isinstance(file, Path)]
            result.rejects = [shared[file] for file in result.rejects if isinstance(file, Path)]
