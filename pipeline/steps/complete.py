"""Leaves deliveries alone that are not complete yet, where their contract says how that is told."""

import json
from collections.abc import Mapping, Sequence

from pipeline.contracts import Contract
from pipeline.errors import BadFileError
from pipeline.merge.delivery import Delivery
from pipeline.merge.place import MANIFEST, MARKER
from pipeline.steps.ingest import INCOMPLETE, Ingested
from pipeline.storage import Storage


def leave_incomplete(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    contracts: Mapping[str, Contract],
    storage: Storage,
) -> None:
    """Leaves files to a later run whose delivery's marker or manifest is not there yet.

    A marker is the file `_SUCCESS` in their folder. A manifest is `_manifest.json`: an object with
    `files`, a list of objects with `name` and `sha256`; it is complete when all of them are there.
    """
    for delivery, result in zip(deliveries, results, strict=True):
        if result.reason or not delivery.is_fresh or delivery.kind != "file":
            continue
        folder, _, name = delivery.found.path.rpartition("/")
        complete = contracts[result.contract].complete
        if complete == "marker" and storage.find(f"{folder}/{MARKER}") is None:
            result.refuse(INCOMPLETE, f"{folder}/{MARKER} is not there yet")
        elif complete == "manifest":
            _check_manifest(result, storage, folder, name, delivery.sha256)


def _check_manifest(
    result: Ingested, storage: Storage, folder: str, name: str, sha256: str
) -> None:
    path = f"{folder}/{MANIFEST}"
    if storage.find(path) is None:
        result.refuse(INCOMPLETE, f"{path} is not there yet")
        return
    try:
        listed = _read_manifest(storage.read(path), path)
    except BadFileError as error:
        result.refuse(error.rule, str(error))
        return
    missing = [other for other in listed if storage.find(f"{folder}/{other}") is None]
    if missing or name not in listed:
        result.refuse(INCOMPLETE, f"{path} and its files are not complete yet")
    elif listed[name] != sha256:
        result.refuse("checksum_mismatch", f"it is not the file that {path} lists")


def _read_manifest(data: bytes, path: str) -> dict[str, str]:
    """The sha256 of each file that a manifest lists, by name."""
    try:
        return {file["name"]: file["sha256"] for file in json.loads(data)["files"]}
    except (ValueError, KeyError, TypeError) as error:
        raise BadFileError(
            "bad_manifest", f"{path} is no object with files, each with name and sha256"
        ) from error
