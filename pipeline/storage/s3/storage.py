"""A lake in a bucket."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Final

from pipeline.errors import MissingError, StorageError
from pipeline.storage.base import Entry, Probe, SqlAccess
from pipeline.storage.s3.access import make_sql_access
from pipeline.storage.s3.bodies import read_body
from pipeline.storage.s3.client import Client
from pipeline.storage.s3.copies import Copies
from pipeline.storage.s3.credentials import Chain
from pipeline.storage.s3.doctor import probe_bucket
from pipeline.storage.s3.listing import describe, list_entries
from pipeline.storage.s3.location import is_local, parse_location
from pipeline.storage.s3.writes import upload_file, write_object
from pipeline.storage.temporary import told_as_temporary

_STAGING: Final = ".scratch-cluster"
"""The one hidden folder of a lake in a bucket: what the workers of a cluster share."""


class S3Storage:
    """A lake in a bucket, which must be there; a prefix is made by the first write."""

    shows_growing = False

    def __init__(self, uri: str) -> None:
        self.location = parse_location(uri)
        self.client = Client(Chain(), self.location)
        self._copies = Copies(self.client)
        # Requests are sent together to hide the way to the store, which is short on this machine.
        self.lanes = 4 if is_local(self.client.chain.endpoint) else 16

    def __copy__(self) -> "S3Storage":
        """The same bucket with copies of its own, which are deleted when nobody uses it."""
        other = object.__new__(S3Storage)
        other.__dict__.update(self.__dict__)
        other._copies = Copies(self.client)
        return other

    @property
    def uri(self) -> str:
        """As `Storage` says."""
        return self.location.uri

    @property
    def sql_access(self) -> SqlAccess | None:
        """As `Storage` says."""
        return make_sql_access(self.client.chain, self.location)

    def list(self, prefix: str, *, recursive: bool = True, after: str = "") -> Sequence[Entry]:
        """As `Storage` says."""
        return sorted(list_entries(self.client, prefix, recursive=recursive, after=after))

    def find(self, path: str) -> Entry | None:
        """As `Storage` says."""
        try:
            return describe(path, self.client.ask("head_object", _check(path)))
        except MissingError:
            return None

    def read(self, path: str) -> bytes:
        """As `Storage` says."""
        return read_body(self.client, _check(path))

    def fetch(self, path: str) -> Path:
        """As `Storage` says."""
        return self._copies.take(_check(path)).local

    def fetch_all(self, paths: Sequence[str]) -> Sequence[Path]:
        """As `Storage` says."""
        if len(paths) < 2:
            return [self.fetch(path) for path in paths]
        with ThreadPoolExecutor(self.lanes, thread_name_prefix="adlake-fetch") as pool:
            return list(pool.map(self.fetch, paths))

    def digest(self, path: str) -> str:
        """As `Storage` says."""
        return self._copies.take(_check(path)).body.sha256

    def create(self, path: str, data: bytes) -> None:
        """As `Storage` says."""
        write_object(self.client, _check(path), data, create=True)

    def adopt(self, path: str, local: Path) -> None:
        """As `Storage` says."""
        upload_file(self.client, _check(path), local, create=True)
        local.unlink()

    def overwrite(self, path: str, data: bytes) -> None:
        """As `Storage` says."""
        write_object(self.client, _check(path), data, create=False)

    def delete(self, path: str) -> None:
        """As `Storage` says."""
        self.client.ask("delete_object", _check(path))

    def persist(self, paths: Iterable[str]) -> None:
        """As `Storage` says: the store has done so before it answers."""

    def list_unfinished(self) -> Sequence[Entry]:
        """As `Storage` says: parts of uploads are no files; a lifecycle rule clears them away."""
        return self.list(_STAGING)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """As `Storage` says."""
        with told_as_temporary():
            made = tempfile.TemporaryDirectory(prefix="adlake-", ignore_cleanup_errors=True)
        with made as folder:
            yield Path(folder)

    def probe(self) -> Sequence[Probe]:
        """As `Storage` says."""
        return probe_bucket(self.client)


def _check(path: str) -> str:
    """Refuses a path that as a key would mean another file, or one outside the lake."""
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or path.startswith("/") or "\0" in path:
        raise StorageError(f"{path!r} is not a name inside the lake")
    return path
