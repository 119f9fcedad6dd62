"""Reads delivered files in children, so that no file can take more than itself with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import Contract
from pipeline.engine import Crashed, map_isolated, map_threads
from pipeline.errors import BadFileError, DeniedError, MissingError
from pipeline.merge.delivery import Delivery
from pipeline.steps.ingest import VANISHED, FileTask, Ingested, ingest_file
from pipeline.steps.read_place import Place

GROUP_FILES = 16
GROUP_BYTES = 16_000_000
"""A worker of a cluster gets so many files at once, or as many as come to so many bytes."""

BYTES_A_SECOND = 250_000
"""What a child has to read in a CPU second: Parquet and gzip may hold many rows in few bytes."""

MEMORY_BYTES = 4 << 30
"""What a child may use, so that one file cannot take all memory."""

BYTES_A_CHILD = 4_000_000
"""A second child is started only where its start is worth it."""

Numbered = tuple[int, Delivery]
"""A delivery and its number among all that a transaction reads."""


def group_files(items: Sequence[Numbered]) -> list[list[Numbered]]:
    """Cuts delivered files into groups that are worth sending to a worker, by number and size."""
    groups: list[list[Numbered]] = []
    size = 0
    for item in items:
        if not groups or len(groups[-1]) >= GROUP_FILES or size >= GROUP_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(item)
        size += item[1].found.size
    return groups


@dataclass(frozen=True, slots=True)
class FileReader:
    """Reads delivered files, in children that get their bytes and no credentials.

    Attributes:
        place: Where to spool.
        contracts: All contracts, by name.
        workers: How many files are read at once.
    """

    place: Place
    contracts: Mapping[str, Contract]
    workers: int

    def __call__(self, items: Sequence[Numbered]) -> list[Ingested]:
        """What was read of each."""
        with self.place.open_spool() as spool:
            results = self._read(items, spool)
            self.place.share(results)
            return results

    def _read(self, items: Sequence[Numbered], spool: Path) -> list[Ingested]:
        lanes = max(self.workers, self.place.lake.storage.lanes)
        done: dict[int, Ingested] = {}
        tasks: list[tuple[Delivery, FileTask]] = []
        opened = map_threads(lambda item: self._open(*item, spool), items, workers=lanes)
        for (number, delivery), task in zip(items, opened, strict=True):
            if isinstance(task, BadFileError):
                result = done[number] = Ingested(number)
                result.refuse(task.rule, str(task))
            else:
                tasks.append((delivery, task))
        size = sum(delivery.found.size for delivery, _ in tasks)
        results = map_isolated(
            ingest_file,
            [task for _, task in tasks],
            workers=min(self.workers, 1 + size // BYTES_A_CHILD),
            cpu_seconds=_limit_seconds,
            memory_bytes=MEMORY_BYTES,
        )
        changes = map_threads(self._has_changed, [one for one, _ in tasks], workers=lanes)
        for (_, task), read, changed in zip(tasks, results, changes, strict=True):
            result = read if isinstance(read, Ingested) else Ingested(task.read_no)
            if isinstance(read, Crashed):
                result.refuse("reader_crashed", read.detail)
            if changed:
                result.refuse(VANISHED, f"{task.path} changed while it was read")
            done[task.read_no] = result
        return [done[number] for number, _ in items]

    def _has_changed(self, delivery: Delivery) -> bool:
        """Whether a new file is another one than when it was listed."""
        if delivery.role != "new":
            return False
        entry = self.place.lake.storage.find(delivery.found.path)
        found = delivery.found
        return entry is None or (entry.size, entry.etag) != (found.size, found.etag)

    def _open(self, number: int, delivery: Delivery, spool: Path) -> FileTask | BadFileError:
        """What a child needs to read a file; it gets the bytes, and no credentials."""
        path = delivery.found.path
        storage = self.place.lake.storage
        try:
            local = storage.fetch(path)
            # A new file was hashed a moment ago; one that is read again, when it was new.
            changed = delivery.role != "new" and storage.digest(path) != delivery.sha256
        except (MissingError, DeniedError) as error:
            return BadFileError(VANISHED, str(error))
        if changed:
            return BadFileError(VANISHED, f"{path} is not what it was when it was merged")
        return FileTask(
            read_no=number,
            path=path,
            local=local,
            contracts=tuple(self.contracts.values()),
            source=delivery.source,
            delivered_on=delivery.delivered_at.date(),
            spool=spool,
            account=delivery.account,
            currency=delivery.currency,
            period=delivery.period,
            time_zone=delivery.time_zone,
            claims=delivery.claims,
        )


def _limit_seconds(task: FileTask) -> float:
    """CPU seconds after which a file is taken for one that never ends."""
    return 4 + task.local.stat().st_size / BYTES_A_SECOND
