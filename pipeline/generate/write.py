"""Writes generated days: the parts first, in parallel, then each day's manifest.

Nothing is ever changed or deleted. A data file is named after its content, so making it twice is
harmless; a run that stops before a day's manifest leaves only files that nothing names. A manifest
is written when all that it names is on the disk, so a power cut leaves a day whole or not at all.
"""

import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

from pipeline.engine import map_threads
from pipeline.errors import CommitConflictError, ExistsError, LakeError
from pipeline.generate.model import Market, Part, cut_day, open_market, stream_part
from pipeline.generate.parquet import encode_part
from pipeline.generate.request import DayRows, GenerateRequest, plan_days
from pipeline.generate.vocabulary import make_vocabulary
from pipeline.lake import RAW, Lake
from pipeline.manifest import (
    Manifest,
    ManifestFile,
    account_of,
    day_folder,
    manifest_path,
    name_file,
    parse_manifest_path,
    read_manifest,
    write_manifest,
)
from pipeline.storage import Storage

_PARTS_AT_ONCE: Final = 4096  # handed to the workers; bounds what waits for its turn
_DAYS_AT_ONCE: Final = 8  # a disk is forced for many files in the time of one
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class GenerateOutcome:
    """What a run of the generator did.

    Attributes:
        days_written: Days with a new manifest.
        days_unchanged: Days that held the very same content already, or none when none is due.
        rows: In the days written.
        files: Data files in the days written.
        size: Their bytes.
    """

    days_written: int = 0
    days_unchanged: int = 0
    rows: int = 0
    files: int = 0
    size: int = 0


def generate_days(
    lake: Lake,
    request: GenerateRequest,
    *,
    today: date,
    workers: int,
    on_rows: Callable[[int], None] | None = None,
) -> GenerateOutcome:
    """Makes the days of a request in the lake's raw folder.

    Args:
        lake: Where to.
        request: What to make.
        today: The current day in UTC.
        workers: How many parts are made at once, at least 1; changes no byte of the result.
        on_rows: Told the rows of each part as it is finished, in the caller's thread.

    Raises:
        UsageError: The request cannot be met; nothing was written.
        LakeError: A manifest or data file in the way is broken.
        CommitConflictError: Other processes kept generating the same day.
    """
    days = plan_days(request, today=today)
    vocabulary = make_vocabulary(seed=request.seed, locale=request.locale)
    lake.check_format()
    market = open_market(seed=request.seed, vocabulary=vocabulary)
    folder = day_folder(days[0].day) if len(days) == 1 else RAW
    writer = _Writer(lake.storage, request, market, folder=folder)
    parts = (part for day in days for part in cut_day(day.day, rows=day.rows))
    lanes = max(workers, lake.storage.lanes)
    with (
        contextlib.closing(writer.write_parts(parts, workers=lanes)) as files,
        # Manifests are on their way while the next parts are made.
        ThreadPoolExecutor(
            max(_DAYS_AT_ONCE, lake.storage.lanes), thread_name_prefix="adlake-manifest"
        ) as pool,
    ):
        settled = [
            pool.submit(writer.settle_day, day.day, _take(files, day, on_rows)) for day in days
        ]
        written = [manifest for one in settled if (manifest := one.result()) is not None]
    return GenerateOutcome(
        days_written=len(written),
        days_unchanged=len(days) - len(written),
        rows=sum(manifest.rows for manifest in written),
        files=sum(len(manifest.files) for manifest in written),
        size=sum(file.size for manifest in written for file in manifest.files),
    )


def _take(
    files: Iterator[ManifestFile], day: DayRows, on_rows: Callable[[int], None] | None
) -> tuple[ManifestFile, ...]:
    taken = []
    for _ in cut_day(day.day, rows=day.rows):
        file = next(files)
        if on_rows is not None:
            on_rows(file.rows)
        taken.append(file)
    return tuple(taken)


class _Writer:
    """Writes parts and manifests of one account, knowing what is there already."""

    def __init__(
        self, storage: Storage, request: GenerateRequest, market: Market, *, folder: str
    ) -> None:
        self.storage = storage
        self.request = request
        self.market = market
        self.account = account_of(request.seed)
        self.sizes: dict[str, int] = {}
        self.newest: dict[date, int] = {}
        self._look(folder)

    def write_parts(
        self, parts: Iterator[Part], *, workers: int
    ) -> Generator[ManifestFile, None, None]:
        """Makes the parts' files and yields what a manifest says of them, in order."""
        while batch := list(islice(parts, _PARTS_AT_ONCE)):
            yield from map_threads(self._write_part, batch, workers=workers)

    def settle_day(self, day: date, files: tuple[ManifestFile, ...]) -> Manifest | None:
        """Makes `files` the content of a day; None where it was that already."""
        for _ in range(_TRIES):
            newest = self._read_newest(day)
            if files == (() if newest is None else newest.files):
                return None
            manifest = Manifest(
                account=self.account,
                date=day,
                generation=0 if newest is None else newest.generation + 1,
                seed=self.request.seed,
                locale=self.request.locale,
                files=files,
            )
            path = manifest_path(day=day, account=self.account, generation=manifest.generation)
            self.storage.persist(f"{day_folder(day)}/{file.name}" for file in files)
            try:
                self.storage.create(path, write_manifest(manifest))
            except ExistsError:
                self._look(day_folder(day))  # another process was faster: decide again
                continue
            self.storage.persist([path])
            return manifest
        raise CommitConflictError(
            f"{day_folder(day)}: other processes wrote {_TRIES} generations of {self.account} in "
            f"a row; expected one writer a day: end the others and generate again"
        )

    def _write_part(self, part: Part) -> ManifestFile:
        data = encode_part(stream_part(self.market, part, batch_rows=self.request.batch_rows))
        sha256 = hashlib.sha256(data).hexdigest()
        name = name_file(account=self.account, part=part.number, sha256=sha256)
        self._write_file(f"{day_folder(part.day)}/{name}", data)
        return ManifestFile(name=name, rows=part.rows, size=len(data), sha256=sha256)

    def _write_file(self, path: str, data: bytes) -> None:
        size = self.sizes.get(path)
        if size is None:
            try:
                self.storage.create(path, data)
            except ExistsError:
                entry = self.storage.find(path)
                size = None if entry is None else entry.size
            else:
                return
        if size != len(data):
            raise LakeError(
                f"{path} has {size} bytes, but the content that its name stands for has "
                f"{len(data)}: delete it and generate the day again"
            )

    def _look(self, folder: str) -> None:
        """Learns which data files and manifests of the account a folder holds."""
        for entry in self.storage.list(folder):
            self.sizes[entry.path] = entry.size
            key = parse_manifest_path(entry.path)
            if key is not None and key.account == self.account:
                self.newest[key.date] = max(key.generation, self.newest.get(key.date, 0))

    def _read_newest(self, day: date) -> Manifest | None:
        generation = self.newest.get(day)
        if generation is None:
            return None
        path = manifest_path(day=day, account=self.account, generation=generation)
        return read_manifest(self.storage.read(path), path=path)
