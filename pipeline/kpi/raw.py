"""Which raw files count: those that the newest manifest of an account and day names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pipeline.engine import map_threads
from pipeline.errors import LakeError
from pipeline.lake import RAW, Lake
from pipeline.manifest import day_folder, parse_manifest_path, read_manifest


@dataclass(frozen=True, slots=True)
class RawFile:
    """A raw file with what stands in its manifest and not in itself.

    Attributes:
        path: Key in the lake.
        date: The day of all its rows.
        account: The account of all its rows.
    """

    path: str
    date: date
    account: str


def list_raw_files(lake: Lake, *, workers: int) -> list[RawFile]:
    """The raw files that count, by day, account and part."""
    present = {entry.path for entry in lake.storage.list(RAW)}
    paths = choose_manifests(present)
    lanes = max(workers, lake.storage.lanes)
    texts = map_threads(lake.storage.read, paths, workers=lanes)
    days = [list_named_files(path, text) for path, text in zip(paths, texts, strict=True)]
    # A day with a hole in it would look like a day of few rows.
    return [file for day in days for file in day if all(one.path in present for one in day)]


def choose_manifests(paths: Iterable[str]) -> list[str]:
    """The manifest of the highest generation for each account and day, sorted by path."""
    newest: dict[tuple[date, str], tuple[int, str]] = {}
    for path in paths:
        if key := parse_manifest_path(path):
            found = newest.get((key.date, key.account), (-1, ""))
            newest[key.date, key.account] = max(found, (key.generation, path))
    return sorted(path for _, path in newest.values())


def list_named_files(path: str, text: bytes) -> list[RawFile]:
    """The files that a manifest names; none where it is not a manifest of ours.

    What is wrong with a manifest is for the merge to say, which quarantines it: a reader of other
    days must not fail over it.
    """
    try:
        manifest = read_manifest(text, path=path)
    except LakeError:
        return []
    folder = day_folder(manifest.date)
    return [
        RawFile(path=f"{folder}/{file.name}", date=manifest.date, account=manifest.account)
        for file in manifest.files
    ]
