"""Writes generated days: the parts first, in parallel, then each day's manifest.

Nothing is ever changed or deleted. A data file is named after its content, so making it twice is
harmless; a run that stops before a day's manifest leaves only files that nothing names. A manifest
is written when all that it names is on the disk, so a power cut leaves a day whole or not at all.
"""

import contextlib
import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from pipeline.engine import Engine, LocalEngine, map_threads
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
from pipeline.staging import Staging, open_staging

_LEAST_TASK_ROWS: Final = 2**17
_MOST_TASK_ROWS: Final = 2**19
_TASKS: Final = (
    32  # of a cluster, at least, where there are rows enough: small parts travel together
)
_DAYS_AT_ONCE: Final = 8  # a disk is forced for many files in the time of one
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class GenerateOutcome:
    """What a run of the generator did.

    Attributes:
        days_written: Days with a new manifest.
        days_unchanged: Days that held the very same content already; not those that have never
            had any, and are due none.
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
    workers: int = 1,
    engine: Engine | None = None,
    on_rows: Callable[[int], None] | None = None,
) -> GenerateOutcome:
    """Makes the days of a request in the lake's raw folder.

    Args:
        lake: Where to.
        request: What to make.
        today: The current day in UTC.
        workers: How many parts are made at once, at least 1; changes no byte of the result.
        engine: What makes them; None: this machine, with as many threads as `workers`.
        on_rows: Told the rows of each part as it is finished, in the caller's thread.

    Raises:
        UsageError: The request cannot be met; nothing was written.
        LakeError: A manifest or data file in the way is broken.
        ClusterError: The engine is a cluster and failed; days without a manifest are not there.
        CommitConflictError: Other processes kept generating the same day.
    """
    days = plan_days(request, today=today)
    # Also finds out whether there is such a locale, before anything is written.
    open_market_once(request.seed, request.locale)
    lake.check_format()
    folder = day_folder(days[0].day) if len(days) == 1 else RAW
    writer = _Writer(lake, request, folder=folder)
    with (
        open_staging(lake, engine or LocalEngine(workers)) as staging,
        contextlib.closing(writer.write_parts(days, staging)) as files,
        # Manifests are on their way while the next parts are made.
        ThreadPoolExecutor(
            max(_DAYS_AT_ONCE, lake.storage.lanes), thread_name_prefix="adlake-manifest"
        ) as pool,
    ):
        settled = [
            pool.submit(writer.settle_day, day.day, _take(files, day, on_rows)) for day in days
        ]
        made = [one.result() for one in settled]
    written = [manifest for manifest in made if manifest is not None]
    left = (day for day, manifest in zip(days, made, strict=True) if manifest is None)
    return GenerateOutcome(
        days_written=len(written),
        days_unchanged=sum(day.rows > 0 or day.day in writer.newest for day in left),
        rows=sum(manifest.rows for manifest in written),
        files=sum(len(manifest.files) for manifest in written),
        size=sum(file.size for manifest in written for file in manifest.files),
    )


@functools.lru_cache(maxsize=2)
def open_market_once(seed: int, locale: str) -> Market:
    """What all days of a seed share, made once in a process."""
    return open_market(seed=seed, vocabulary=make_vocabulary(seed=seed, locale=locale))


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


class _Task(NamedTuple):
    """Some parts in a row, and what their days' folders hold already.

    Attributes:
        parts: At least one.
        known: Bytes of the data files that are there, by key.
    """

    parts: Sequence[Part]
    known: Mapping[str, int]


def _name_task(task: _Task) -> str:
    first = task.parts[0]
    return f"generate {first.day} part {first.number}"


def _size_task(days: Iterable[DayRows]) -> int:
    """How many rows a worker of a cluster gets at once, at least; the same on any cluster."""
    rows = sum(day.rows for day in days)
    return min(max(_LEAST_TASK_ROWS, rows // _TASKS), _MOST_TASK_ROWS)


def _group_parts(parts: Iterable[Part], *, rows: int) -> Iterator[list[Part]]:
    """Cuts parts in a row into groups, each ending where it has reached so many rows."""
    group: list[Part] = []
    held = 0
    for part in parts:
        group.append(part)
        held += part.rows
        if held >= rows:
            yield group
            group, held = [], 0
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the data files of some parts, wherever it is called."""

    lake: Lake
    request: GenerateRequest

    def __call__(self, task: _Task) -> list[ManifestFile]:
        """What a manifest says of the parts' files, which are in place."""
        write = functools.partial(self._write_part, known=task.known)
        return list(map_threads(write, task.parts, workers=self.lake.storage.lanes))

    def _write_part(self, part: Part, *, known: Mapping[str, int]) -> ManifestFile:
        request = self.request
        market = open_market_once(request.seed, request.locale)
        data = encode_part(stream_part(market, part, batch_rows=request.batch_rows))
        sha256 = hashlib.sha256(data).hexdigest()
        name = name_file(account=account_of(request.seed), part=part.number, sha256=sha256)
        path = f"{day_folder(part.day)}/{name}"
        self._write_file(path, data, size=known.get(path))
        return ManifestFile(name=name, rows=part.rows, size=len(data), sha256=sha256)

    def _write_file(self, path: str, data: bytes, *, size: int | None) -> None:
        storage = self.lake.storage
        if size is None:
            try:
                storage.create(path, data)
            except ExistsError:
                entry = storage.find(path)
                size = None if entry is None else entry.size
            else:
                return
        if size != len(data):
            raise LakeError(
                f"{path} has {size} bytes, but the content that its name stands for has "
                f"{len(data)}: delete it and generate the day again"
            )


class _Writer:
    """Writes parts and manifests of one account, knowing what is there already."""

    def __init__(self, lake: Lake, request: GenerateRequest, *, folder: str) -> None:
        self.lake = lake
        self.storage = lake.storage
        self.request = request
        self.account = account_of(request.seed)
        self.sizes: dict[str, dict[str, int]] = defaultdict(dict)
        self.newest: dict[date, int] = {}
        self._look(folder)

    def write_parts(
        self, days: Sequence[DayRows], staging: Staging
    ) -> Generator[ManifestFile, None, None]:
        """Makes the files of the days' parts and yields what a manifest says of them, in order."""
        parts = (part for day in days for part in cut_day(day.day, rows=day.rows))
        groups = _group_parts(parts, rows=_size_task(days) if staging.engine.is_remote else 1)
        tasks = (_Task(group, self._find_known(group)) for group in groups)
        maker = _Maker(self.lake, self.request)
        made = staging.map(maker, tasks, label=_name_task, lanes=self.storage.lanes)
        for files in made:
            yield from files

    def _find_known(self, parts: Iterable[Part]) -> dict[str, int]:
        """The data files that the days of some parts hold, with their sizes."""
        folders = {day_folder(part.day) for part in parts} & self.sizes.keys()
        return {path: size for folder in folders for path, size in self.sizes[folder].items()}

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

    def _look(self, folder: str) -> None:
        """Learns which data files and manifests of the account a folder holds."""
        for entry in self.storage.list(folder):
            self.sizes[entry.path.rpartition("/")[0]][entry.path] = entry.size
            key = parse_manifest_path(entry.path)
            if key is not None and key.account == self.account:
                self.newest[key.date] = max(key.generation, self.newest.get(key.date, 0))

    def _read_newest(self, day: date) -> Manifest | None:
        generation = self.newest.get(day)
        if generation is None:
            return None
        path = manifest_path(day=day, account=self.account, generation=generation)
        return read_manifest(self.storage.read(path), path=path)
