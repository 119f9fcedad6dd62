"""The options that commands share, and what they make of them."""

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import AdlakeError, StorageError, UsageError
from pipeline.secret import ScrubbingFormatter, scrub
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.lake import Lake, Snapshot

_DAY_LENGTH = len("YYYY-MM-DD")
EXIT_INTERRUPTED = 130
EXIT_LOOK = 3
"""Done, but a rule asks a person for a look."""


class Format(StrEnum):
    """How a reading command prints."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


LakeOption = Annotated[
    str | None,
    typer.Option("--lake", help="The lake's root [default: $ADLAKE_URI or ./lake].", metavar="URI"),
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say on stderr what is being done.")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]
VersionOption = Annotated[
    int | None,
    typer.Option(
        "--version", help="Read this version of the master [default: newest].", min=0, max=2**53
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Read the version of this time: YYYY-MM-DD (its end) or YYYY-MM-DDTHH:MM, in UTC.",
        metavar="TIME",
    ),
]
StartOption = Annotated[
    str | None, typer.Option("--start", help="First day, YYYY-MM-DD.", metavar="DAY")
]
EndOption = Annotated[str | None, typer.Option("--end", help="Last day, included.", metavar="DAY")]
PlatformOption = Annotated[
    str | None, typer.Option("--platform", help="Only this platform.", metavar="NAME")
]
AudienceOption = Annotated[
    str | None, typer.Option("--audience", help="Only this target audience.", metavar="NAME")
]
CampaignOption = Annotated[
    str | None,
    typer.Option("--campaign", help="Only this campaign, by id or name.", metavar="NAME"),
]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="Only this source.", metavar="NAME")
]
CurrencyOption = Annotated[
    str | None,
    typer.Option(
        "--currency",
        help="Convert all money into this one, by config/rates.csv in the lake.",
        metavar="CODE",
    ),
]


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Attributes:
        settings: From the environment, with the lake of `--lake`.
        lake: Opened; nothing is made by opening it.
    """

    settings: Settings
    lake: "Lake"


@contextlib.contextmanager
def open_session(lake: str | None, *, verbose: bool, debug: bool) -> Iterator[Session]:
    """Opens the lake, and ends the command with one line where it goes wrong.

    This is the one place where an error of any kind is caught: a person gets a message and the
    exit code that belongs to it, and the traceback with `--debug`.
    """
    if verbose:
        _log_to_stderr()
    try:
        settings = Settings.from_env(os.environ)
        if lake:
            settings = replace(settings, lake_uri=lake)
        from pipeline.lake import Lake
        from pipeline.storage import open_storage

        yield Session(settings, Lake(open_storage(settings.lake_uri)))
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        _end("interrupted; what was committed stands", EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - see above: nothing may end in a traceback
        if debug:
            print(scrub(traceback.format_exc()), end="", file=sys.stderr)
        _end(*_explain(error))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ScrubbingFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("pipeline").setLevel(logging.INFO)  # libraries log what is not theirs


def _explain(error: Exception) -> tuple[str, int]:
    """What a person is told of an error, and the exit code."""
    if isinstance(error, AdlakeError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        return str(error), StorageError.exit_code
    advice = "This is a fault of adlake's; run it again with --debug for the traceback."
    return f"unexpected {type(error).__name__}: {error}\n{advice}", 1


def parse_day(text: str | None, *, option: str) -> date | None:
    """Reads a day as a person writes it.

    Raises:
        UsageError: It is none.
    """
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} is {text!r}; expected a day as YYYY-MM-DD") from error
    if day.isoformat() != text:  # Python reads other ISO forms as well
        raise UsageError(f"{option} is {text!r}; expected a day as YYYY-MM-DD, so {day}")
    return day


def parse_moment(text: str, *, option: str) -> datetime:
    """Reads a time as a person writes it; a day is its last moment, and no zone is UTC.

    Raises:
        UsageError: It is none.
    """
    try:
        if len(text) == _DAY_LENGTH:
            return datetime.combine(date.fromisoformat(text), time.max, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{option} is {text!r}; expected a time as YYYY-MM-DD or YYYY-MM-DDTHH:MM"
        ) from error


def pin(session: Session, *, version: int | None, as_of: str | None) -> "Snapshot":
    """The version that a reading command is about.

    Raises:
        UsageError: It is named twice, or the time is none.
    """
    from pipeline.steps.pin import pin_snapshot

    if version is not None and as_of is not None:
        raise UsageError("--version and --as-of both name a version; leave one out")
    moment = parse_moment(as_of, option="--as-of") if as_of is not None else None
    return pin_snapshot(session.lake, version=version, as_of=moment)


def _end(message: str, code: int) -> None:
    print(f"adlake: {scrub(message)}", file=sys.stderr)
    raise typer.Exit(code)
