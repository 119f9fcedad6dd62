"""One request to the store: tried again where that may help, its refusal explained.

All retries are here and botocore has none of its own, so that each is counted and waited for once.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import botocore.exceptions
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from pipeline.answers import explain_refusal, find_meaning, shorten
from pipeline.errors import ExpiredError, StorageError
from pipeline.storage.s3.credentials import Access, Chain
from pipeline.storage.s3.location import Location

TRIES: Final = 9
PATIENCE_SECONDS: Final = 75
"""No try begins later; one that meets a store that never answers takes 35 seconds more."""

_RIGHTS: Final = {
    "list_objects_v2": "s3:ListBucket",
    "head_object": "s3:GetObject",
    "get_object": "s3:GetObject",
    "delete_object": "s3:DeleteObject",
    "list_multipart_uploads": "s3:ListBucketMultipartUploads",
    "get_bucket_lifecycle_configuration": "s3:GetLifecycleConfiguration",
}

Answer = TypeVar("Answer")


class BrokenBodyError(Exception):
    """The bytes that came are not those that the store has."""


_TROUBLES: Final = (
    BrokenBodyError,
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
    ConnectionError,
    TimeoutError,
)
"""What the way to the store and the store itself raise; other errors are this machine's."""

_ON_THE_WAY: Final = (
    BrokenBodyError,
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.ConnectionError,
    botocore.exceptions.ResponseStreamingError,
    botocore.exceptions.IncompleteReadError,
    botocore.exceptions.FlexibleChecksumError,
    ConnectionError,
    TimeoutError,
)
"""The answer did not come, or not whole: whether the request was carried out is unknown."""


class Client:
    """Sends requests about one bucket."""

    def __init__(self, chain: Chain, location: Location) -> None:
        self.chain = chain
        self.location = location

    def ask(self, request: str, path: str, **arguments: Any) -> Any:
        """Sends one request about a file and gives botocore's answer.

        Args:
            request: Botocore's name of it, such as `head_object`.
            path: The file, below the lake's root.
            **arguments: More of botocore's arguments.

        Raises:
            StorageError: It was refused, or failed to the end.
        """
        key = self.location.make_key(path)
        return self.work(
            request,
            path,
            lambda s3: getattr(s3, request)(Bucket=self.location.bucket, Key=key, **arguments),
        )

    def work(self, request: str, path: str, function: Callable[[Any], Answer]) -> Answer:
        """Calls a function with botocore's client, again where that may help.

        Args:
            request: What it does, for the person who reads of its failure.
            path: What it does it to.
            function: Must give the same result however often it is called.

        Raises:
            StorageError: It was refused, or failed to the end.
        """
        retrying = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=make_stop(),
            wait=wait_random_exponential(multiplier=0.05, max=10),
            reraise=True,
        )
        renewed = False
        while True:
            used = self.chain.take()
            try:
                return retrying(function, used.client)
            except _TROUBLES as error:
                explained = self.explain(self._find_reason(error, path, used), request, path)
                expired = isinstance(explained, ExpiredError) and not renewed
                if not expired or not self.chain.renew(used):
                    raise explained from error
                renewed = True

    def _find_reason(self, error: Any, path: str, used: Access) -> Any:
        """The refusal with its code: the answer to a HEAD has none, that to a GET does."""
        if not isinstance(error, botocore.exceptions.ClientError) or _read_code(error) != "403":
            return error
        key = self.location.make_key(path)
        try:
            # With the same keys: others may be good by now, and would not say why these were not.
            used.client.get_object(Bucket=self.location.bucket, Key=key, Range="bytes=0-0")
        except botocore.exceptions.ClientError as told:
            return told if told.response["ResponseMetadata"]["HTTPStatusCode"] == 403 else error
        except botocore.exceptions.BotoCoreError:
            return error
        return error

    def explain(self, error: Exception, request: str, path: str) -> StorageError:
        """The error of ours that says what was refused, where, and what to do."""
        bucket = self.location.bucket
        right = _RIGHTS.get(request, "s3:PutObject")
        where = f"{bucket}/{self.location.make_key(path)}"
        doing = f"{right} on {where} (region {self.chain.region})"
        if isinstance(error, botocore.exceptions.ClientError):
            code = _read_code(error)
            if meaning := find_meaning(code):
                return meaning.error(f"{doing}: {code}: {meaning.advice}")
            return explain_refusal(str(error), doing=doing)
        endpoint = self.chain.endpoint or "AWS"
        if isinstance(error, botocore.exceptions.SSLError):
            return StorageError(
                f"{doing}: no encrypted connection to {endpoint}; expected a store that speaks "
                f"https, with a certificate that this machine trusts: see to AWS_ENDPOINT_URL "
                f"({shorten(str(error))})"
            )
        if isinstance(error, _ON_THE_WAY):
            return StorageError(
                f"{doing}: no whole answer from {endpoint} in {TRIES} tries: {shorten(str(error))}"
            )
        return StorageError(f"{doing}: {shorten(str(error))}")


def make_stop() -> stop_base:
    """When a request that failed is not tried again."""
    return stop_after_attempt(TRIES) | stop_before_delay(PATIENCE_SECONDS)


def _read_code(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed when it is sent again."""
    if isinstance(error, botocore.exceptions.ClientError):
        meaning = find_meaning(_read_code(error))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return meaning.error.retryable if meaning else status >= 500
    return isinstance(error, _ON_THE_WAY) and not isinstance(error, botocore.exceptions.SSLError)
