"""Files as they were delivered: each with its identity and rank, which decide who wins. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Literal, NamedTuple

import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import BadFileError
from pipeline.merge.place import Period, Place, check_zone, parse_delivered, read_place

Kind = Literal["file", "raw"]
Role = Literal["new", "reread", "replayed"]
Rank = tuple[datetime, str]

MAX_AHEAD = timedelta(days=1)
_FOUND_AT_ONCE: Final = 65_536  # of a listing; bounds what is compared with the ledger at once


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A file with its identity: (source, delivered_at, delivery_id, sha256).

    Attributes:
        found: The file.
        kind: How it is read: a generated day, or a `file` that others delivered.
        source: Whose it is.
        delivered_at: When it was delivered, UTC.
        delivery_id: Which files belong together; the file's sha256 where nothing says it.
        sha256: Of its bytes.
        account: The account where it is known before reading.
        currency: Likewise.
        period: The dates that it speaks for, where they are known before reading.
        time_zone: In which its days are meant, likewise.
        claims: What its path says of its columns.
        role: `new`; or, where its rows in the master are void and it is resolved again:
            `reread` as it was, since its delivery grew or another was withdrawn, or `replayed`,
            since its contract changed.
        accepted: Whether a person let it pass where a rule would hold it.
    """

    found: Found
    kind: Kind
    source: str
    delivered_at: datetime
    delivery_id: str
    sha256: str
    account: str | None = None
    currency: str | None = None
    period: Period | None = None
    time_zone: str | None = None
    claims: tuple[tuple[str, str], ...] = ()
    role: Role = "new"
    accepted: bool = False

    @property
    def rank(self) -> Rank:
        """The highest rank wins; ties inside one delivery go by (sha256, line)."""
        return self.delivered_at, self.delivery_id

    @property
    def is_fresh(self) -> bool:
        """Whether this merge decides on it."""
        return self.role != "reread"


def leave_known_out(found: Iterable[Found], ledger: pl.DataFrame) -> list[Found]:
    """The files that the ledger does not hold with the same path, size, etag and time."""
    names = list(Found._fields)
    known = ledger.select(names)
    rest = iter(found)
    new: list[Found] = []
    while some := list(islice(rest, _FOUND_AT_ONCE)):
        listed = pl.DataFrame(some, schema=known.schema, orient="row")
        near = known.join(listed, on="path", how="semi")
        unknown = listed.with_row_index("place").join(near, on=names, how="anti")
        new += [some[place] for place in unknown["place"].sort()]
    return new


def identify_file(
    found: Found, *, sha256: str, pinned: Mapping[tuple[str, str], datetime], now: datetime
) -> Delivery:
    """Gives a delivered file its identity.

    Args:
        found: The file.
        sha256: Of its bytes.
        pinned: For (source, sha256), when a file without a declared time was first seen.
        now: The store's clock.

    Raises:
        BadFileError: Its place is wrong, or it claims to come from the future.
    """
    place = read_place(found.path)
    check_zone(place)
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
    return _make_delivery(found, place, sha256, (delivered_at, delivery_id))


def read_pins(ledger: pl.DataFrame, digests: Collection[str]) -> dict[tuple[str, str], datetime]:
    """When each file of these bytes without a declared time was first seen, by (source, sha256)."""
    undeclared = ledger.filter(
        pl.col("sha256").is_in(list(digests)), pl.col("delivery_id") == pl.col("sha256")
    )
    first = undeclared.group_by("source", "sha256").agg(pl.col("delivered_at").min())
    return {(source, sha256): moment for source, sha256, moment in first.iter_rows()}


def find_grown(
    deliveries: Sequence[Delivery], ledger: pl.DataFrame, contracts: Mapping[str, Contract]
) -> list[Delivery]:
    """The files merged before that belong to a delivery which has a new file.

    A delivery is resolved as a whole, so that it does not matter which of its files came first.
    To what appends it does not matter anyway.
    """
    growing = [(one.source, *one.rank) for one in deliveries if one.kind == "file"]
    names = ["source", "delivered_at", "delivery_id"]
    wanted = pl.DataFrame(growing, schema=ledger.select(names).schema, orient="row").unique()
    again = {(one.found.path, one.sha256) for one in deliveries}
    appending = [contract.name for contract in contracts.values() if contract.mode == "append"]
    files = ["path", "sha256"]
    near = ledger.join(
        ledger.join(wanted, on=names, how="semi").select(files).unique(), on=files, how="semi"
    )
    merged = pick_judged(near).filter(
        pl.col("outcome") == "merged", ~pl.col("contract").is_in(appending)
    )
    return [
        one
        for one in recall(merged.join(wanted, on=names, how="semi"), role="reread")
        if (one.found.path, one.sha256) not in again
    ]


def pick_judged(ledger: pl.DataFrame) -> pl.DataFrame:
    """The newest judgement of each file whose bytes were seen."""
    seen = ledger.filter(pl.col("sha256").is_not_null())
    return seen.sort("n").unique(["path", "sha256"], keep="last", maintain_order=True)


def find_due(ledger: pl.DataFrame) -> set[str]:
    """Paths of held files that the next merge judges again.

    Something of their source was withdrawn since: they may wait for what is no longer there.
    """
    gone = ledger.filter(outcome="withdrawn").group_by("source").agg(withdrawn=pl.col("n").max())
    newest = ledger.sort("n").unique("path", keep="last")
    held = newest.filter(outcome="held").join(gone, on="source")
    return set(held.filter(pl.col("n") < pl.col("withdrawn"))["path"])


def recall(judged: pl.DataFrame, *, role: Role, accepted: bool = False) -> list[Delivery]:
    """Files that the ledger knows, as they were delivered.

    Args:
        judged: Their rows in the ledger, of files below landing/ or at the root.
        role: As what they come back.
        accepted: Whether a person lets them pass.
    """
    return [
        _make_delivery(
            Found(row["path"], row["size"], row["etag"], row["modified_at"]),
            read_place(row["path"]),
            row["sha256"],
            (row["delivered_at"], row["delivery_id"]),
            source=row["source"],
            role=role,
            accepted=accepted,
        )
        for row in judged.iter_rows(named=True)
    ]


def _make_delivery(
    found: Found,
    place: Place,
    sha256: str,
    rank: Rank,
    *,
    source: str | None = None,
    role: Role = "new",
    accepted: bool = False,
) -> Delivery:
    return Delivery(
        found=found,
        kind="file",
        source=source or place.source,
        delivered_at=rank[0],
        delivery_id=rank[1],
        sha256=sha256,
        account=place.account,
        currency=place.currency,
        period=place.period,
        time_zone=place.time_zone,
        claims=place.claims,
        role=role,
        accepted=accepted,
    )
