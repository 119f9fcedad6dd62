"""Credentials of roles, programs and files: how they are had, and whose setting is at fault."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.cli.app import app
from pipeline.errors import ExpiredError, SetupError, StorageError
from pipeline.storage.s3 import S3Storage
from tests.s3 import Server

ROLE = "arn:aws:iam::123456789012:role/analyst"
SECRET = "a-secret-that-nobody-may-read"  # noqa: S105 - a canary
GRANTED = """<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
<Credentials><AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>
<SessionToken></SessionToken><Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>
</{action}Result></{action}Response>"""
REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>{code}</Code><Message>made by a test</Message></Error></ErrorResponse>"""


@dataclass
class RoleService:
    """What AWS calls STS, on this machine: it gives a role's credentials to whoever may have them.

    Attributes:
        server: Whose keys the role has.
        refusals: The code for whoever is refused, by a text of the request that tells them.
        life: For how long the keys are good.
        granted: How often it gave them.
    """

    server: Server
    refusals: dict[str, str] = field(default_factory=dict)
    life: timedelta = timedelta(hours=1)
    granted: int = 0

    def answer(self, asked: str) -> tuple[int, str]:
        action = re.search(r"Action=(\w+)", asked)
        assert action is not None
        code = next((code for who, code in self.refusals.items() if who in asked), None)
        if code is not None:
            return 403, REFUSED.format(code=code)
        self.granted += 1
        end = datetime.now(UTC) + self.life
        keys = {"key_id": self.server.key_id, "secret": self.server.secret}
        return 200, GRANTED.format(action=action[1], end=end, **keys)


@contextmanager
def serve(service: RoleService) -> Iterator[str]:
    """The service's URL while it runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, told = service.answer(f"{self.headers['Authorization']} {body}")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(told.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        serving = threading.Thread(target=listening.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            serving.join()


Write = Callable[[str], None]


@pytest.fixture
def write_profiles(s3_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the file that is all that says who this process is; `shop` is its profile."""
    assert s3_uri
    config = tmp_path / "config"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "shop")
    monkeypatch.setenv("AWS_REGION", "eu-south-2")

    def write(text: str) -> None:
        config.write_text(text)

    return write


@pytest.fixture
def service(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[RoleService]:
    service = RoleService(s3_server)
    with serve(service) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
        yield service


STANDING_ON = f"[profile shop]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\n{{}}\n"


def make_role(base: str) -> str:
    """A profile that has a role from another profile with a key."""
    keys = f"aws_access_key_id = {base}\naws_secret_access_key = {SECRET}"
    return STANDING_ON.format(keys)


def test_the_role_of_a_profile_is_assumed_once_for_all_requests(
    s3_uri: str, service: RoleService, write_profiles: Write
) -> None:
    write_profiles(make_role("base-key"))
    storage = S3Storage(s3_uri)
    storage.create("a", b"1")
    assert storage.read("a") == b"1"
    assert service.granted == 1
    assert storage.sql_access is not None
    assert storage.sql_access.secret == service.server.secret


def test_a_web_identity_is_taken_from_its_file(
    s3_uri: str,
    service: RoleService,
    write_profiles: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_profiles("[profile shop]\n")
    (tmp_path / "token").write_text("who-i-am")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    S3Storage(s3_uri).create("a", b"1")
    service.refusals["who-i-am"] = "InvalidIdentityToken"
    with pytest.raises(
        SetupError,
        match=rf"sts:AssumeRoleWithWebIdentity of {ROLE} \(AWS_ROLE_ARN\) \(region eu-south-2\): "
        "InvalidIdentityToken: made by a test$",
    ):
        S3Storage(s3_uri)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "see to whom the role trusts, and to the rights of who asks for it"),
        ("ExpiredToken", "what the role is asked for with has expired: renew it and run the"),
        ("Throttling", ""),
    ],
)
def test_a_role_that_is_refused_is_named_in_one_line(
    s3_uri: str,
    service: RoleService,
    write_profiles: Write,
    capfd: pytest.CaptureFixture[str],
    code: str,
    advice: str,
) -> None:
    service.refusals["base-key"] = code
    write_profiles(make_role("base-key"))
    for words in (["status"], ["doctor"], ["merge", "-v"]):
        assert app([*words, "--lake", s3_uri], standalone_mode=False) == StorageError.exit_code
        output = capfd.readouterr()
        (line,) = (output.out + output.err).splitlines()
        assert line.startswith(
            f"adlake: the AWS credentials cannot be had: sts:AssumeRole of {ROLE} (role_arn of "
            f"profile 'shop', from 'base') (region eu-south-2): {code}: made by a test"
        )
        assert advice in line
        assert SECRET not in line


def test_a_role_goes_on_with_what_its_source_profile_has_by_then(
    s3_uri: str, service: RoleService, write_profiles: Write
) -> None:
    service.life = timedelta(minutes=5)  # so little that it is asked for again at each request
    write_profiles(make_role("base-key"))
    storage = S3Storage(s3_uri)
    storage.create("a", b"1")
    service.refusals["base-key"] = "ExpiredToken"
    with pytest.raises(ExpiredError, match=f"sts:AssumeRole of {ROLE} .*: ExpiredToken"):
        storage.read("a")
    write_profiles(make_role("another-key"))
    assert storage.read("a") == b"1"


def test_a_service_that_is_not_there_is_named_with_the_role_and_may_be_back(
    s3_uri: str, s3_server: Server, write_profiles: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(RoleService(s3_server)) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
    write_profiles(make_role("base-key"))
    with pytest.raises(
        StorageError, match=rf"for {ROLE} \(role_arn of profile 'shop', .*: Could not connect to"
    ) as caught:
        S3Storage(s3_uri)
    assert caught.value.retryable


NOT_THERE = "/not-there/any-more"


@pytest.mark.parametrize(
    ("profiles", "said"),
    [
        (
            f"[profile shop]\ncredential_process = /bin/echo {SECRET}\n",
            "credential_process of profile 'shop': its program printed something else than a JSON",
        ),
        (
            "[profile shop]\ncredential_process = /bin/echo []\n",
            "credential_process of profile 'shop': its program printed something else than a JSON",
        ),
        (
            "[profile shop]\ncredential_process = /bin/echo '{\"Version\": 1}'\n",
            "credential_process of profile 'shop': Missing required key in response: 'AccessKeyId'",
        ),
        (
            "[profile shop]\ncredential_process = /bin/false\n",
            "credential_process of profile 'shop': it failed and said nothing",
        ),
        (
            f"[profile shop]\ncredential_process = {NOT_THERE}\n",
            f"credential_process of profile 'shop': No such file or directory: {NOT_THERE}",
        ),
        (
            STANDING_ON.format(f"credential_process = {NOT_THERE}"),
            f"credential_process of profile 'base': No such file or directory: {NOT_THERE}",
        ),
        (
            f"[profile shop]\nrole_arn = {ROLE}\nweb_identity_token_file = {NOT_THERE}\n",
            f"web_identity_token_file of profile 'shop': No such file or directory: {NOT_THERE}",
        ),
        (
            "[profile shop]\naws_access_key_id = key\n",
            "aws_access_key_id of profile 'shop': Partial credentials found in config-file",
        ),
        (
            f"[profile shop]\nrole_arn = {ROLE}\nsource_profile = shop\n",
            "profile 'shop': Infinite loop",
        ),
    ],
)
@pytest.mark.usefixtures("service")
def test_a_setting_that_gives_no_credentials_is_named(
    s3_uri: str,
    write_profiles: Write,
    capfd: pytest.CaptureFixture[str],
    profiles: str,
    said: str,
) -> None:
    write_profiles(profiles)
    assert app(["status", "--lake", s3_uri], standalone_mode=False) == StorageError.exit_code
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"adlake: the AWS credentials cannot be had: {said}")
    assert SECRET not in line


def test_a_token_file_that_a_variable_names_is_said_to_be_its(
    s3_uri: str, write_profiles: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profiles("[profile shop]\n")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", NOT_THERE)
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    said = f"had: AWS_WEB_IDENTITY_TOKEN_FILE: No such file or directory: {NOT_THERE}$"
    with pytest.raises(SetupError, match=said):
        S3Storage(s3_uri)
