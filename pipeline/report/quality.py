"""Whether a day's figures may be trusted: decisions over counts and sums. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pipeline.report.content import make_printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is still right.

    Attributes:
        max_quarantine_share: Of a source's rows that arrived, 0 .. 1.
        max_age_days: How many days a source that delivers may be behind, at least 0.
        max_spend_change: Spend may be at most this many times that of the day before, and at
            least that divided by it; at least 1.
    """

    max_quarantine_share: float = 0.05
    max_age_days: int = 3
    max_spend_change: float = 3.0


class Finding(NamedTuple):
    """A limit that does not hold.

    Attributes:
        check: `quarantine_share`, `refused_files`, `freshness`, `row_account` or `spend`.
        detail: What was found and what was expected, on one line.
    """

    check: str
    detail: str


class Arrived(NamedTuple):
    """What arrived of a source: rows, those refused, and files refused whole or held back."""

    source: str
    rows_in: int
    quarantined: int
    refused_files: int


class Newest(NamedTuple):
    """The newest day that a source has rows of."""

    source: str
    newest: date


class Spend(NamedTuple):
    """A source's spend of a day and of the day before; None where its rows state none."""

    source: str
    currency: str
    spend: Decimal | None
    spend_before: Decimal | None


class Account(NamedTuple):
    """Files whose rows do not add up, and the master's rows: counted, and as its commit told."""

    unbalanced_files: int
    master_rows: int
    told_rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is judged, one entry a source (`spends`: a source and currency)."""

    arrived: Sequence[Arrived]
    newest: Sequence[Newest]
    spends: Sequence[Spend]
    account: Account


def judge(figures: Figures, *, day: date, limits: Limits) -> list[Finding]:
    """Holds a day's figures against the limits; what cannot be compared is not judged."""
    return [
        *_judge_arrived(figures.arrived, limits),
        *_judge_freshness(figures.newest, day, limits),
        *_judge_account(figures.account),
        *_judge_spend(figures.spends, day, limits),
    ]


def count_by_check(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings each check has."""
    return {
        check: sum(finding.check == check for finding in findings)
        for check in sorted({finding.check for finding in findings})
    }


def _judge_arrived(arrived: Sequence[Arrived], limits: Limits) -> Iterator[Finding]:
    for one in arrived:
        source = _name(one.source)
        if one.quarantined > limits.max_quarantine_share * one.rows_in:
            yield Finding(
                "quarantine_share",
                f"{source}: {one.quarantined:,} of {one.rows_in:,} rows are in quarantine; "
                f"expected at most {limits.max_quarantine_share:.2%}: see "
                f"`adlake quarantine list --by file`",
            )
        if one.refused_files:
            yield Finding(
                "refused_files",
                f"{source}: {one.refused_files:,} files were refused whole or held back; expected "
                f"none: see `adlake quarantine list --by file`, or let one pass with "
                f"`adlake merge --accept FILE`",
            )


def _judge_freshness(newest: Sequence[Newest], day: date, limits: Limits) -> Iterator[Finding]:
    if not newest:
        yield Finding("freshness", f"the master has no row of the four weeks up to {day}")
    for one in newest:
        age = (day - one.newest).days
        if age > limits.max_age_days:
            yield Finding(
                "freshness",
                f"{_name(one.source)}: the newest row before {day} is of {one.newest}, {age} days "
                f"ago; expected at most {limits.max_age_days}",
            )


def _judge_account(account: Account) -> Iterator[Finding]:
    if account.unbalanced_files:
        yield Finding(
            "row_account",
            f"the rows of {account.unbalanced_files:,} files do not add up; expected rows in = "
            f"accepted + quarantined + duplicates + superseded",
        )
    if account.told_rows is not None and account.told_rows != account.master_rows:
        yield Finding(
            "row_account",
            f"the master holds {account.master_rows:,} rows; its commit says {account.told_rows:,}",
        )


def _judge_spend(spends: Sequence[Spend], day: date, limits: Limits) -> Iterator[Finding]:
    limit = Decimal(str(limits.max_spend_change))
    for one in spends:
        if one.spend is None or one.spend_before is None or one.spend_before <= 0:
            continue
        if one.spend > limit * one.spend_before or limit * one.spend < one.spend_before:
            yield Finding(
                "spend",
                f"{_name(one.source)}: {one.spend:,.2f} {_name(one.currency)} were spent on {day}, "
                f"{one.spend / one.spend_before:.2f} times the {one.spend_before:,.2f} of the day "
                f"before; expected {1 / limit:.2f} to {limit:.2f} times",
            )


def _name(text: str) -> str:
    return make_printable(text) or "(no source)"
