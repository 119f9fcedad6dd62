"""Finds what the ledger does not know yet, and gives each file its identity."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import polars as pl

from pipeline.engine import map_threads
from pipeline.errors import BadFileError, DeniedError, LakeError, MissingError
from pipeline.export.register import find_export
from pipeline.lake import LANDING, RAW, Lake
from pipeline.manifest import Manifest, parse_manifest_path, read_manifest
from pipeline.merge.account import FileAccount
from pipeline.merge.delivery import (
    Delivery,
    Found,
    identify_file,
    leave_known_out,
    read_pins,
)
from pipeline.merge.place import (
    Labels,
    is_bad_name,
    is_control_file,
    is_root_lot,
    is_unfinished,
    read_labels,
    spell_path,
)
from pipeline.settings import Settings
from pipeline.steps.growing import leave_growing
from pipeline.storage import Entry

_Identity = tuple[str, datetime, str, str, Labels]


@dataclass(slots=True)
class Discovery:
    """What a listing of the lake brought.

    Attributes:
        deliveries: Files to ingest, ascending by (rank, sha256).
        manifests: The manifest of each generated day among them, by path.
        settled: Files whose account is known without reading their rows.
        unfinished: Files still being written, or gone since the listing: the next run sees them.
    """

    deliveries: list[Delivery] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    settled: list[FileAccount] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing for a merge to decide on."""
        return not self.deliveries and not self.settled


def discover(
    lake: Lake, ledger: pl.DataFrame, *, settings: Settings, forget: Set[str] = frozenset()
) -> Discovery:
    """Lists the lake and names what is new.

    Args:
        lake: The lake.
        ledger: Up to the master's transaction; columns of schema.LEDGER.
        settings: How many files are hashed at once, and how long a new one has to be quiet.
        forget: Paths of files that are looked at as if they were new.
    """
    discovery = Discovery()
    forgotten = pl.col("path").is_in(list(forget))
    judged = ledger.filter(~forgotten) if forget else ledger
    files: list[Found] = []
    manifests: list[Found] = []
    irregular: set[str] = set()
    for found in leave_known_out(_list_found(lake, irregular), judged):
        if is_unfinished(found.path):
            discovery.unfinished.append(found.path)
        elif is_control_file(found.path):
            continue
        elif is_bad_name(found.path):
            discovery.settled.append(_refuse(found, "bad_name", "the name is never opened"))
        elif found.path in irregular:
            discovery.settled.append(_refuse(found, "not_regular_file", "it is never opened"))
        elif parse_manifest_path(found.path):
            manifests.append(found)
        else:
            files.append(found)
    lanes = max(settings.workers, lake.storage.lanes)
    _add_manifests(discovery, lake, manifests, judged, lanes=lanes)
    quiet, growing = leave_growing(lake.storage, files, seconds=settings.quiet_seconds)
    discovery.unfinished += growing
    if forget:  # what only repeats one of these must not make it a repeat in its turn
        again = pl.col("sha256").is_in(ledger.filter(forgotten)["sha256"].drop_nulls().to_list())
        judged = judged.filter(~(again & (pl.col("reason") == "same_file")).fill_null(value=False))
    _add_files(discovery, lake, quiet, judged, whole=ledger, workers=lanes)
    discovery.deliveries.sort(key=lambda delivery: (delivery.rank, delivery.sha256))
    return discovery


def list_entries(lake: Lake) -> Iterable[Entry]:
    """What may be new: the original's lots at the root, landing/, and the generator's manifests."""
    storage = lake.storage
    yield from (entry for entry in storage.list("", recursive=False) if is_root_lot(entry.path))
    yield from storage.list(LANDING)
    yield from (entry for entry in storage.list(RAW) if parse_manifest_path(entry.path))


def _list_found(lake: Lake, irregular: set[str]) -> Iterator[Found]:
    """What `list_entries` gives, one after the other: nobody holds all of a large listing twice.

    Args:
        lake: The lake.
        irregular: Gets the paths of those that nobody may open.
    """
    escaped: dict[str, Entry] = {}
    for entry in list_entries(lake):
        path = spell_path(entry.path)
        if not entry.regular:
            irregular.add(path)
        if "\\" in path:  # two names may be escaped alike, and stand for one file then
            escaped[path] = entry
        else:
            yield Found(path, *entry[1:4])
    yield from (Found(path, *entry[1:4]) for path, entry in escaped.items())


def _add_manifests(
    discovery: Discovery,
    lake: Lake,
    manifests: Sequence[Found],
    ledger: pl.DataFrame,
    *,
    lanes: int,
) -> None:
    read: list[tuple[Delivery, Manifest]] = []
    texts = map_threads(lambda found: _read_manifest(lake, found), manifests, workers=lanes)
    for found, data in zip(manifests, texts, strict=True):
        if data is None:
            discovery.unfinished.append(found.path)
            continue
        try:
            manifest = read_manifest(data, path=found.path)
        except LakeError as error:
            discovery.settled.append(_refuse(found, "bad_manifest", str(error)))
        else:
            read.append((_identify_day(found, manifest, data), manifest))
    known = _read_identities(ledger, [delivery.sha256 for delivery, _ in read])
    for delivery, manifest in read:
        if _identify(delivery) not in known:  # else it was only copied or touched
            discovery.manifests[delivery.found.path] = manifest
            discovery.deliveries.append(delivery)


def recall_days(lake: Lake, judged: pl.DataFrame) -> tuple[list[Delivery], dict[str, Manifest]]:
    """Generated days that the ledger knows, and their manifests by path.

    Args:
        lake: The lake.
        judged: Their rows in the ledger; the manifests are there as they were merged.
    """
    deliveries: list[Delivery] = []
    manifests: dict[str, Manifest] = {}
    for row in judged.iter_rows(named=True):
        found = Found(row["path"], row["size"], row["etag"], row["modified_at"])
        data = lake.storage.read(found.path)
        manifests[found.path] = read_manifest(data, path=found.path)
        day = _identify_day(found, manifests[found.path], data)
        deliveries.append(replace(day, role="replayed"))
    return deliveries, manifests


def _read_manifest(lake: Lake, found: Found) -> bytes | None:
    """A manifest's bytes; None where it is gone."""
    try:
        return lake.storage.read(found.path)
    except MissingError:
        return None


def _identify_day(found: Found, manifest: Manifest, data: bytes) -> Delivery:
    return Delivery(
        found=found,
        kind="raw",
        source=manifest.source,
        delivered_at=manifest.delivered_at,
        delivery_id=f"{manifest.account}/{manifest.date}/{manifest.generation}",
        sha256=hashlib.sha256(data).hexdigest(),
        account=manifest.account,
    )


def _add_files(
    discovery: Discovery,
    lake: Lake,
    files: Sequence[Found],
    ledger: pl.DataFrame,
    *,
    whole: pl.DataFrame,
    workers: int,
) -> None:
    hashed = list(_hash_files(discovery, lake, files, workers=workers))
    digests = [sha256 for _, sha256 in hashed]
    pins = read_pins(whole, digests)  # also of files that are looked at as if they were new
    known = _read_identities(ledger, digests)
    now = datetime.now(UTC)
    for found, sha256 in hashed:
        try:
            delivery = identify_file(found, sha256=sha256, pinned=pins, now=now)
        except BadFileError as error:
            discovery.settled.append(_refuse(found, error.rule, str(error)))
            continue
        if delivery.delivery_id == sha256:  # its time is not declared, but that of first sight
            pins.setdefault((delivery.source, sha256), delivery.delivered_at)
        identity = _identify(delivery)
        if identity in known:
            _add_twin(discovery, delivery, *known[identity])
            continue
        known[identity] = (found.path, 0)  # its rows are counted once it has been read
        if export := find_export(lake.storage, sha256):
            detail = f"this lake's own export {export['name']} of version {export['version']}"
            discovery.settled.append(_set_aside(delivery, "own_export", detail, export["rows"]))
        else:
            discovery.deliveries.append(delivery)


def _hash_files(
    discovery: Discovery, lake: Lake, files: Sequence[Found], *, workers: int
) -> Iterator[tuple[Found, str]]:
    """The files that could be read as they were listed, with the sha256 of their bytes."""
    hashes = map_threads(_hasher(lake), files, workers=workers)
    for found, sha256 in zip(files, hashes, strict=True):
        if sha256 is None:
            discovery.unfinished.append(found.path)
        elif isinstance(sha256, DeniedError):
            discovery.settled.append(_refuse(found, "no_permission", str(sha256)))
        else:
            yield found, sha256


def _add_twin(discovery: Discovery, delivery: Delivery, first_path: str, rows: int) -> None:
    """Counts a file whose bytes are known as duplicate, but not one that was only touched."""
    if first_path != delivery.found.path:
        detail = f"the same bytes as {first_path}"
        twin = _set_aside(delivery, "same_file", detail, rows, same_as=first_path)
        discovery.settled.append(twin)


def _hasher(lake: Lake) -> Callable[[Found], str | DeniedError | None]:
    def hash_file(found: Found) -> str | DeniedError | None:
        """The file's sha256, or None where it changed or went while it was read."""
        try:
            digest = lake.storage.digest(found.path)
            after = lake.storage.find(found.path)
        except MissingError:
            return None
        except DeniedError as error:
            return error
        unchanged = after is not None and (after.size, after.etag) == (found.size, found.etag)
        return digest if unchanged else None

    return hash_file


def _identify(delivery: Delivery) -> _Identity:
    labels = read_labels(delivery.found.path)
    return (
        delivery.source,
        delivery.delivered_at,
        delivery.delivery_id,
        delivery.sha256,
        labels,
    )


def _read_identities(
    ledger: pl.DataFrame, digests: Sequence[str]
) -> dict[_Identity, tuple[str, int]]:
    """For files of these bytes: the path under which each was first seen, and its rows."""
    seen = ledger.filter(pl.col("sha256").is_in(digests)).sort("n", "path")
    columns = ["source", "delivered_at", "delivery_id", "sha256", "path", "rows_in"]
    known: dict[_Identity, tuple[str, int]] = {}
    for source, delivered_at, delivery_id, sha256, path, rows in seen.select(columns).iter_rows():
        identity = (source, delivered_at, delivery_id, sha256, read_labels(path))
        known.setdefault(identity, (path, rows))
    return known


def _refuse(found: Found, rule: str, detail: str) -> FileAccount:
    return FileAccount(found=found, outcome="quarantined", reason=rule, detail=detail)


def _set_aside(
    delivery: Delivery, reason: str, detail: str, rows: int, *, same_as: str = ""
) -> FileAccount:
    return FileAccount(
        found=delivery.found,
        outcome="duplicate",
        delivery=delivery,
        reason=reason,
        detail=detail,
        duplicates=rows,
        same_as=same_as,
    )
