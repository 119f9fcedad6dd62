"""The standard AWS chain: environment, profile, web identity, container and machine roles.

It is resolved once, by botocore, and handed to every client: each engine has a chain of its own,
and they do not agree.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import botocore.config
import botocore.configprovider
import botocore.exceptions
import botocore.session
import botocore.utils

from pipeline.errors import SetupError, UsageError
from pipeline.secret import guard
from pipeline.storage.s3.location import check_endpoint
from pipeline.storage.s3.sources import FAILURES, explain_lack

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 30
"""How long one read may bring nothing."""

ROLE_TRIES: Final = 2
"""How often the service is asked that gives a role's credentials."""

CONNECTIONS: Final = 32
ASKED_BYTES: Final = 1 << 20
"""A body of more bytes is sent only after the store has said that it would take it."""

_NOBODY: Final = (
    "no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, or give this machine a role"
)

logging.getLogger("botocore.credentials").setLevel(logging.ERROR)  # else `-v` shows a traceback


class Keys(NamedTuple):
    """Credentials at one moment; secret.

    Attributes:
        key_id: The public half.
        secret: The other half.
        token: Of a session; '' where they are not temporary.
    """

    key_id: str
    secret: str
    token: str


class Access(NamedTuple):
    """What a request is sent with.

    Attributes:
        client: Of S3, botocore's; safe for threads.
        keys: Which it signs with.
    """

    client: Any
    keys: Keys


class Chain:
    """Credentials, region and endpoint of this process; safe for threads.

    Attributes:
        endpoint: URL of the store; '' where it is AWS itself.
        region: Of the bucket.
        path_style: Whether the bucket stands in the path, and not before the host's name.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        with _checked():
            session = _open_session()
            self.region = str(session.get_config_variable("region"))
            self.endpoint = _find_endpoint(session)
            self.path_style = bool(self.endpoint) and not _wants_virtual_style(session)
        self._made = self._make(session)

    def take(self) -> Access:
        """What a request of now is sent with; a role's keys are renewed before they expire.

        Raises:
            SetupError: There are no credentials.
            StorageError: The service that gives them was not reached.
        """
        session, client = self._made
        try:
            return Access(client, _read_keys(session))
        except SetupError:
            # What a role stands on, such as another profile's keys, may have been renewed since.
            return self._replace(client)

    def renew(self, used: Access) -> bool:
        """Sees to other credentials after the store said that those of a request expired.

        Requests are sent together, so another of them may have done so in the meantime.

        Args:
            used: What the request was sent with.

        Returns:
            Whether there are other credentials now, so that trying again makes sense.

        Raises:
            SetupError: There are none any more.
            StorageError: The service that gives them was not reached.
        """
        now = self.take()
        if now.keys == used.keys:
            now = self._replace(now.client)
        return now.keys != used.keys

    def _replace(self, client: Any) -> Access:
        """Resolves the chain anew, where nobody did so since this client was taken."""
        with self._lock:
            if self._made[1] is client:
                with _checked():
                    session = _open_session()
                self._made = self._make(session)
            session, client = self._made
            return Access(client, _read_keys(session))

    def _make(self, session: Any) -> tuple[Any, Any]:
        """The session, when it has credentials, and its client.

        The client tries nothing twice: our own does, and counts.
        """
        _read_keys(session)
        with _checked():
            client = session.create_client(
                "s3",
                config=botocore.config.Config(
                    max_pool_connections=CONNECTIONS,
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path" if self.path_style else "virtual"},
                ),
            )
        client.meta.events.register_last("before-call.s3", _send_small_at_once)
        return session, client


@contextlib.contextmanager
def _checked() -> Iterator[None]:
    """Says of a setting that botocore refuses that it is one."""
    try:
        yield
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise UsageError(f"the AWS settings cannot be used: {error}") from error


def _open_session() -> Any:
    """A session of botocore, whose region is the one for all its clients, also that of roles."""
    session = botocore.session.Session()
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region") or "us-east-1"
    botocore.utils.validate_region_name(region)
    session.set_config_variable("region", region)
    session.set_default_client_config(
        botocore.config.Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ROLE_TRIES},
        )
    )
    return session


def _read_keys(session: Any) -> Keys:
    """The credentials that a session's chain gives now.

    Raises:
        SetupError: There are none.
        StorageError: The service that gives them was not reached.
    """
    try:
        found = session.get_credentials()
        frozen = found.get_frozen_credentials() if found is not None else None
    except FAILURES as error:
        raise explain_lack(session, error) from error
    if frozen is None:
        raise SetupError(_NOBODY)
    keys = Keys(frozen.access_key, frozen.secret_key, frozen.token or "")
    guard(keys.secret)
    guard(keys.token)
    return keys


def _send_small_at_once(params: dict[str, Any], **_: object) -> None:
    """Leaves out the question whether a body may be sent, a round trip, before a small one."""
    length = botocore.utils.determine_content_length(params.get("body"))
    if length is not None and length <= ASKED_BYTES:
        params["headers"].pop("Expect", None)


def _find_endpoint(session: Any) -> str:
    """The endpoint that the environment or the profile names; '' where neither does.

    Raises:
        UsageError: It may not be spoken to.
    """
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return ""
    provider = botocore.configprovider.ConfiguredEndpointProvider(
        full_config=session.full_config,
        scoped_config=session.get_scoped_config(),
        client_name="s3",
    )
    endpoint = provider.provide() or ""
    if endpoint:
        check_endpoint(endpoint)
    return str(endpoint).rstrip("/")


def _wants_virtual_style(session: Any) -> bool:
    """Whether a profile or the variable that other engines know asks for virtual style."""
    profile = session.get_scoped_config().get("s3") or {}
    style = profile.get("addressing_style") if isinstance(profile, dict) else None
    return style == "virtual" or (
        os.environ.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "").lower() in {"1", "true"}
    )
