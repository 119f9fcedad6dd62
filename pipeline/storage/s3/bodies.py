"""A file's bytes, whole or not at all.

A body may break off, or arrive changed. Botocore compares it with the checksum that the store
keeps, where there is one; where there is none, the ETag of a file that was written in one piece is
its MD5. A body that broke off is taken up where it ended, if the file is still the same.
"""

import hashlib
import re
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import botocore.exceptions

from pipeline.storage.s3.client import BrokenBodyError, Client

BLOCK_BYTES: Final = 1 << 20
_ANOTHER_FILE: Final = frozenset({"PreconditionFailed", "412", "InvalidRange", "416"})
_MD5: Final = re.compile('"[0-9a-f]{32}"')


class Body(NamedTuple):
    """What came of a download.

    Attributes:
        etag: Of the version that was read.
        size: Bytes.
        sha256: Of them, as hexadecimal text.
    """

    etag: str
    size: int
    sha256: str


def read_body(client: Client, path: str) -> bytes:
    """All bytes of a file.

    Raises:
        MissingError: There is no such file.
        StorageError: It cannot be read whole.
    """
    key = client.location.make_key(path)
    odd = _OddTags()

    def read(s3: Any) -> bytes:
        answer = s3.get_object(Bucket=client.location.bucket, Key=key)
        data: bytes = answer["Body"].read()
        if len(data) != answer["ContentLength"]:
            raise BrokenBodyError(f"{len(data)} of {answer['ContentLength']} bytes came")
        odd.check(answer, hashlib.md5(data, usedforsecurity=False).hexdigest())
        return data

    return client.work("get_object", path, read)


def download_body(client: Client, path: str, target: Path, *, known: str = "") -> Body | None:
    """Writes a file's bytes to a local file; on an error that is not to be used.

    Args:
        client: Of the bucket.
        path: The file.
        target: Made, or replaced.
        known: The ETag of a version that need not come again.

    Returns:
        What was read; None where the file is still of the known version.

    Raises:
        MissingError: There is no such file.
        StorageError: It cannot be read whole.
    """
    with target.open("wb") as file:
        return client.work("get_object", path, _Download(client, path, file, known).proceed)


class _Download:
    """A download over its tries, each of which goes on where the one before broke off."""

    def __init__(self, client: Client, path: str, file: BinaryIO, known: str) -> None:
        self._arguments = {
            "Bucket": client.location.bucket,
            "Key": client.location.make_key(path),
        }
        self._file = file
        self._known = known
        self._odd = _OddTags()
        self._begin()

    def _begin(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._etag = ""
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def proceed(self, s3: Any) -> Body | None:
        """Reads what is still to come; None where all of it is known."""
        try:
            answer = s3.get_object(**self._arguments, **self._make_conditions())
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "304":
                return None
            if code in _ANOTHER_FILE:
                self._begin()
                raise BrokenBodyError("the file was replaced while it was read") from error
            raise
        self._etag = answer["ETag"]
        try:
            for block in answer["Body"].iter_chunks(BLOCK_BYTES):
                self._file.write(block)
                self._md5.update(block)
                self._sha256.update(block)
            self._odd.check(answer, self._md5.hexdigest())
        except (BrokenBodyError, botocore.exceptions.FlexibleChecksumError):
            self._begin()  # which of the bytes are wrong nobody knows
            raise
        return Body(self._etag, self._file.tell(), self._sha256.hexdigest())

    def _make_conditions(self) -> dict[str, str]:
        if offset := self._file.tell():
            return {"IfMatch": self._etag, "Range": f"bytes={offset}-"}
        return {"IfNoneMatch": self._known} if self._known else {}


class _OddTags:
    """Tells a changed body from a store whose ETags look like an MD5 and are none."""

    def __init__(self) -> None:
        self._seen = ""

    def check(self, answer: Any, md5: str) -> None:
        """Compares a body with its ETag; one that came twice the same is as the store has it.

        Raises:
            BrokenBodyError: It is another one, so read again.
        """
        etag = answer["ETag"]
        encrypted = answer.get("ServerSideEncryption", "AES256") != "AES256"
        if encrypted or not _MD5.fullmatch(etag) or etag == f'"{md5}"' or md5 == self._seen:
            return
        self._seen = md5
        raise BrokenBodyError("the bytes that came are not those of their ETag")
