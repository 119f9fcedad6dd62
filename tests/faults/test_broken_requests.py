"""Single requests that fail: what may pass is tried again, no body is short, no secret is told."""

import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from tenacity import RetryCallState, Retrying

from pipeline.cli.app import app
from pipeline.errors import DeniedError, ExpiredError, StorageError, ThrottledError
from pipeline.kpi import reach
from pipeline.kpi.query import run_query
from pipeline.kpi.views import open_reading_connection
from pipeline.storage.s3 import S3Storage, client, credentials, writes
from tests.fault_proxy import Rule
from tests.faults.conftest import Harbour
from tests.s3 import BUCKET

DATA = random.Random(7).randbytes(3 << 20)
PLACES = [0.25, 0.5, 0.75, 0.99]


@pytest.fixture
def storage(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> S3Storage:
    """A storage behind the proxy, with one file; it waits for a second and no longer."""
    monkeypatch.setattr(credentials, "READ_SECONDS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", harbour.proxy.endpoint)
    storage = S3Storage(harbour.uri)
    storage.create("a", DATA)
    return storage


@pytest.mark.parametrize("fault", ["cut", "flip", "reset", "stall"])
def test_a_broken_download_is_never_short_or_wrong(
    harbour: Harbour, storage: S3Storage, fault: str
) -> None:
    for place in PLACES:
        seconds = 2 if fault == "stall" else 0
        harbour.proxy.break_by(Rule(fault, "GET", "/a$", times=1, place=place, seconds=seconds))
        assert storage.read("a") == DATA
        assert harbour.proxy.done == 1
        if fault != "stall" or place == PLACES[0]:
            harbour.proxy.break_by(Rule(fault, "GET", "/a$", times=2, place=place, seconds=seconds))
            assert storage.fetch("a").read_bytes() == DATA


def test_a_download_that_breaks_off_goes_on_where_it_ended(
    harbour: Harbour, storage: S3Storage
) -> None:
    harbour.proxy.break_by(Rule("cut", "GET", "/a$", times=3, place=0.9))
    assert storage.digest("a") == storage.digest("a")
    assert harbour.proxy.done == 3


@pytest.mark.parametrize(
    "fault", ["503", "500", "reset-before", "reset-after", "applied-500", "applied-503"]
)
def test_a_writer_knows_its_own_file_again_after_a_lost_answer(
    harbour: Harbour, storage: S3Storage, fault: str
) -> None:
    harbour.proxy.break_by(Rule(fault, "PUT", "/b$", times=1))
    storage.create("b", b"mine")
    assert harbour.proxy.done == 1
    assert storage.read("b") == b"mine"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest parts that a store takes."""
    monkeypatch.setattr(writes, "PART_BYTES", 5 << 20)


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file of three such parts."""
    path = tmp_path / "big"
    path.write_bytes(random.Random(8).randbytes(11 << 20))
    return path


BEGIN, PART, JOIN = r"\?uploads", r"partNumber=\d", r"\?uploadId="


@pytest.mark.faults
@pytest.mark.usefixtures("small_parts")
def test_big_uploads_that_fail_leave_nothing(
    harbour: Harbour, storage: S3Storage, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TRIES", 2)
    rules = [
        Rule("denied", "POST", BEGIN),
        Rule("503", "POST", BEGIN),
        *(Rule("denied", "PUT", PART, first=number) for number in range(1, 4)),
        *(Rule("503", "PUT", PART, first=number) for number in range(1, 4)),
        *(Rule("500", "PUT", PART, first=number) for number in range(1, 4)),
        *(Rule("reset-before", "PUT", PART, first=number) for number in range(1, 4)),
        *(Rule("reset-after", "PUT", PART, first=number) for number in range(1, 4)),
        *(Rule(fault, "POST", JOIN) for fault in ("denied", "503", "200")),
    ]
    assert len(rules) == 20
    for rule in rules:
        harbour.proxy.break_by(rule)
        with pytest.raises(StorageError):
            storage.adopt("big", big)
        assert harbour.proxy.done
    harbour.proxy.break_by()
    begun = harbour.make_client().list_multipart_uploads(
        Bucket=BUCKET, Prefix=storage.location.prefix
    )
    assert begun.get("Uploads", []) == []
    assert storage.find("big") is None
    data = big.read_bytes()
    storage.adopt("big", big)
    assert storage.read("big") == data


@pytest.mark.parametrize("fault", ["503", "500", "200", "reset-after", "applied-500"])
@pytest.mark.usefixtures("small_parts")
def test_a_big_upload_survives_a_lost_answer(
    harbour: Harbour, storage: S3Storage, big: Path, fault: str
) -> None:
    data = big.read_bytes()
    harbour.proxy.break_by(
        Rule(fault, "PUT", PART, first=2, times=1), Rule(fault, "POST", JOIN, times=1)
    )
    storage.adopt("big", big)
    assert harbour.proxy.done == 2
    assert storage.read("big") == data


@pytest.mark.usefixtures("small_parts")
def test_an_upload_that_may_not_be_taken_back_is_left_and_counted(
    harbour: Harbour, storage: S3Storage, big: Path
) -> None:
    harbour.proxy.break_by(Rule("denied", "PUT", PART), Rule("denied", "DELETE", JOIN))
    with pytest.raises(DeniedError, match=rf"s3:PutObject on {BUCKET}/.*/big \("):
        storage.adopt("big", big)
    harbour.proxy.break_by()
    assert storage.find("big") is None
    assert storage.probe()[-1].detail.startswith("1 unfinished; give the bucket a lifecycle rule")


def test_throttling_is_survived(harbour: Harbour, storage: S3Storage) -> None:
    harbour.proxy.break_by(Rule("503", share=0.3))
    for number in range(60):
        storage.create(f"many/{number}", b"x")
    assert len(storage.list("many")) == 60
    assert harbour.proxy.done > 10
    tries = [
        sum(1 for one in harbour.proxy.requests if one.path.endswith(f"/{number}"))
        for number in range(60)
    ]
    assert max(tries) <= client.TRIES


def test_throttling_without_end_is_given_up_with_its_name(
    harbour: Harbour, storage: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TRIES", 4)
    harbour.proxy.break_by(Rule("503"))
    with pytest.raises(
        ThrottledError, match=r"s3:GetObject on lake/.*/a .region us-east-1.: SlowDown"
    ):
        storage.read("a")
    assert len(harbour.proxy.requests) == 4


def test_a_store_that_never_answers_is_given_up_within_two_minutes() -> None:
    """By the constants: the last try that may begin, and all that it may wait for."""
    two_minutes = 120
    longest = credentials.CONNECT_SECONDS + credentials.READ_SECONDS
    may_begin = []
    for passed, waits in product(range(two_minutes + 1), range(11)):
        state = RetryCallState(Retrying(), None, (), {})
        state.outcome_timestamp = state.start_time + passed
        state.upcoming_sleep = waits
        if not client.make_stop()(state):
            may_begin.append(passed + waits)
    assert max(may_begin) + longest <= two_minutes
    assert credentials.ROLE_TRIES * longest <= two_minutes


def test_what_is_forbidden_is_asked_for_once_and_named(
    harbour: Harbour, storage: S3Storage
) -> None:
    for request, act in {
        "s3:GetObject": lambda: storage.read("a"),
        "s3:PutObject": lambda: storage.create("b", b""),
        "s3:ListBucket": lambda: storage.list(""),
        "s3:DeleteObject": lambda: storage.delete("a"),
    }.items():
        harbour.proxy.break_by(Rule("denied"))
        with pytest.raises(DeniedError, match=rf"{request} on {BUCKET}/.*\(region us-east-1\)"):
            act()
        assert harbour.proxy.done == 1


@dataclass(frozen=True)
class Profile:
    """The file of the profile that this process works by."""

    path: Path

    def write(self, key_id: str, secret: str) -> None:
        self.path.write_text(
            f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
        )


@pytest.fixture
def profile(tmp_path: Path, storage: S3Storage, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """Made when the storage of the variables is there already."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return Profile(tmp_path / "credentials")


def test_credentials_that_a_profile_renews_are_renewed(harbour: Harbour, profile: Profile) -> None:
    server = harbour.server
    profile.write(server.key_id, "the-secret-of-an-hour-ago")
    storage = S3Storage(harbour.uri)
    harbour.proxy.break_by(Rule("expired", times=1))
    profile.write(server.key_id, server.secret)
    storage.create("b", b"1")
    assert storage.sql_access is not None
    assert storage.sql_access.secret == server.secret


OLD_KEY = "the-key-of-an-hour-ago"


@pytest.fixture
def stale(harbour: Harbour, profile: Profile) -> S3Storage:
    """A storage whose keys the store holds for expired, when the profile has new ones."""
    profile.write(OLD_KEY, "the-secret-of-an-hour-ago")
    storage = S3Storage(harbour.uri)
    profile.write(harbour.server.key_id, harbour.server.secret)
    harbour.proxy.break_by(Rule("expired", signature=OLD_KEY))
    return storage


def test_requests_that_meet_expired_credentials_together_all_go_on(
    harbour: Harbour, stale: S3Storage
) -> None:
    acts: list[Callable[[int], object]] = [
        lambda _: stale.list(""),
        lambda _: stale.find("a"),
        lambda _: stale.fetch("a"),
        lambda number: stale.create(f"b/{number}", b"1"),
    ]
    together = threading.Barrier(16)

    def work(number: int) -> None:
        together.wait()
        acts[number % len(acts)](number)

    with ThreadPoolExecutor(together.parties) as pool:
        list(pool.map(work, range(together.parties)))
    assert harbour.proxy.done >= together.parties
    assert len(stale.list("b")) == together.parties / len(acts)
    assert stale.sql_access is not None
    assert stale.sql_access.secret == harbour.server.secret


def test_a_head_that_is_refused_late_goes_on_with_what_others_renewed(
    harbour: Harbour, stale: S3Storage
) -> None:
    """Its answer says no reason; a GET with the new keys would say that nothing is wrong."""
    expired = Rule("expired", signature=OLD_KEY)
    harbour.proxy.break_by(Rule("hold", "HEAD", signature=OLD_KEY), expired)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(stale.find, "a")
        while not any(one.method == "HEAD" for one in harbour.proxy.requests):
            time.sleep(0.01)
        stale.list("")
        harbour.proxy.break_by(expired)
        entry = found.result()
    assert entry is not None
    assert entry.size == len(DATA)


def test_credentials_that_nobody_renews_are_said_to_have_expired(
    harbour: Harbour, storage: S3Storage
) -> None:
    harbour.proxy.break_by(Rule("expired"))
    with pytest.raises(ExpiredError, match="ExpiredToken: the credentials expired: renew them"):
        storage.read("a")
    assert harbour.proxy.done == 1


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("denied", DeniedError, r" \(region us-east-1\): AccessDenied: these credentials lack"),
        ("expired", ExpiredError, r" \(region us-east-1\): ExpiredToken: the credentials expired"),
        ("503", ThrottledError, r".*: 503: the store asks for fewer requests"),
        ("cut", StorageError, r": IO Error: Transferred a partial file error"),
    ],
)
def test_sql_says_what_was_refused_and_where(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch, fault: str, error: type, said: str
) -> None:
    if reach.find_extension() is None:
        pytest.skip("DuckDB's httpfs extension is not installed for this system")
    monkeypatch.setattr(reach, "RETRIES", 1)
    harbour.deliver("a.csv", ["a"])
    harbour.merge(harbour.open_directly())
    lake = harbour.open()
    snapshot = lake.take_snapshot()
    (data,) = [file.path for file in snapshot.files]
    url = f"{harbour.proxy.endpoint}/{harbour.uri.removeprefix('s3://')}/master/{data}"
    harbour.proxy.break_by(Rule(fault, "GET" if fault == "cut" else ".*", "/master/year"))
    with (
        pytest.raises(error, match=f"^s3:GetObject by SQL on {re.escape(url)}{said}") as caught,
        open_reading_connection(lake, snapshot) as connection,
    ):
        run_query(connection, "select sum(cost) from ad_day")
    assert "LINE" not in str(caught.value)
    assert harbour.server.secret not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("expired", "credentials expired"),
        ("denied", "AccessDenied"),
        ("503", "SlowDown: the store asks for fewer requests"),
        ("elsewhere", "region us-east-1): AuthorizationHeaderMalformed: the bucket is in another"),
        ("reset-before", "no whole"),
    ],
)
def test_a_command_says_in_one_line_what_failed_and_never_a_secret(
    harbour: Harbour,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    fault: str,
    said: str,
) -> None:
    token = "a-session-token-that-nobody-may-read"  # noqa: S105 - a canary
    monkeypatch.setattr(client, "TRIES", 2)
    monkeypatch.setenv("AWS_ENDPOINT_URL", harbour.proxy.endpoint)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    harbour.proxy.break_by(Rule(fault))
    for words in (["merge"], ["kpi", "platform"], ["status", "-v"], ["merge", "--debug"]):
        assert app([*words, "--lake", harbour.uri], standalone_mode=False) == StorageError.exit_code
        output = capfd.readouterr()
        lines = (output.out + output.err).splitlines()
        assert said in lines[-1]
        assert "--debug" in words or len(lines) == 1
        for secret in (token, harbour.server.secret, harbour.server.key_id):
            assert secret not in output.out + output.err


def test_a_store_that_ignores_conditions_is_refused(
    harbour: Harbour, storage: S3Storage, capfd: pytest.CaptureFixture[str]
) -> None:
    harbour.proxy.break_by(Rule("unconditional", "PUT"))
    refused = [probe for probe in storage.probe() if not probe.passed]
    assert [probe.check for probe in refused] == [
        "refuse to create it twice",
        "let one of 4 writers win",
    ]
    for probe in refused:
        assert probe.detail.startswith("the store ignores If-None-Match, so two writers could both")
    code = app(["doctor", "--lake", harbour.uri], standalone_mode=False)
    assert code == StorageError.exit_code
    assert "the store ignores If-None-Match" in capfd.readouterr().out
