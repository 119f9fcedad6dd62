"""Where a delivered file lies, and what its path says about it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pipeline.errors import BadFileError
from pipeline.schema import AD_DAY
from pipeline.zones import is_zone

MAX_NAME_LENGTH = 512
FIRST_DELIVERY = datetime(2000, 1, 1, tzinfo=UTC)
LOTS_SOURCE = "lots"
RESERVED_SOURCES = frozenset({"generated"})
"""Whose files come from elsewhere than landing/."""

MANIFEST = "_manifest.json"
MARKER = "_SUCCESS"
"""Files beside those of a delivery that say that it is complete."""

ZONE_MARK = "."
"""Stands in a `timezone=` folder for the slash of a zone's name, which has no dot."""

_ZONE_SLASH = re.compile(r"\.|%2f", re.IGNORECASE)
"""That mark, or the slash as Hive writes it in the name of a folder."""

_LANDED = re.compile(r"/delivered=\d{4}-\d\d-\d\dT\d{6}\.\d{6}Z/", re.ASCII)
"""As `format_delivered` writes it; nobody else gives microseconds."""

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart")
_LOCKS = ("~$", ".~lock.")
_ROOT_LOT = re.compile(r"marketing_data_[0-9]+\.csv")

Period = tuple[date, date]
Labels = tuple[str | None, str | None, Period | None]
"""First and last day, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path says.

    Attributes:
        source: Whose file it is.
        delivered: The value of its `delivered=` folder.
        account: Of its `account=` folder.
        currency: Of its `currency=` folder.
        period: Of its `period=` folder: the dates that the file speaks for.
        time_zone: Of its `timezone=` folder, with slashes, such as `Europe/Madrid`; not judged.
        claims: What other `column=value` folders say of canonical columns. The file's own cells
            count, and have to agree.
    """

    source: str
    delivered: str | None = None
    account: str | None = None
    currency: str | None = None
    period: Period | None = None
    time_zone: str | None = None
    claims: tuple[tuple[str, str], ...] = ()


def is_unfinished(path: str) -> bool:
    """Whether a name says that its writer is not done yet, or that it is no delivery at all."""
    return path.lower().endswith(_UNFINISHED) or is_lock(path)


def is_lock(path: str) -> bool:
    """Whether a name is of the mark that a spreadsheet program leaves beside a file it has open."""
    return path.rpartition("/")[2].startswith(_LOCKS)


def is_control_file(path: str) -> bool:
    """Whether a file says something about a delivery and holds no rows."""
    return path.rpartition("/")[2] in {MANIFEST, MARKER}


def is_bad_name(path: str) -> bool:
    """Whether a path is one that nobody may open."""
    return (
        len(path) > MAX_NAME_LENGTH
        or path.startswith("/")
        or "\\" in path
        or ".." in path.split("/")
        or any(ord(character) < 32 or ord(character) == 127 for character in path)
    )


def spell_path(path: str) -> str:
    """A path as text that every table can hold: bytes that are not UTF-8 become an escape."""
    return path.encode("utf-8", "backslashreplace").decode()


def is_root_lot(path: str) -> bool:
    """Whether a file at the lake's root is one of the original program's lots."""
    return _ROOT_LOT.fullmatch(path) is not None


def read_place(path: str) -> Place:
    """Reads what a path says.

    Args:
        path: `landing/<source>/[account=A/][currency=C/][period=A..B/][timezone=Z/]
            [delivered=T/]...` or `marketing_data_<n>.csv`.

    Raises:
        BadFileError: It lies in landing/ itself, or below a source that is reserved, or a
            folder's value is none.
    """
    if is_root_lot(path):
        return Place(source=LOTS_SOURCE)
    _, *folders, _ = path.split("/")
    if not folders:
        raise BadFileError("no_source", "it lies in landing/ itself; expected landing/<source>/")
    if folders[0] in RESERVED_SOURCES:
        raise BadFileError("reserved_source", f"{folders[0]!r} is the generator's own source")
    said = _read_pairs(folders[1:])
    period, zone = said.pop("period", None), said.pop("timezone", None)
    return Place(
        source=folders[0],
        delivered=said.pop("delivered", None),
        account=said.pop("account", None),
        currency=said.pop("currency", None),
        period=parse_period(period) if period is not None else None,
        time_zone=_ZONE_SLASH.sub("/", zone) if zone is not None else None,
        claims=tuple(sorted((name, text) for name, text in said.items() if name in AD_DAY.names)),
    )


def read_labels(path: str) -> Labels:
    """What a path says of its rows: account, currency and period.

    Files of the same bytes that are said to be of two accounts are two files; those that are only
    said to be meant in two time zones say the same.
    """
    try:
        place = read_place(path)
    except BadFileError:
        return None, None, None  # it was refused, and says nothing
    return place.account, place.currency, place.period


def parse_period(text: str) -> Period:
    """Reads `2024-01-01..2024-01-31`, or one day.

    Raises:
        BadFileError: It is neither, or ends before it begins.
    """
    first, separator, last = text.partition("..")
    try:
        period = date.fromisoformat(first), date.fromisoformat(last if separator else first)
    except ValueError as error:
        raise BadFileError(
            "bad_period", f"the period {text!r} is none; expected 2024-01-01..2024-01-31 or a day"
        ) from error
    if period[1] < period[0]:
        raise BadFileError("bad_period", f"the period {text!r} ends before it begins")
    return period


def check_zone(place: Place) -> None:
    """Refuses a place whose `timezone=` folder names no zone.

    Not so what the ledger remembers: it stays as it was merged.

    Raises:
        BadFileError: `bad_time_zone`.
    """
    zone = place.time_zone
    if zone is not None and not is_zone(zone):
        raise BadFileError(
            "bad_time_zone",
            f"its folder timezone={zone.replace('/', ZONE_MARK)} names no time zone; expected an "
            f"IANA name in one folder, with a dot or %2F for the slash: timezone=Europe.Madrid",
        )


def parse_delivered(text: str) -> datetime:
    """Reads the time of a `delivered=` folder: ISO 8601, UTC where it names no zone.

    Raises:
        BadFileError: It is no such time, or one before `FIRST_DELIVERY`.
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise BadFileError(
            "bad_delivered", f"delivered={text} is no ISO time, such as 2024-03-01T06:00:00Z"
        ) from error
    if moment < FIRST_DELIVERY:
        raise BadFileError(
            "bad_delivered", f"delivered={text} lies before {FIRST_DELIVERY:%Y-%m-%d}"
        )
    return moment


def format_delivered(moment: datetime) -> str:
    """The folder name of a delivery at a UTC time, to the microsecond."""
    return f"delivered={moment.astimezone(UTC):%Y-%m-%dT%H%M%S.%fZ}"


def was_landed(path: str) -> bool:
    """Whether a file lies where `adlake land` puts files, each whole: in a folder of its own time.

    >>> was_landed("landing/lots/delivered=2024-03-01T120000.000001Z/a.csv")
    True
    >>> was_landed("landing/lots/delivered=2024-03-01/a.csv")
    False
    """
    return _LANDED.search(path) is not None


def _read_pairs(folders: Sequence[str]) -> dict[str, str]:
    """The `name=value` folders; of a name that stands twice, the inner one counts."""
    pairs = (folder.partition("=") for folder in folders)
    return {name: value for name, equals, value in pairs if equals}
