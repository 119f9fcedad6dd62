"""Whether the master holds what the generator knows that it must. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import polars as pl

_SAID: Final = (
    "campaign_name",
    "currency",
    "impressions",
    "clicks",
    "cost",
    "revenue",
    "conversions",
)
_PLACE: Final = ("source", "account", "date")
_KEY: Final = (*_PLACE, "breakdown", "segment", "platform", "target_audience", "_campaign")
_SAYER: Final = "delivery_id"
"""Compared as well, and told where all else is equal."""
_SECOND: Final = "another row of the same campaign and day is there already"
_TAKEN: Final = ("merged", "duplicate")

Record = Mapping[str, Any]


class Difference(NamedTuple):
    """Something that is not as the generator knows it.

    Attributes:
        kind: `missing` or `too_many` (a row), `differs` (a figure of one), `file`.
        source: Whose it is.
        account: Likewise.
        campaign: Name of the campaign; None where it is about a file.
        date: Of the row; None likewise.
        column: What differs, of a file in the ledger; of a whole row its cost is shown.
        truth: What it must be.
        master: What it is; of a file what the ledger says.
        why: Which delivery it comes of, and what became of that.
    """

    kind: str
    source: str
    account: str
    campaign: str | None
    date: Any
    column: str | None
    truth: Any
    master: Any
    why: str


def find_differences(
    master: pl.DataFrame, truth: pl.DataFrame, deliveries: pl.DataFrame, ledger: pl.DataFrame
) -> list[Difference]:
    """Compares file by file and row by row.

    Args:
        master: Rows of the truth's sources; columns of schema.AD_DAY.
        truth: What they must be: those of `master` that a delivery says, and `path`.
            A row that either has twice is a difference.
        deliveries: All files: `path`, `source`, `account`, `delivery_id`, `first_date`,
            `last_date`, `quarantined`, `copy_of`, `sha256`, in their order of arrival.
        ledger: The newest judgement of each file; columns of schema.LEDGER.
    """
    files = _Files(deliveries.to_dicts(), ledger.sort("n").to_dicts())
    return [*files.find_faults(), *_compare_rows(master, truth, files)]


def _compare_rows(
    master: pl.DataFrame, truth: pl.DataFrame, files: "_Files"
) -> Iterator[Difference]:
    winners = {
        tuple(row[name] for name in _PLACE): row["path"]
        for row in truth.unique(_PLACE, maintain_order=True).iter_rows(named=True)
    }
    found, expected = (_name_rows(frame) for frame in (master, truth))
    both = expected.join(found, on=(*_KEY, "_copy"), how="full", nulls_equal=True, suffix="_found")
    same = [pl.col(name).eq_missing(pl.col(f"{name}_found")) for name in (*_SAID, _SAYER, "_here")]
    differing = both.filter(~pl.all_horizontal(same))
    for row in differing.sort("source", "account", "date", nulls_last=True).iter_rows(named=True):
        yield from _describe(row, winners, files)


def _name_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds what identifies a row.

    Args:
        frame: Rows of the master or of the truth.

    Returns:
        The same and `_campaign`, its id or else its name; `_copy`, the how many-th row of one key
        it is, from 0, as a second one has none to be compared with; and `_here`, that it is there.
    """
    by_id = pl.concat_str(pl.lit("id:"), "campaign_id")
    by_name = pl.concat_str(pl.lit("name:"), "campaign_name")
    has_id = pl.col("campaign_id").is_not_null()
    named = frame.with_columns(
        _campaign=pl.when(has_id).then(by_id).otherwise(by_name), _here=pl.lit(value=True)
    )
    return named.with_columns(_copy=pl.int_range(pl.len()).over(_KEY))


def _describe(
    row: Record, winners: Mapping[tuple[Any, ...], str], files: "_Files"
) -> Iterator[Difference]:
    """What is wrong with a row of the master, of the truth, or of both."""
    is_missing, is_more = row["_here_found"] is None, row["_here"] is None
    suffix = "_found" if is_more else ""
    source, account, day = place = tuple(row[f"{name}{suffix}"] for name in _PLACE)
    wanted = row["path"] or winners.get(place)
    got = None if is_missing else files.find_path(place, row["delivery_id_found"])
    kind = "missing" if is_missing else "too_many" if is_more else "differs"
    changed = [name for name in _SAID if row[name] != row[f"{name}_found"]] or [_SAYER]
    for name in ("cost",) if is_missing or is_more else changed:
        yield Difference(
            kind=kind,
            source=source,
            account=account,
            campaign=row[f"campaign_name{suffix}"],
            date=day,
            column=name,
            truth=row[name],
            master=row[f"{name}_found"],
            why=_SECOND if row[f"_copy{suffix}"] else files.explain(wanted, got),
        )


class _Fault(NamedTuple):
    """What is wrong with a file.

    Attributes:
        column: Of the ledger.
        truth: What it must be.
        found: What it is; None where the ledger does not know the file.
        words: The same in words.
    """

    column: str
    truth: object
    found: object
    words: str


@dataclass(slots=True)
class _Files:
    """The generated files, and what the ledger says of them.

    Attributes:
        generated: As they were delivered.
        judged: Rows of the ledger, the newest last.
    """

    generated: list[dict[str, Any]]
    judged: list[dict[str, Any]]
    _by_path: dict[str, Record] = field(default_factory=dict)
    _in_ledger: dict[str, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_path = {file["path"]: file for file in self.generated}
        self._in_ledger = {row["path"]: row for row in self.judged}

    def find_path(self, place: tuple[Any, ...], delivery_id: str) -> str:
        """The file that a row of the master is of."""
        source, account, day = place
        for file in self.generated:
            identity = (file["source"], file["account"], file["delivery_id"])
            covers = file["copy_of"] is None and file["first_date"] <= day <= file["last_date"]
            if covers and identity == (source, account, delivery_id):
                return str(file["path"])
        for row in self.judged:
            if (row["source"], row["delivery_id"], row["outcome"]) == (
                source,
                delivery_id,
                "merged",
            ):
                return str(row["path"])
        return f"delivery {delivery_id}"

    def explain(self, wanted: str | None, got: str | None) -> str:
        """Why a row of one file stands where one of another should.

        Args:
            wanted: The file whose row must be there; None where none says anything of the day.
            got: The file whose row is there; None where none is.
        """
        if wanted is not None and (fault := self.find_fault(wanted)):
            return f"{wanted} {fault.words}" + (
                f"; the row is of {got}" if got not in {None, wanted} else ""
            )
        if got is not None and got not in self._by_path:
            return f"{got} was not generated"
        if got is None or got == wanted:
            return f"{wanted} was merged as it was generated"
        if wanted is None:
            return f"{got} speaks for a day of which the newest delivery has no row"
        return f"the row is of {got} and must be of {wanted}"

    def find_fault(self, path: str) -> "_Fault | None":
        """What became of a file that should not have."""
        file, row = self._by_path[path], self._in_ledger.get(path)
        if row is None:
            return _Fault("outcome", "merged", None, "is not in the ledger: not merged, or gone")
        if row["sha256"] != file["sha256"]:
            words = "was changed after it was generated"
            return _Fault("sha256", file["sha256"], row["sha256"], words)
        if row["outcome"] not in _TAKEN:
            detail = f": {row['detail']}" if row["detail"] else ""
            return _Fault("outcome", "merged", row["outcome"], f"is {row['outcome']}{detail}")
        if row["outcome"] == "merged" and row["quarantined"] != file["quarantined"]:
            words = "has another number of rows in quarantine than were damaged"
            return _Fault("quarantined", file["quarantined"], row["quarantined"], words)
        return None

    def find_faults(self) -> Iterator[Difference]:
        """All files of which something else became than should."""
        for file in self.generated:
            if fault := self.find_fault(file["path"]):
                yield Difference(
                    kind="file",
                    source=file["source"],
                    account=file["account"],
                    campaign=None,
                    date=None,
                    column=fault.column,
                    truth=fault.truth,
                    master=fault.found,
                    why=f"{file['path']} {fault.words}",
                )
