"""Files as they were delivered: where one lies says its source and when it was delivered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

import polars as pl

from pipeline.errors import BadFileError

Kind = Literal["text", "raw"]
Rank = tuple[datetime, str]

MAX_NAME_LENGTH = 512
MAX_AHEAD = timedelta(days=1)
FIRST_DELIVERY = datetime(2000, 1, 1, tzinfo=UTC)
RESERVED_SOURCES = frozenset({"generated"})
"""Whose files come from elsewhere than landing/."""

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart")
_ROOT_LOT = re.compile(r"marketing_data_[0-9]+\.csv")
_DELIVERED = "delivered="


class Found(NamedTuple):
    """A file that the ledger does not know in this state.

    Attributes:
        path: Key below the lake's root.
        size: Bytes.
        etag: Changes with the content.
        modified_at: Last write, UTC.
    """

    path: str
    size: int
    etag: str
    modified_at: datetime


class Place(NamedTuple):
    """What a path says.

    Attributes:
        source: Whose file it is.
        delivered: The value of its `delivered=` folder, or None.
    """

    source: str
    delivered: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A file with its identity: (source, delivered_at, delivery_id, sha256).

    Attributes:
        found: The file.
        kind: How it is read.
        source: Whose it is.
        delivered_at: When it was delivered, UTC.
        delivery_id: Which files belong together; the file's sha256 where nothing says it.
        sha256: Of its bytes.
        account: The account where it is known before reading.
        day: The only date in it, where that is known before reading.
        reread: Whether it was merged before and is read again because its delivery grew.
    """

    found: Found
    kind: Kind
    source: str
    delivered_at: datetime
    delivery_id: str
    sha256: str
    account: str | None = None
    day: date | None = None
    reread: bool = False

    @property
    def rank(self) -> Rank:
        """The highest rank wins; ties inside one delivery go by (sha256, line)."""
        return self.delivered_at, self.delivery_id


def is_unfinished(path: str) -> bool:
    """Whether a name says that its writer is not done yet."""
    return path.lower().endswith(_UNFINISHED)


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
    """Reads source and delivery from a path.

    Args:
        path: `landing/<source>/[delivered=<time>/]...` or `marketing_data_<n>.csv`.

    Raises:
        BadFileError: It lies in landing/ itself, or below a source that is reserved.
    """
    if is_root_lot(path):
        return Place("lots", None)
    _, *folders, _ = path.split("/")
    if not folders:
        raise BadFileError("no_source", "it lies in landing/ itself; expected landing/<source>/")
    if folders[0] in RESERVED_SOURCES:
        raise BadFileError("reserved_source", f"{folders[0]!r} is the generator's own source")
    delivered = [part for part in folders if part.startswith(_DELIVERED)]
    return Place(folders[0], delivered[-1].removeprefix(_DELIVERED) if delivered else None)


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
            "bad_delivered", f"{_DELIVERED}{text} is no ISO time, such as 2024-03-01T06:00:00Z"
        ) from error
    if moment < FIRST_DELIVERY:
        raise BadFileError(
            "bad_delivered", f"{_DELIVERED}{text} lies before {FIRST_DELIVERY:%Y-%m-%d}"
        )
    return moment


def format_delivered(moment: datetime) -> str:
    """The folder name of a delivery at a UTC time, to the microsecond."""
    return f"{_DELIVERED}{moment.astimezone(UTC):%Y-%m-%dT%H%M%S.%fZ}"


def leave_known_out(found: Sequence[Found], ledger: pl.DataFrame) -> list[Found]:
    """The files that the ledger does not hold with the same path, size, etag and time."""
    names = list(Found._fields)
    listed = pl.DataFrame(found, schema=ledger.select(names).schema, orient="row")
    unknown = listed.with_row_index("place").join(ledger, on=names, how="anti")
    return [found[place] for place in unknown["place"].sort()]


def identify_text(
    found: Found, *, sha256: str, pinned: Mapping[tuple[str, str], datetime], now: datetime
) -> Delivery:
    """Gives a text file its identity.

    Args:
        found: The file.
        sha256: Of its bytes.
        pinned: For (source, sha256), when a file without a declared time was first seen.
        now: The store's clock.

    Raises:
        BadFileError: Its place is wrong, or it claims to come from the future.
    """
    place = read_place(found.path)
    if place.delivered is None:
        delivered_at = pinned.get((place.source, sha256), found.modified_at)
        delivery_id = sha256
    else:
        delivered_at = parse_delivered(place.delivered)
        delivery_id = place.delivered
    if delivered_at > now + MAX_AHEAD:
        raise BadFileError(
            "delivered_in_future",
            f"delivered at {delivered_at:%Y-%m-%dT%H:%M:%SZ}, more than a day ahead of the clock",
        )
    return Delivery(
        found=found,
        kind="text",
        source=place.source,
        delivered_at=delivered_at,
        delivery_id=delivery_id,
        sha256=sha256,
    )


def read_pins(ledger: pl.DataFrame) -> dict[tuple[str, str], datetime]:
    """When each file without a declared time was first seen, by (source, sha256)."""
    undeclared = ledger.filter(pl.col("delivery_id") == pl.col("sha256"))
    first = undeclared.group_by("source", "sha256").agg(pl.col("delivered_at").min())
    return {(source, sha256): moment for source, sha256, moment in first.iter_rows()}


def find_grown(deliveries: Sequence[Delivery], ledger: pl.DataFrame) -> list[Delivery]:
    """The files merged before that belong to a delivery which has a new file.

    A delivery is resolved as a whole, so that it does not matter which of its files came first.
    """
    growing = [(one.source, *one.rank) for one in deliveries if one.kind == "text"]
    names = ["source", "delivered_at", "delivery_id"]
    wanted = pl.DataFrame(growing, schema=ledger.select(names).schema, orient="row")
    merged = ledger.filter((pl.col("outcome") == "merged") & pl.col("sha256").is_not_null())
    return [
        Delivery(
            found=Found(row["path"], row["size"], row["etag"], row["modified_at"]),
            kind="text",
            source=row["source"],
            delivered_at=row["delivered_at"],
            delivery_id=row["delivery_id"],
            sha256=row["sha256"],
            reread=True,
        )
        for row in merged.join(wanted, on=names, how="semi").iter_rows(named=True)
    ]
