"""Keeps secrets out of whatever a person or a log gets to read.

Whoever learns a secret hands it to `guard`; whoever writes text for people passes it through
`scrub`. Error messages of libraries are made of parts that nobody controls, so this is the net
below the rule that no message of ours holds a secret.
"""

import logging
import threading

_SHORTEST = 8
"""A shorter text would be found in innocent places; no store gives out such a secret."""

_HIDDEN = "[secret]"
_guarded: set[str] = set()
_lock = threading.Lock()


def guard(secret: str | None) -> None:
    """Remembers a text that nobody may read."""
    if secret and len(secret) >= _SHORTEST:
        with _lock:
            _guarded.add(secret)


def scrub(text: str) -> str:
    """The text with each guarded secret hidden."""
    with _lock:
        secrets = sorted(_guarded, key=len, reverse=True)  # one may contain another
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


def holds_secret(data: bytes) -> bool:
    """Whether bytes that are to leave this process hold a guarded secret."""
    with _lock:
        return any(secret.encode() in data for secret in _guarded)


class ScrubbingFormatter(logging.Formatter):
    """Formats log records as usual, and hides secrets in what comes out."""

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, traceback included."""
        return scrub(super().format(record))
