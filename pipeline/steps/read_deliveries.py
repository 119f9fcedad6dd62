"""Reads the files of a merge in parallel and keeps what was read for a second attempt."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline.contracts import Contract
from pipeline.engine import Crashed, map_isolated, map_threads
from pipeline.errors import BadFileError, DeniedError, MissingError
from pipeline.lake import Lake
from pipeline.manifest import Manifest, day_folder
from pipeline.merge.delivery import Delivery
from pipeline.read.raw import DataPart
from pipeline.staging import Staging, share_file
from pipeline.steps.ingest import (
    VANISHED,
    FileTask,
    Ingested,
    RawTask,
    ingest_file,
    ingest_raw,
)

BATCH_DAYS = 32
BATCH_ROWS = 1 << 21
"""So many rows of generated days are in memory at once in one batch, or those of one day."""

GROUP_FILES = 16
GROUP_BYTES = 16_000_000
"""A worker of a cluster gets so many files at once, or as many as come to so many bytes."""

BATCHES_AT_ONCE = 4
BYTES_A_SECOND = 250_000
"""What a child has to read in a CPU second: Parquet and gzip may hold many rows in few bytes."""

MEMORY_BYTES = 4 << 30
"""What a child may use, so that one file cannot take all memory."""

BYTES_A_CHILD = 4_000_000
"""A second child is started only where its start is worth it."""


Numbered = tuple[int, Delivery]
"""A delivery and its place in the order of all that are read."""


class NumberedDay(NamedTuple):
    """A generated day, its place in the order of all that are read, and its manifest."""

    number: int
    delivery: Delivery
    manifest: Manifest


@dataclass(slots=True)
class Reader:
    """Reads deliveries of a lake; what it has read once it does not read again.

    Attributes:
        lake: The lake.
        contracts: All contracts, by name.
        spool: Folder for accepted rows, where they stay on this machine.
        staging: What reads, and where accepted rows go where it is a cluster.
        on_file: Called with how many more files have been read.
    """

    lake: Lake
    contracts: Mapping[str, Contract]
    spool: Path
    staging: Staging
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
        files = [item for item in fresh if item[1].kind == "file"]
        days = [
            NumberedDay(number, delivery, manifests[delivery.found.path])
            for number, delivery in fresh
            if delivery.kind == "raw"
        ]
        spool = None
        if not self.staging.engine.is_remote:
            spool = self.spool / f"read-{self._rounds}"
            spool.mkdir()
        place = Place(self.lake, self.staging.folder, spool)
        self._read_days(days, place)
        self._read_files(files, place)
        return [self._done[delivery] for delivery in deliveries]

    def _read_files(self, items: Sequence[Numbered], place: "Place") -> None:
        engine = self.staging.engine
        groups = group_files(items) if engine.is_remote else [items] if items else []
        reader = FileReader(place, self.contracts, 1 if engine.is_remote else engine.workers)
        read = self.staging.map(reader, groups, label=lambda group: _name(group[0][1]))
        for group, results in zip(groups, read, strict=True):
            self._keep([delivery for _, delivery in group], results)

    def _read_days(self, days: Sequence[NumberedDay], place: "Place") -> None:
        ordered = sorted(days, key=lambda day: day.delivery.found.path)
        batches = list(group_days(ordered))
        reader = DayReader(place, self.contracts)
        # More of them wait for a store than work; but each holds its rows in memory.
        lanes = min(BATCHES_AT_ONCE, self.lake.storage.lanes)
        read = self.staging.map(
            reader, batches, label=lambda batch: _name(batch[0].delivery), lanes=lanes
        )
        for batch, results in zip(batches, read, strict=True):
            self._keep([day.delivery for day in batch], results)

    def _keep(self, deliveries: Sequence[Delivery], results: Sequence[Ingested]) -> None:
        self._done.update(zip(deliveries, results, strict=True))
        if self.on_file is not None:
            self.on_file(len(deliveries))


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


def group_days(days: Iterable[NumberedDay]) -> Iterator[list[NumberedDay]]:
    """Cuts generated days into batches that fit into memory, unless one day alone does not."""
    batch: list[NumberedDay] = []
    rows = 0
    for day in days:
        if batch and (len(batch) >= BATCH_DAYS or rows + day.manifest.rows > BATCH_ROWS):
            yield batch
            batch, rows = [], 0
        batch.append(day)
        rows += day.manifest.rows
    if batch:
        yield batch


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
            result = read if isinstance(read, Ingested) else Ingested(task.file_no)
            if isinstance(read, Crashed):
                result.refuse("reader_crashed", read.detail)
            if changed:
                result.refuse(VANISHED, f"{task.path} changed while it was read")
            done[task.file_no] = result
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
            file_no=number,
            path=path,
            local=local,
            contracts=tuple(self.contracts.values()),
            source=delivery.source,
            delivered_on=delivery.delivered_at.date(),
            spool=spool,
            account=delivery.account,
            currency=delivery.currency,
            period=delivery.period,
            claims=delivery.claims,
        )


@dataclass(frozen=True, slots=True)
class DayReader:
    """Reads generated days.

    Attributes:
        place: Where to spool.
        contracts: All contracts, by name.
    """

    place: Place
    contracts: Mapping[str, Contract]

    def __call__(self, days: Sequence[NumberedDay]) -> list[Ingested]:
        """What was read of each."""
        tasks = [self._plan_day(day) for day in days]
        with self.place.open_spool() as spool:
            results = ingest_raw(tasks, spool / f"days-{days[0].number}.arrow")
            self.place.share(results)
            return results

    def _plan_day(self, day: NumberedDay) -> RawTask:
        folder = day_folder(day.manifest.date)
        read = self.place.lake.storage.read
        return RawTask(
            file_no=day.number,
            path=day.delivery.found.path,
            parts=[
                DataPart(
                    functools.partial(read, f"{folder}/{file.name}"),
                    file.name,
                    file.sha256,
                    file.rows,
                )
                for file in day.manifest.files
            ],
            contract=self.contracts[day.delivery.source],
            account=day.manifest.account,
            day=day.manifest.date,
            delivered_on=day.delivery.delivered_at.date(),
        )


def _name(delivery: Delivery) -> str:
    """What a group of files is called in messages: after its first one."""
    return f"read {delivery.found.path}"


def _limit_seconds(task: FileTask) -> float:
    """CPU seconds after which a file is taken for one that never ends."""
    return 4 + task.local.stat().st_size / BYTES_A_SECOND


_NOTHING = Ingested(file_no=-1)
