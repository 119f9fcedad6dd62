"""An `s3://bucket/prefix` URI, and whether an endpoint may be spoken to."""

import ipaddress
import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from pipeline.errors import UsageError

_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_NOT_IN_A_PREFIX: Final = "?#%\\*[]{}'\""
"""In a URL, a pattern or SQL these mean something else; one of the engines would take them so."""


class Location(NamedTuple):
    """Where a lake is.

    Attributes:
        bucket: Its name.
        prefix: Of all keys, without a slash at either end; may be empty.
    """

    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        """As engines take it, without a trailing slash."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def make_key(self, path: str) -> str:
        """The key of a path below the lake's root."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def make_path(self, key: str) -> str:
        """The path below the lake's root; the reverse of `make_key`."""
        return key[len(self.prefix) + 1 :] if self.prefix else key


def parse_location(uri: str) -> Location:
    """Reads a lake's URI.

    Raises:
        UsageError: It names no bucket, or a prefix that one of the engines would misread.
    """
    bucket, _, rest = uri.removeprefix("s3://").partition("/")
    if not _BUCKET.fullmatch(bucket):
        # What stands there may be `key:secret@bucket`, so it is not shown.
        raise UsageError(
            "the lake's URI names no bucket; expected s3://bucket/prefix, with the credentials "
            "in the AWS_* variables or a profile and never in the URI"
        )
    prefix = rest.strip("/")
    found = [mark for mark in prefix if mark in _NOT_IN_A_PREFIX or not mark.isprintable()]
    if found:
        raise UsageError(f"the lake's prefix {prefix!r} holds {found[0]!r}; choose another")
    if any(part in {"", ".", ".."} for part in prefix.split("/")) and prefix:
        raise UsageError(f"the lake's prefix {prefix!r} has an empty, '.' or '..' part")
    return Location(bucket, prefix)


def check_endpoint(endpoint: str) -> None:
    """Refuses an endpoint to which credentials and data would travel in the clear.

    Raises:
        UsageError: It is no URL, or one over http to another machine.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise UsageError("AWS_ENDPOINT_URL is no URL of a store, such as https://s3.example.com")
    if parts.scheme == "http" and not is_local(endpoint):
        raise UsageError(
            f"the endpoint {endpoint} is not encrypted; http is for this machine only: use https"
        )


def is_local(endpoint: str) -> bool:
    """Whether an endpoint is on this machine."""
    host = urlsplit(endpoint).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
