"""Reads the files of a merge in parallel and keeps what was read for a second attempt."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts import Contract
from pipeline.engine import Crashed, map_isolated, map_threads
from pipeline.errors import BadFileError, DeniedError, MissingError
from pipeline.lake import Lake
from pipeline.manifest import Manifest, day_folder
from pipeline.merge.delivery import Delivery
from pipeline.read.raw import DataPart
from pipeline.steps.ingest import (
    VANISHED,
    FileTask,
    Ingested,
    RawTask,
    ingest_file,
    ingest_raw,
)

BATCH_DAYS = 32
BATCHES_AT_ONCE = 4
BYTES_A_SECOND = 250_000
"""What a child has to read in a CPU second: Parquet and gzip may hold many rows in few bytes."""

MEMORY_BYTES = 4 << 30
"""What a child may use, so that one file cannot take all memory."""

BYTES_A_CHILD = 4_000_000
"""A second child is started only where its start is worth it."""


@dataclass(slots=True)
class Reader:
    """Reads deliveries of a lake; what it has read once it does not read again.

    Attributes:
        lake: The lake.
        contracts: All contracts, by name.
        spool: Folder for accepted rows.
        workers: How many files are read at once.
        on_file: Called with how many more files have been read.
    """

    lake: Lake
    contracts: Mapping[str, Contract]
    spool: Path
    workers: int
    on_file: Callable[[int], None] | None = None
    _done: dict[Delivery, Ingested] = field(default_factory=dict)
    _rounds: int = 0

    def read(
        self, deliveries: Sequence[Delivery], manifests: Mapping[str, Manifest]
    ) -> list[Ingested]:
        """Reads the deliveries and numbers them by their place in the sequence."""
        fresh = [
            (number, delivery)
            for number, delivery in enumerate(deliveries)
            if self._done.get(delivery, _NOTHING).file_no != number
        ]
        self._rounds += 1
        folder = self.spool / f"read-{self._rounds}"
        folder.mkdir()
        files = [item for item in fresh if item[1].kind == "file"]
        days = [item for item in fresh if item[1].kind == "raw"]
        self._read_days(days, manifests, folder)
        self._read_files(files, folder)
        return [self._done[delivery] for delivery in deliveries]

    def _read_files(self, items: Sequence[tuple[int, Delivery]], folder: Path) -> None:
        lanes = max(self.workers, self.lake.storage.lanes)
        tasks: list[tuple[Delivery, FileTask]] = []
        opened = map_threads(lambda item: self._open(*item, folder), items, workers=lanes)
        for (number, delivery), task in zip(items, opened, strict=True):
            if isinstance(task, BadFileError):
                result = self._done[delivery] = Ingested(number)
                result.refuse(task.rule, str(task))
            else:
                tasks.append((delivery, task))
        size = sum(delivery.found.size for delivery, _ in tasks)
        workers = min(self.workers, 1 + size // BYTES_A_CHILD)
        results = map_isolated(
            ingest_file,
            [task for _, task in tasks],
            workers=workers,
            cpu_seconds=_limit_seconds,
            memory_bytes=MEMORY_BYTES,
        )
        changes = map_threads(self._has_changed, [one for one, _ in tasks], workers=lanes)
        for (delivery, task), read, changed in zip(tasks, results, changes, strict=True):
            result = read if isinstance(read, Ingested) else Ingested(task.file_no)
            if isinstance(read, Crashed):
                result.refuse("reader_crashed", read.detail)
            if changed:
                result.refuse(VANISHED, f"{task.path} changed while it was read")
            self._done[delivery] = result
        self._tell(len(items))

    def _has_changed(self, delivery: Delivery) -> bool:
        """Whether a new file is another one than when it was listed."""
        if delivery.role != "new":
            return False
        entry = self.lake.storage.find(delivery.found.path)
        found = delivery.found
        return entry is None or (entry.size, entry.etag) != (found.size, found.etag)

    def _open(self, number: int, delivery: Delivery, folder: Path) -> FileTask | BadFileError:
        """What a child needs to read a file; it gets the bytes, and no credentials."""
        path = delivery.found.path
        storage = self.lake.storage
        try:
            local = storage.fetch(path)
            # A new file was hashed a moment ago; one that is read again, when it was new.
            changed = delivery.role != "new" and storage.digest(path) != delivery.sha256
        except (MissingError, DeniedError) as error:
            return BadFileError(VANISHED, str(error))
        if changed:
            return BadFileError(VANISHED, f"{path} is not what it was when it was merged")
        return FileTask(
            file_no=number,
            path=path,
            local=local,
            contracts=tuple(self.contracts.values()),
            source=delivery.source,
            delivered_on=delivery.delivered_at.date(),
            spool=folder,
            account=delivery.account,
            currency=delivery.currency,
            period=delivery.period,
            claims=delivery.claims,
        )

    def _read_days(
        self,
        items: Sequence[tuple[int, Delivery]],
        manifests: Mapping[str, Manifest],
        folder: Path,
    ) -> None:
        ordered = sorted(items, key=lambda item: item[1].found.path)
        batches = [ordered[at : at + BATCH_DAYS] for at in range(0, len(ordered), BATCH_DAYS)]

        def read_batch(number: int) -> list[Ingested]:
            tasks = [
                self._plan_day(no, one, manifests[one.found.path]) for no, one in batches[number]
            ]
            return ingest_raw(tasks, folder / f"days-{number}.arrow")

        # More of them wait for a store than work; but each holds its rows in memory.
        workers = max(self.workers, min(BATCHES_AT_ONCE, self.lake.storage.lanes))
        read = map_threads(read_batch, range(len(batches)), workers=workers)
        for batch, results in zip(batches, read, strict=True):
            for (_, delivery), result in zip(batch, results, strict=True):
                self._done[delivery] = result
            self._tell(len(batch))

    def _tell(self, count: int) -> None:
        if self.on_file is not None:
            self.on_file(count)

    def _plan_day(self, number: int, delivery: Delivery, manifest: Manifest) -> RawTask:
        folder = day_folder(manifest.date)
        read = self.lake.storage.read
        return RawTask(
            file_no=number,
            path=delivery.found.path,
            parts=[
                DataPart(
                    functools.partial(read, f"{folder}/{file.name}"),
                    file.name,
                    file.sha256,
                    file.rows,
                )
                for file in manifest.files
            ],
            contract=self.contracts[delivery.source],
            account=manifest.account,
            day=manifest.date,
            delivered_on=delivery.delivered_at.date(),
        )


def _limit_seconds(task: FileTask) -> float:
    """CPU seconds after which a file is taken for one that never ends."""
    return 4 + task.local.stat().st_size / BYTES_A_SECOND


_NOTHING = Ingested(file_no=-1)
