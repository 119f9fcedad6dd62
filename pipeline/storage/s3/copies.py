"""Local files with the bytes of some of the bucket's, for readers that seek.

A copy is kept until the process ends. Before it is used again the store is asked whether the file
is still the one that was copied, so no copy is ever older than the call.
"""

import itertools
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import NamedTuple

from pipeline.storage.s3.bodies import Body, download_body
from pipeline.storage.s3.client import Client
from pipeline.storage.temporary import told_as_temporary


class Copy(NamedTuple):
    """A local copy.

    Attributes:
        local: Where it is.
        body: What it holds.
    """

    local: Path
    body: Body


class Copies:
    """The copies of one process."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._folder: Path | None = None
        self._numbers = itertools.count()
        self._known: dict[str, Copy] = {}
        self._lock = threading.Lock()

    def take(self, path: str) -> Copy:
        """A copy of a file as it is now.

        Raises:
            MissingError: There is no such file.
            StorageError: It cannot be read whole, or there is no room for it on this machine.
        """
        known = self._known.get(path)
        with told_as_temporary():
            local = self._name()
            try:
                etag = known.body.etag if known else ""
                body = download_body(self._client, path, local, known=etag)
            except BaseException:
                local.unlink(missing_ok=True)
                raise
        if body is None and known is not None:
            local.unlink()
            return known
        assert body is not None  # noqa: S101 - a version was named, or all bytes came
        taken = self._known[path] = Copy(local, body)
        return taken

    def _name(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="adlake-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder / f"copy-{next(self._numbers)}"
