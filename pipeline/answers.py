"""What an object store's refusal means: which error of ours it is, and what a person can do.

The store answers in codes (`AccessDenied`). One client gives the code, others only a text that
holds it; both are read here, so that the same refusal has the same message in every engine.
"""

import re
from typing import Final, NamedTuple

from pipeline.errors import (
    DeniedError,
    ExistsError,
    ExpiredError,
    MissingError,
    SetupError,
    StorageError,
    ThrottledError,
)


class Meaning(NamedTuple):
    """What a code stands for.

    Attributes:
        error: The error of ours.
        advice: What it means and what to do; one clause.
    """

    error: type[StorageError]
    advice: str


_EXPIRED: Final = Meaning(
    ExpiredError, "the credentials expired: renew them and run the command again"
)
_UNKNOWN_KEY: Final = Meaning(
    SetupError, "the credentials are not the store's: check AWS_PROFILE or the AWS_* variables"
)
_NO_RIGHT: Final = Meaning(
    DeniedError, "these credentials lack the right; docs/s3.md lists what each role needs"
)
_ELSEWHERE: Final = Meaning(
    SetupError, "the bucket is in another region: set AWS_REGION to the bucket's own"
)
_BUSY: Final = Meaning(ThrottledError, "the store asks for fewer requests: try again later")
_FAILED: Final = Meaning(StorageError, "the store failed: try again later")

_MEANINGS: Final = {
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidAccessKeyId": _UNKNOWN_KEY,
    "InvalidToken": _UNKNOWN_KEY,
    "SignatureDoesNotMatch": _UNKNOWN_KEY,
    "AccessDenied": _NO_RIGHT,
    "AllAccessDisabled": _NO_RIGHT,
    # The answer to a HEAD has no body, and so no code.
    "403": Meaning(
        DeniedError, "the right is lacking (docs/s3.md lists them), or the credentials expired"
    ),
    "RequestTimeTooSkewed": Meaning(
        SetupError, "this machine's clock is off by more than 15 minutes: set it"
    ),
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "PermanentRedirect": _ELSEWHERE,
    "IllegalLocationConstraintException": _ELSEWHERE,
    "301": _ELSEWHERE,
    "NoSuchBucket": Meaning(SetupError, "there is no such bucket: make it, or check ADLAKE_URI"),
    "NoSuchKey": Meaning(MissingError, "there is no such file"),
    "404": Meaning(MissingError, "there is no such file"),
    "PreconditionFailed": Meaning(ExistsError, "there is a file already"),
    "412": Meaning(ExistsError, "there is a file already"),
    "NotImplemented": Meaning(SetupError, "the store does not know this request"),
    "SlowDown": _BUSY,
    "Throttling": _BUSY,
    "ThrottlingException": _BUSY,
    "TooManyRequests": _BUSY,
    "ServiceUnavailable": _BUSY,
    "429": _BUSY,
    "503": _BUSY,
    "InternalError": _FAILED,
    "RequestTimeout": _FAILED,
    "OperationAborted": _FAILED,
    "ConditionalRequestConflict": _FAILED,  # two writers at once, and no winner: ask again
    "500": _FAILED,
    "502": _FAILED,
    "504": _FAILED,
}

_CODE: Final = re.compile(
    r"<Code>(\w+)</Code>|^(\w+): |\b([45]\d\d) (?:[A-Z]|for HTTP)", re.MULTILINE
)


def find_meaning(code: str) -> Meaning | None:
    """What a code stands for; None where nobody knows."""
    return _MEANINGS.get(code)


def find_code(text: str) -> str:
    """The first code in another engine's message that has a meaning; '' where there is none."""
    # The code of an answer's body says more than its status, which stands before it.
    codes = sorted(_CODE.findall(text), key=lambda groups: not groups[0] and not groups[1])
    return next((code for groups in codes if (code := "".join(groups)) in _MEANINGS), "")


def explain_refusal(text: str, *, doing: str) -> StorageError:
    """The error that another engine's message stands for.

    Args:
        text: The message.
        doing: What was tried on what, for the person who reads it.
    """
    code = find_code(text)
    meaning = find_meaning(code)
    if meaning is None:
        return StorageError(f"{doing}: {shorten(text)}")
    return meaning.error(f"{doing}: {code}: {meaning.advice}")


def shorten(text: str) -> str:
    """Another engine's message as one line without colours, paths of code and tags."""
    plain = re.sub(r"\x1b\[[0-9;]*m|<[^>]*>|↳", " ", text.partition("\n\nDebug source")[0])
    line = " ".join(plain.split())
    return line if len(line) <= 300 else line[:297] + "..."
