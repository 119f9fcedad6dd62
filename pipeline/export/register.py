"""The register of exported files, so that a merge knows one that is delivered again.

exports/_files/<sha256>.json   {"name": ..., "rows": ..., "version": ...}
"""

import contextlib
import json
import re
from typing import Any, Final

from pipeline.errors import ExistsError, LakeError, MissingError
from pipeline.lake import EXPORTS
from pipeline.storage import Storage

REGISTER: Final = f"{EXPORTS}/_files"
_SHA256: Final = re.compile("[0-9a-f]{64}")


def register_export(storage: Storage, *, sha256: str, name: str, rows: int, version: int) -> None:
    """Notes that a file with this hash is an export of this lake; noted already is fine.

    Args:
        storage: The lake's bytes.
        sha256: Of the file, in hex.
        name: Of the file, without a folder.
        rows: Rows in it.
        version: The master's version that it shows.
    """
    text = json.dumps({"name": name, "rows": rows, "version": version}) + "\n"
    # Where the same bytes were exported before, the first note stands.
    with contextlib.suppress(ExistsError):
        storage.create(_locate(sha256), text.encode())


def find_export(storage: Storage, sha256: str) -> dict[str, Any] | None:
    """What is noted on a file with this hash, or None where it is no export of this lake.

    Raises:
        LakeError: The note cannot be understood.
    """
    if not _SHA256.fullmatch(sha256):
        return None
    try:
        text = storage.read(_locate(sha256))
    except MissingError:
        return None
    try:
        note = json.loads(text)
    except ValueError as error:
        raise LakeError(f"{storage.uri}/{_locate(sha256)} is not JSON") from error
    if not isinstance(note, dict):
        raise LakeError(f"{storage.uri}/{_locate(sha256)} is not a JSON object")
    return note


def _locate(sha256: str) -> str:
    return f"{REGISTER}/{sha256}.json"
