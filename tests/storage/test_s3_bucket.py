"""What a bucket does that a folder does not: pages, parts, odd keys, refusals."""

import json
import socket
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ExistsError, SetupError, StorageError, UsageError
from pipeline.storage import open_storage
from pipeline.storage.s3 import S3Storage, writes
from pipeline.storage.s3.location import check_endpoint, parse_location
from tests.s3 import BUCKET, Server, make_client


@pytest.fixture
def bucket(s3_uri: str) -> S3Storage:
    return S3Storage(s3_uri)


@pytest.fixture
def stranger(s3_environ: dict[str, str]) -> Any:
    """Somebody else's client."""
    return make_client(s3_environ)


def fill(stranger: Any, bucket: S3Storage, first: int, count: int) -> None:
    def put(number: int) -> None:
        key = bucket.location.make_key(f"landing/{number:05d}")
        stranger.put_object(Bucket=BUCKET, Key=key, Body=b"")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(first, count)))


def check_listing(stranger: Any, bucket: S3Storage, counts: Sequence[int]) -> None:
    for before, count in pairwise([0, *counts]):
        fill(stranger, bucket, before, count)
        listed = [entry.path for entry in bucket.list("landing")]
        assert listed == [f"landing/{number:05d}" for number in range(count)]


def test_all_files_are_listed_around_the_end_of_a_page(bucket: S3Storage, stranger: Any) -> None:
    check_listing(stranger, bucket, [999, 1_000, 1_001])


@pytest.mark.faults
def test_all_files_are_listed_over_many_pages(bucket: S3Storage, stranger: Any) -> None:
    check_listing(stranger, bucket, [2_500, 10_001])


def test_a_listing_sees_at_once_what_others_write(bucket: S3Storage, stranger: Any) -> None:
    key = bucket.location.make_key("landing/a")
    for size in range(1, 6):
        stranger.put_object(Bucket=BUCKET, Key=key, Body=b"x" * size)
        (entry,) = bucket.list("landing")
        assert entry.size == size
        assert entry == bucket.find("landing/a")
        assert bucket.fetch("landing/a").stat().st_size == size


def test_folder_marks_are_no_files_and_keys_that_are_no_paths_are_never_opened(
    bucket: S3Storage, stranger: Any
) -> None:
    for name in ("landing/", "landing/x//y", "landing/x/y"):
        stranger.put_object(Bucket=BUCKET, Key=bucket.location.make_key(name), Body=b"1")
    found = {entry.path: entry.regular for entry in bucket.list("landing")}
    assert found.pop("landing/x/y")
    assert not any(found.values())


def test_a_big_file_goes_in_parts_and_appears_whole_or_not(
    bucket: S3Storage, stranger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "PART_BYTES", 5 << 20)
    data = bytes(range(256)) * (44 << 10)
    (tmp_path / "big").write_bytes(data)
    bucket.adopt("big", tmp_path / "big")
    (tmp_path / "big").write_bytes(data)
    with pytest.raises(ExistsError, match="big: there is a file already"):
        bucket.adopt("big", tmp_path / "big")
    assert (tmp_path / "big").exists()
    assert bucket.fetch("big").read_bytes() == data
    assert bucket.read("big") == data
    begun = stranger.list_multipart_uploads(Bucket=BUCKET, Prefix=bucket.location.prefix)
    assert begun.get("Uploads", []) == []


def test_a_doctor_tells_of_unfinished_uploads_and_of_the_rule_that_clears_them(
    s3_uri: str, stranger: Any
) -> None:
    stranger.create_bucket(Bucket="with-a-rule")
    bucket = S3Storage("s3://with-a-rule/lake")
    stranger.create_multipart_upload(Bucket="with-a-rule", Key="lake/left-by-a-killed-run")
    stranger.create_multipart_upload(Bucket="with-a-rule", Key="of-somebody-else")
    probe = bucket.probe()[-1]
    assert (probe.check, probe.passed) == ("clear unfinished uploads away", True)
    assert probe.detail.startswith("1 unfinished; give the bucket a lifecycle rule")
    rule = {
        "ID": "uploads",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
    }
    for status, told in (("Disabled", "give the bucket"), ("Enabled", "a lifecycle rule does it")):
        stranger.put_bucket_lifecycle_configuration(
            Bucket="with-a-rule", LifecycleConfiguration={"Rules": [rule | {"Status": status}]}
        )
        assert bucket.probe()[-1].detail.startswith(f"1 unfinished; {told}")


@pytest.mark.parametrize(
    "uri",
    ["s3://", "s3:///x", "s3://key:secret@bucket/x", "s3://b/a?b", "s3://b/a//b", "s3://b/.."],
)
def test_a_uri_that_an_engine_would_misread_is_refused(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_location(uri)
    assert "key:secret" not in str(caught.value)


def test_the_root_of_a_bucket_is_a_lake_too() -> None:
    location = parse_location("s3://bucket/")
    assert location.uri == "s3://bucket"
    assert location.make_key("a/b") == "a/b"
    assert location.make_path("a/b") == "a/b"


def test_only_this_machine_is_spoken_to_in_the_clear() -> None:
    for endpoint in (
        "http://127.0.0.1:8333",
        "http://localhost:1",
        "http://[::1]:1",
        "https://x.y",
    ):
        check_endpoint(endpoint)
    for endpoint in ("http://10.0.0.1:8333", "http://s3.example.com", "s3.example.com", "https://"):
        with pytest.raises(UsageError):
            check_endpoint(endpoint)


def test_without_credentials_a_person_is_told_where_they_are_looked_for(
    s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SetupError, match="no AWS credentials were found: set AWS_PROFILE"):
        open_storage(s3_uri)


def test_a_profile_serves_as_well(
    s3_uri: str, s3_environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / "config"
    profile.write_text(
        f"[profile shop]\naws_access_key_id = {s3_environ['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {s3_environ['AWS_SECRET_ACCESS_KEY']}\n"
        f"endpoint_url = {s3_environ['AWS_ENDPOINT_URL']}\nregion = eu-south-2\n"
    )
    for name in s3_environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profile))
    monkeypatch.setenv("AWS_PROFILE", "shop")
    storage = S3Storage(s3_uri)
    storage.create("a", b"1")
    assert storage.read("a") == b"1"
    assert storage.client.chain.region == "eu-south-2"
    assert storage.sql_access is not None
    assert storage.sql_access.region == "eu-south-2"


def test_a_wrong_secret_and_a_missing_bucket_are_named(
    s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = S3Storage("s3://no-such-bucket/lake")
    for act in (missing.list, missing.read):
        with pytest.raises(
            SetupError, match=r"s3:\w+ on no-such-bucket/lake.* \(region us-east-1\)"
        ):
            act("a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret-than-the-real-one")
    wrong = S3Storage(s3_uri)
    for refused in (wrong.read, wrong.find, wrong.list):
        with pytest.raises(StorageError, match=r"s3:\w+ on lake/"):
            refused("a")
    probes = wrong.probe()
    assert [probe.passed for probe in probes] == [False]
    assert "s3:ListBucket on lake/" in probes[0].detail


def test_a_store_without_https_is_named(
    s3_uri: str, s3_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = s3_environ["AWS_ENDPOINT_URL"].replace("http://", "https://")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    storage = S3Storage(s3_uri)
    for act in (storage.list, storage.read, storage.find):
        with pytest.raises(
            StorageError,
            match=rf"s3:\w+ on lake/.* no encrypted connection to {endpoint}; expected",
        ) as caught:
            act("a")
        assert "\n" not in str(caught.value)
        assert s3_environ["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


def test_what_workers_left_behind_is_hidden_and_can_be_cleared(s3_uri: str) -> None:
    storage = S3Storage(s3_uri)
    storage.create(".scratch-cluster/0/days.arrow", b"rows")
    assert list(storage.list("")) == []
    assert [entry.path for entry in storage.list_unfinished()] == [".scratch-cluster/0/days.arrow"]


def test_the_credentials_of_a_containers_role_serve_as_well(
    s3_uri: str, s3_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come from an address on the machine, as in ECS and EKS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            end = datetime.now(UTC) + timedelta(hours=1)
            told = {
                "AccessKeyId": s3_server.key_id,
                "SecretAccessKey": s3_server.secret,
                "Token": "",
                "Expiration": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            }
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with HTTPServer(("127.0.0.1", 0), Handler) as role:
        address = f"http://127.0.0.1:{role.server_port}/role"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
        serving = threading.Thread(target=role.serve_forever)
        serving.start()
        try:
            storage = S3Storage(s3_uri)
            storage.create("a", b"1")
        finally:
            role.shutdown()
            serving.join()
    assert storage.read("a") == b"1"
    assert storage.sql_access is not None
    assert storage.sql_access.secret == s3_server.secret


def test_the_tests_own_server_listens_on_this_machine_only(s3_server: Server) -> None:
    process = Path(f"/proc/{s3_server.pid}")
    if not process.is_dir():
        pytest.skip("this system does not list who listens in /proc")
    own = {str(one.readlink()) for one in process.glob("fd/*") if one.is_symlink()}
    listening = "0A"
    hosts = [
        cells[1].partition(":")[0]
        for table in ("tcp", "tcp6")
        for cells in map(str.split, (process / "net" / table).read_text().splitlines()[1:])
        if cells[3] == listening and f"socket:[{cells[9]}]" in own
    ]
    loopback = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"
    assert len(hosts) >= 5
    assert set(hosts) == {loopback}
