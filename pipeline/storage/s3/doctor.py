"""What a lake needs of its store, tried; nothing is left behind but what may not be deleted."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pipeline.errors import DeniedError, ExistsError, StorageError
from pipeline.storage.base import Probe
from pipeline.storage.s3.bodies import read_body
from pipeline.storage.s3.client import Client
from pipeline.storage.s3.listing import list_entries
from pipeline.storage.s3.writes import write_object

RACERS: Final = 4
_IGNORES: Final = "the store ignores If-None-Match, so two writers could both win: choose another"


def probe_bucket(client: Client) -> Sequence[Probe]:
    """Tries to list, create only once, overwrite, read, delete, and looks for left-overs."""
    chain = client.chain
    where = f"{client.location.uri} at {chain.endpoint or 'AWS'}, region {chain.region}"
    folder = f".doctor-{secrets.token_hex(8)}"
    probes = [_try("list the lake's prefix", lambda: _list(client, where))]
    if not probes[0].passed:
        return probes
    made = _try("create a file", lambda: write_object(client, f"{folder}/a", b"1", create=True))
    probes.append(made)
    if made.passed:
        probes += [
            _probe_second_create(client, f"{folder}/a"),
            _probe_race(client, f"{folder}/b"),
            _try("overwrite and read", lambda: _overwrite(client, f"{folder}/a")),
            _probe_delete(client, [f"{folder}/a", f"{folder}/b"]),
        ]
    return [*probes, *_probe_uploads(client)]


def _try(check: str, function: Callable[[], object]) -> Probe:
    try:
        detail = function()
    except StorageError as error:
        return Probe(check, False, str(error))
    return Probe(check, True, str(detail) if detail else "atomic")


def _list(client: Client, where: str) -> str:
    next(list_entries(client, "", recursive=False), None)
    return where


def _overwrite(client: Client, path: str) -> str:
    write_object(client, path, b"2", create=False)
    if read_body(client, path) != b"2":
        raise StorageError("other bytes come back than were written")
    return "the bytes come back"


def _probe_second_create(client: Client, path: str) -> Probe:
    check = "refuse to create it twice"
    try:
        write_object(client, path, b"2", create=True)
    except ExistsError:
        return Probe(check, True, "by conditional PUT")
    except StorageError as error:
        return Probe(check, False, str(error))
    return Probe(check, False, _IGNORES)


def _probe_race(client: Client, path: str) -> Probe:
    """Lets several writers create one file at once: exactly one may win."""
    check = f"let one of {RACERS} writers win"

    def create(number: int) -> bool:
        try:
            write_object(client, path, str(number).encode(), create=True)
        except ExistsError:
            return False
        return True

    try:
        with ThreadPoolExecutor(RACERS) as pool:
            won = sum(pool.map(create, range(RACERS)))
    except StorageError as error:
        return Probe(check, False, str(error))
    return Probe(check, won == 1, "and refuse the others" if won == 1 else _IGNORES)


def _probe_delete(client: Client, paths: Sequence[str]) -> Probe:
    try:
        for path in paths:
            client.ask("delete_object", path)
    except DeniedError:
        return Probe("delete a file", True, "not allowed; only a cleaner needs to")
    except StorageError as error:
        return Probe("delete a file", False, str(error))
    return Probe("delete a file", True, "only a cleaner needs to")


def _probe_uploads(client: Client) -> Iterator[Probe]:
    """Whether uploads that were killed are cleared away; a matter of cost and not of truth."""
    location = client.location
    advice = "give the bucket a lifecycle rule AbortIncompleteMultipartUpload of some days"
    check = "clear unfinished uploads away"
    try:
        begun = client.work(
            "list_multipart_uploads",
            "",
            lambda s3: s3.list_multipart_uploads(
                Bucket=location.bucket, Prefix=location.make_key("")
            ),
        ).get("Uploads", [])
    except StorageError:
        yield Probe(check, True, f"cannot be looked at with these rights; {advice}")
        return
    try:
        rules = client.work(
            "get_bucket_lifecycle_configuration",
            "",
            lambda s3: s3.get_bucket_lifecycle_configuration(Bucket=location.bucket),
        ).get("Rules", [])
    except StorageError:
        rules = []
    if any(
        rule.get("AbortIncompleteMultipartUpload") and rule["Status"] == "Enabled" for rule in rules
    ):
        advice = "a lifecycle rule does it"
    yield Probe(check, True, f"{len(begun)} unfinished; {advice}")
