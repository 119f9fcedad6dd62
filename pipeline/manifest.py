"""The manifest of a generated day: it is written last, and only what it names is there.

A day may be generated again with other content. Each time is a **generation** with a manifest of
its own; the one with the highest number speaks for the day, and earlier ones stay as they are.
"""

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from pipeline.errors import LakeError
from pipeline.lake import RAW

FORMAT: Final = 1
SOURCE: Final = "generated"
CURRENCY: Final = "USD"

_PATH: Final = re.compile(
    rf"{RAW}/date=(\d{{4}}-\d\d-\d\d)/([a-z]+-\d+)\.(0|[1-9]\d{{0,8}})\.manifest\.json", re.ASCII
)
_FIELDS: Final = {
    "format": int,
    "source": str,
    "account": str,
    "date": str,
    "generation": int,
    "delivered_at": str,
    "currency": str,
    "seed": int,
    "locale": str,
    "rows": int,
    "files": list,
}
_FILE_FIELDS: Final = {"name": str, "rows": int, "size": int, "sha256": str}


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One data file of a day.

    Attributes:
        name: In the manifest's folder; holds the account, the part and the content's hash.
        rows: At least 1.
        size: Bytes.
        sha256: Of the content, 64 hexadecimal digits.
    """

    name: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one generation of a day holds.

    Attributes:
        account: `demo-<seed>`.
        date: The day.
        generation: 0, then 1 more each time the day's content changed.
        seed: That the rows come from.
        locale: That the names' words come from.
        files: In the order of their parts; empty where the day was emptied.
    """

    account: str
    date: date
    generation: int
    seed: int
    locale: str
    files: tuple[ManifestFile, ...]

    @property
    def source(self) -> str:
        """Always `generated`."""
        return SOURCE

    @property
    def currency(self) -> str:
        """Of all money in the files: US dollars."""
        return CURRENCY

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def delivered_at(self) -> datetime:
        """Midnight (UTC) after the day, and a second more for each generation."""
        midnight = datetime.combine(self.date, time(tzinfo=UTC)) + timedelta(days=1)
        return midnight + timedelta(seconds=self.generation)


class ManifestKey(NamedTuple):
    """What a manifest's path says."""

    date: date
    account: str
    generation: int


def account_of(seed: int) -> str:
    """The account whose days a seed makes."""
    return f"demo-{seed}"


def day_folder(day: date) -> str:
    """The folder of a day's files and manifests, below the lake's root."""
    return f"{RAW}/date={day}"


def name_file(*, account: str, part: int, sha256: str) -> str:
    """The name of a part's data file: the same content has the same name."""
    return f"{account}-{part:05d}-{sha256[:16]}.parquet"


def manifest_path(*, day: date, account: str, generation: int) -> str:
    """Where a manifest lies, below the lake's root."""
    return f"{day_folder(day)}/{account}.{generation}.manifest.json"


def parse_manifest_path(path: str) -> ManifestKey | None:
    """Reads a path of `manifest_path`; None where it is not one.

    >>> parse_manifest_path("raw/ad_day/date=2024-03-05/demo-42.1.manifest.json")
    ManifestKey(date=datetime.date(2024, 3, 5), account='demo-42', generation=1)
    """
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    try:
        day = date.fromisoformat(found[1])
    except ValueError:
        return None
    return ManifestKey(day, found[2], int(found[3]))


def write_manifest(manifest: Manifest) -> bytes:
    """A manifest as JSON; the same manifest gives the same bytes."""
    content = {
        "format": FORMAT,
        "source": manifest.source,
        "account": manifest.account,
        "date": manifest.date.isoformat(),
        "generation": manifest.generation,
        "delivered_at": _format_time(manifest.delivered_at),
        "currency": manifest.currency,
        "seed": manifest.seed,
        "locale": manifest.locale,
        "rows": manifest.rows,
        "files": [asdict(file) for file in manifest.files],
    }
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def read_manifest(data: bytes, *, path: str = "the manifest") -> Manifest:
    """Reads what `write_manifest` wrote, and nothing else.

    Args:
        data: The file's bytes.
        path: Where they lie, for messages; one of `manifest_path` must agree with the content.

    Raises:
        LakeError: It is broken, of an unknown format, or contradicts itself.
    """
    content = _parse(data, path=path)
    _expect(content["format"] == FORMAT, path, f"its format is {FORMAT}", content["format"])
    try:
        manifest = Manifest(
            account=content["account"],
            date=date.fromisoformat(content["date"]),
            generation=content["generation"],
            seed=content["seed"],
            locale=content["locale"],
            files=tuple(_read_file(item, path=path) for item in content["files"]),
        )
    except ValueError as error:
        raise _broken(path, "its date is YYYY-MM-DD", content["date"]) from error
    _check_names(manifest, path=path)
    _expect(manifest.generation >= 0, path, "its generation is 0 or more", manifest.generation)
    _check_rest(manifest, content, data, path=path)
    key = parse_manifest_path(path)
    own_key = ManifestKey(manifest.date, manifest.account, manifest.generation)
    _expect(key in {None, own_key}, path, "its path names the same day and generation", own_key)
    return manifest


def _parse(data: bytes, *, path: str) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _broken(path, "JSON in UTF-8", f"{len(data)} bytes that are not") from error
    return _check_fields(content, _FIELDS, path=path)


def _read_file(item: object, *, path: str) -> ManifestFile:
    file = ManifestFile(**_check_fields(item, _FILE_FIELDS, path=path))
    _expect(file.rows > 0 and file.size > 0, path, "files that are not empty", file)
    _expect(
        re.fullmatch("[0-9a-f]{64}", file.sha256, re.ASCII) is not None,
        path,
        "a sha256 of 64 hexadecimal digits",
        file.sha256,
    )
    return file


def _check_rest(manifest: Manifest, content: dict[str, Any], data: bytes, *, path: str) -> None:
    """What follows from the rest is stated as well, so compare all of it, and the layout."""
    try:
        expected = write_manifest(manifest)
    except OverflowError as error:
        raise _broken(path, "a day in the calendar", content["date"]) from error
    follows = json.loads(expected)
    for name in _FIELDS:
        _expect(content[name] == follows[name], path, f"{name} {follows[name]!r}", content[name])
    _expect(data == expected, path, "the layout that adlake writes", "another")


def _check_names(manifest: Manifest, *, path: str) -> None:
    own = account_of(manifest.seed)
    _expect(manifest.account == own and manifest.seed >= 0, path, own, manifest.account)
    for part, file in enumerate(manifest.files):
        name = name_file(account=manifest.account, part=part, sha256=file.sha256)
        _expect(file.name == name, path, f"a file named {name}", file.name)


def _check_fields(item: object, fields: dict[str, type], *, path: str) -> dict[str, Any]:
    if not isinstance(item, dict) or item.keys() != fields.keys():
        got = ", ".join(sorted(item)) if isinstance(item, dict) else item
        raise _broken(path, f"an object of {', '.join(sorted(fields))}", got)
    for name, kind in fields.items():
        # Not isinstance: to JSON and to us, true is not a number.
        _expect(type(item[name]) is kind, path, f"{name} of another type", item[name])
    return item


def _expect(holds: bool, path: str, expected: str, got: object) -> None:
    if not holds:
        raise _broken(path, expected, got)


def _broken(path: str, expected: str, got: object) -> LakeError:
    text = str(got)
    shown = text if len(text) <= 80 else text[:77] + "..."
    return LakeError(
        f"{path} is not a manifest that adlake wrote: expected {expected}, got {shown}; move it "
        f"out of the lake and generate the day again"
    )


def _format_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
