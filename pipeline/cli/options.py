"""The options that several commands share, and what they make of them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.cli.command import Session
    from pipeline.kpi.selection import Selection
    from pipeline.lake import Snapshot
    from pipeline.steps.label import Label

_DAY_LENGTH = len("YYYY-MM-DD")
EXIT_LOOK = 3
"""Done, but a rule asks a person for a look."""


class Format(StrEnum):
    """How a reading command prints."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]
VersionOption = Annotated[
    int | None,
    typer.Option(
        "--version", help="Read this version of the master [default: newest].", min=0, max=2**53
    ),
]
StartOption = Annotated[
    str | None, typer.Option("--start", help="First day, YYYY-MM-DD.", metavar="DAY")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Work on a Dask cluster: tcp://host:port, or local:N for N processes here "
        "[default: $ADLAKE_CLUSTER, or this process].",
        metavar="ADDRESS",
    ),
]
CurrencyOption = Annotated[
    str | None,
    typer.Option(
        "--currency",
        help="Convert all money into this one, by config/rates.csv in the lake.",
        metavar="CODE",
    ),
]
EndOption = Annotated[str | None, typer.Option("--end", help="Last day, included.", metavar="DAY")]


SafeOption = Annotated[
    bool,
    typer.Option("--safe-for-spreadsheets", help="Put an apostrophe before texts like formulas."),
]


@dataclass(frozen=True, slots=True)
class Printing:
    """How a reading command prints what others may have named.

    Raises:
        UsageError: It is to be safe for spreadsheets, and is nothing that these read.
    """

    form: FormatOption = Format.TABLE
    safe: SafeOption = False

    def __post_init__(self) -> None:
        if self.safe and self.form is not Format.CSV:
            raise UsageError("--safe-for-spreadsheets is about CSV: add --format csv")


@dataclass(frozen=True, slots=True)
class When:
    """Which version a reading command is about."""

    version: VersionOption = None
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            help="Read the version of this time: YYYY-MM-DD (its end) or YYYY-MM-DDTHH:MM, in UTC.",
            metavar="TIME",
        ),
    ] = None

    def pin(self, session: "Session") -> "Snapshot":
        """The version.

        Raises:
            UsageError: It is named twice, or the time is none.
        """
        from pipeline.steps.pin import pin_snapshot

        if self.version is not None and self.as_of is not None:
            raise UsageError("--version and --as-of both name a version; leave one out")
        moment = parse_moment(self.as_of, option="--as-of") if self.as_of is not None else None
        return pin_snapshot(session.lake, version=self.version, as_of=moment)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which campaigns a KPI shows, and in which order; none: as the KPI has them."""

    by: Annotated[
        str | None,
        typer.Option("--by", help="Rank campaigns by this [default: spend].", metavar="MEASURE"),
    ] = None
    top: Annotated[
        int | None, typer.Option("--top", "--limit", help="Only so many campaigns from the top.")
    ] = None
    bottom: Annotated[
        int | None, typer.Option("--bottom", help="Only so many campaigns from the bottom.")
    ] = None


_AS_IT_IS = Ranking()


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows a reading command is about."""

    start: StartOption = None
    end: EndOption = None
    platform: Annotated[
        str | None, typer.Option("--platform", help="Only this platform.", metavar="NAME")
    ] = None
    audience: Annotated[
        str | None, typer.Option("--audience", help="Only this target audience.", metavar="NAME")
    ] = None
    campaign: Annotated[
        str | None,
        typer.Option("--campaign", help="Only this campaign, by id or name.", metavar="NAME"),
    ] = None
    source: Annotated[
        str | None, typer.Option("--source", help="Only this source.", metavar="NAME")
    ] = None

    def select(self, ranking: Ranking = _AS_IT_IS) -> "Selection":
        """The same as values.

        Raises:
            UsageError: One of them is none, or two contradict each other.
        """
        from pipeline.kpi.selection import Selection

        return Selection(
            start=parse_day(self.start, option="--start"),
            end=parse_day(self.end, option="--end"),
            platform=self.platform,
            audience=self.audience,
            campaign=self.campaign,
            source=self.source,
            by=ranking.by,
            top=ranking.top,
            bottom=ranking.bottom,
        )


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """What a person says of files that do not say it themselves."""

    source: Annotated[
        str | None, typer.Option("--source", help="Whose files [default: by contract].")
    ] = None
    account: Annotated[
        str | None, typer.Option("--account", help="Of which account, where they do not say it.")
    ] = None
    currency: Annotated[
        str | None, typer.Option("--currency", help="Likewise, such as EUR.", metavar="CODE")
    ] = None
    period: Annotated[
        str | None,
        typer.Option("--period", help="For which dates they speak, likewise.", metavar="A..B"),
    ] = None
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone", help="Likewise, in which their days are meant.", metavar="ZONE"
        ),
    ] = None
    delivered: Annotated[
        str | None,
        typer.Option(
            "--delivered", help="When they were delivered [default: now].", metavar="TIME"
        ),
    ] = None

    def make_label(self) -> "Label":
        """The same as the steps take it."""
        from pipeline.steps.label import Label

        return Label(
            source=self.source,
            account=self.account,
            currency=self.currency,
            period=self.period,
            time_zone=self.time_zone,
            delivered=self.delivered,
        )


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
