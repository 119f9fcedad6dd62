"""Files that appear whole: a small one by one request, a big one in parts that are joined at last.

A create-only write is a conditional one, so the store itself decides between two writers. When its
answer is lost, the next try meets the file of the first: each write carries a mark of its own, by
which it knows its file again.
"""

import contextlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from pipeline.errors import ExistsError, StorageError
from pipeline.storage.s3.client import Client

PART_BYTES: Final = 32 << 20
"""A file of up to two parts goes in one request."""

PARTS_AT_ONCE: Final = 4
_MARK: Final = "adlake-write"


def write_object(client: Client, path: str, data: bytes, *, create: bool) -> None:
    """Writes a file by one request.

    Args:
        client: Of the bucket.
        path: The file.
        data: Its bytes.
        create: Whether a file that is there is an error.

    Raises:
        ExistsError: As said.
        StorageError: The store refused it, or failed to the end.
    """
    mark = secrets.token_hex(8)
    conditions = _make_conditions(create=create)
    with _own_file_is_no_error(client, path, mark):
        client.ask("put_object", path, Body=data, Metadata={_MARK: mark}, **conditions)


def upload_file(client: Client, path: str, local: Path, *, create: bool) -> None:
    """Writes a local file's bytes, in parts where it is big; else as `write_object`."""
    size = local.stat().st_size
    if size <= 2 * PART_BYTES:
        write_object(client, path, local.read_bytes(), create=create)
        return
    mark = secrets.token_hex(8)
    begun = client.ask("create_multipart_upload", path, Metadata={_MARK: mark})
    upload = begun["UploadId"]
    try:
        parts = _upload_parts(client, path, local, size, upload)
        with _own_file_is_no_error(client, path, mark):
            client.ask(
                "complete_multipart_upload",
                path,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
                **_make_conditions(create=create),
            )
    except BaseException:
        # A run that is killed leaves its parts; the bucket's lifecycle rule takes those.
        with contextlib.suppress(StorageError):
            client.ask("abort_multipart_upload", path, UploadId=upload)
        raise


def _upload_parts(
    client: Client, path: str, local: Path, size: int, upload: str
) -> list[dict[str, Any]]:
    def send(number: int) -> dict[str, Any]:
        with local.open("rb") as file:
            file.seek((number - 1) * PART_BYTES)
            data = file.read(PART_BYTES)
        answer = client.ask("upload_part", path, UploadId=upload, PartNumber=number, Body=data)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="adlake-upload") as pool:
        return list(pool.map(send, range(1, -(-size // PART_BYTES) + 1)))


def _make_conditions(*, create: bool) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if create else {}


@contextlib.contextmanager
def _own_file_is_no_error(client: Client, path: str, mark: str) -> Iterator[None]:
    """Takes a refusal for success where the file that is in the way is the one just written."""
    try:
        yield
    except StorageError as error:
        # An upload that was joined, and whose answer was lost, is no longer known to the store.
        unknown = "NoSuchUpload" in str(error)
        if not unknown and not isinstance(error, ExistsError):
            raise
        if _read_mark(client, path) == mark:
            return
        raise ExistsError(f"{path}: there is a file already") from error


def _read_mark(client: Client, path: str) -> str | None:
    found: str | None = client.ask("head_object", path)["Metadata"].get(_MARK)
    return found
