"""The standard AWS chain: environment, profile, web identity, container and machine roles.

It is resolved once, by botocore, and handed to every client: each engine has a chain of its own,
and they do not agree.
"""

import os
import threading
from typing import Any, Final, NamedTuple

import botocore.config
import botocore.configprovider
import botocore.exceptions
import botocore.session
import botocore.utils

from pipeline.errors import SetupError, UsageError
from pipeline.secret import guard
from pipeline.storage.s3.location import check_endpoint

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 30
"""How long one read may bring nothing."""

CONNECTIONS: Final = 32
ASKED_BYTES: Final = 1 << 20
"""A body of more bytes is sent only after the store has said that it would take it."""

_NOBODY: Final = (
    "no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, or give this machine a role"
)


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
        try:
            session = botocore.session.Session()
            self.endpoint = _find_endpoint(session)
            self.path_style = bool(self.endpoint) and not _wants_virtual_style(session)
            self._made = session, _make_client(session, path_style=self.path_style)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise UsageError(f"the AWS settings cannot be used: {error}") from error
        self.region = str(self._made[1].meta.region_name)
        self.take()

    def take(self) -> Access:
        """What a request of now is sent with; a role's keys are renewed before they expire.

        Raises:
            SetupError: There are no credentials.
        """
        session, client = self._made
        return Access(client, _read_keys(session))

    def renew(self, used: Access) -> bool:
        """Sees to other credentials after the store said that those of a request expired.

        Requests are sent together, so another of them may have done so in the meantime.

        Args:
            used: What the request was sent with.

        Returns:
            Whether there are other credentials now, so that trying again makes sense.

        Raises:
            SetupError: There are none any more.
        """
        with self._lock:
            if self.take().keys == used.keys:
                session = botocore.session.Session()
                self._made = session, _make_client(session, path_style=self.path_style)
            return self.take().keys != used.keys


def _make_client(session: Any, *, path_style: bool) -> Any:
    """A client that tries nothing twice: our own does, and counts."""
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    client = session.create_client(
        "s3",
        region_name=region or "us-east-1",
        config=botocore.config.Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=CONNECTIONS,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path" if path_style else "virtual"},
        ),
    )
    client.meta.events.register_last("before-call.s3", _send_small_at_once)
    return client


def _read_keys(session: Any) -> Keys:
    """The credentials that a session's chain gives now.

    Raises:
        SetupError: There are none.
    """
    try:
        found = session.get_credentials()
        frozen = found.get_frozen_credentials() if found is not None else None
    except botocore.exceptions.BotoCoreError as error:
        raise SetupError(f"the AWS credentials cannot be had: {error}") from error
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
