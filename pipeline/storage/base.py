"""What a lake needs of the place its bytes are in: one verb a method, keys with `/`.

There are three kinds of write: `create` fails where something is there already, `adopt` does the
same with a finished local file, `overwrite` replaces. Each is atomic: a reader sees all of a file
or none of it. Nothing here knows what the bytes mean.
"""

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """One thing found by a listing.

    Attributes:
        path: Key below the lake's root, with `/`.
        size: Bytes.
        etag: Changes when the content does; opaque.
        modified_at: Last write, UTC.
        regular: False for a link, device, pipe or the like, which nobody may open.
    """

    path: str
    size: int
    etag: str
    modified_at: datetime
    regular: bool = True


class Probe(NamedTuple):
    """One check of reach or rights.

    Attributes:
        check: What was tried.
        passed: Whether it worked.
        detail: What was found, or what to do.
    """

    check: str
    passed: bool
    detail: str


class SqlAccess(NamedTuple):
    """What an SQL engine has to be told to read an object store; holds secrets.

    Attributes:
        scope: The prefix of all URIs that it is for.
        key_id: Of the credentials.
        secret: Likewise.
        token: Likewise; '' where they are not temporary.
        region: Of the bucket.
        endpoint: Host and port; '' where it is AWS itself.
        encrypted: Whether over https.
        path_style: Whether the bucket stands in the path, and not before the host's name.
    """

    scope: str
    key_id: str
    secret: str
    token: str
    region: str
    endpoint: str
    encrypted: bool
    path_style: bool

    def __repr__(self) -> str:
        return f"SqlAccess({self.scope})"


class Storage(Protocol):
    """What a lake needs of the place its bytes are in.

    Attributes:
        lanes: How many requests are worth sending at once.
    """

    lanes: int

    @property
    def uri(self) -> str:
        """The root as other engines take it, without a trailing slash."""

    @property
    def shows_growing(self) -> bool:
        """Whether a file that others write can be listed before it is whole."""

    @property
    def sql_access(self) -> SqlAccess | None:
        """What DuckDB has to be told; None where it needs nothing."""

    def list(self, prefix: str, *, recursive: bool = True, after: str = "") -> Sequence[Entry]:
        """The files below the folder `prefix`, sorted by path.

        Names that begin with `.` are left out. Without `recursive`, only the files that lie in
        the folder itself. With `after`, only paths below the folder that come after that text.
        """

    def find(self, path: str) -> Entry | None:
        """The entry at exactly this path."""

    def read(self, path: str) -> bytes:
        """All bytes of a file."""

    def fetch(self, path: str) -> Path:
        """A local file with the bytes of `path`, for readers that seek; not to be changed."""

    def fetch_all(self, paths: Sequence[str]) -> Sequence[Path]:
        """As `fetch`, for many files at once, in their order."""

    def digest(self, path: str) -> str:
        """The sha256 of a file's bytes, as hexadecimal text."""

    def create(self, path: str, data: bytes) -> None:
        """Writes a new file; raises ExistsError where there is one."""

    def adopt(self, path: str, local: Path) -> None:
        """Makes a finished local file, which vanishes, a new file; ExistsError as above."""

    def overwrite(self, path: str, data: bytes) -> None:
        """Writes a file whether or not there is one."""

    def delete(self, path: str) -> None:
        """Deletes a file; one that is not there is no error."""

    def persist(self, paths: Iterable[str]) -> None:
        """Forces files and their names to the disk, so that a power cut leaves them whole."""

    def list_unfinished(self) -> Sequence[Entry]:
        """What runs leave behind when they are killed: files that `list` leaves out."""

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A local folder for unfinished files, removed at the end."""

    def probe(self) -> Sequence[Probe]:
        """Tries what a lake needs of its storage; leaves nothing behind."""
