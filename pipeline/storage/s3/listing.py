"""What is there, page by page, as the store has it now: nothing is remembered."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from pipeline.storage.base import Entry
from pipeline.storage.s3.client import Client


def list_entries(
    client: Client, prefix: str, *, recursive: bool, after: str = ""
) -> Iterator[Entry]:
    """The files below the folder `prefix`, in the store's order; names with `.` left out.

    Raises:
        StorageError: The store refused it, or failed to the end.
    """
    location = client.location
    folder = location.make_key(f"{prefix}/" if prefix else "")
    arguments: dict[str, Any] = {"Bucket": location.bucket, "Prefix": folder}
    if not recursive:
        arguments["Delimiter"] = "/"
    if after:
        arguments["StartAfter"] = f"{folder}{after}"
    while True:
        page = client.work("list_objects_v2", prefix, lambda s3: s3.list_objects_v2(**arguments))
        for found in page.get("Contents", ()):
            entry = describe(location.make_path(found["Key"]), found)
            if not _is_hidden(entry.path, prefix) and not entry.path.endswith("/"):
                yield entry
        if not page["IsTruncated"]:
            return
        arguments["ContinuationToken"] = page["NextContinuationToken"]


def describe(path: str, found: Any) -> Entry:
    """The entry of a file, from what a listing or a HEAD says of it."""
    parts = path.split("/")
    return Entry(
        path=path,
        size=found["Size"] if "Size" in found else found["ContentLength"],
        etag=found["ETag"].strip('"'),
        modified_at=found["LastModified"].astimezone(UTC),
        # Keys are any text; as a path such a one would mean another file, so nobody opens it.
        regular=not any(part in {"", ".", ".."} for part in parts),
    )


def _is_hidden(path: str, prefix: str) -> bool:
    below = path[len(prefix) + 1 :] if prefix else path
    return any(part.startswith(".") and part not in {".", ".."} for part in below.split("/"))
