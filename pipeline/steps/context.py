"""What is known of a file beside its rows: account, currency, period, breakdown.

They come from its contract, its header and preamble, and its place, and must not contradict
each other.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from pipeline.contracts import Contract, Dialect
from pipeline.errors import BadFileError
from pipeline.merge.coverage import Window, join_windows
from pipeline.merge.place import Period
from pipeline.read.layout import Layout
from pipeline.validate.cast import GROUPED_DIGITS
from pipeline.zones import may_mean

_ISO = "yyyy-mm-dd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is the same for all rows of a file.

    Attributes:
        layout: How it lies before us.
        dialect: How its cells are written.
        constants: Canonical columns that it does not carry, and their value.
        period: The dates that it declares to speak for.
        time_zone: In which its days are meant: as it says itself, or its place, or its contract.
        day: The date of all its rows, where it has no column for it.
        claims: What else says columns that it carries: who says it, the column, and its value.
    """

    layout: Layout
    dialect: Dialect
    constants: Mapping[str, str | None]
    period: Period | None
    time_zone: str
    day: date | None
    claims: Sequence[tuple[str, str, str]] = ()

    def cover(self, seen: Sequence[pl.DataFrame], *, rows: int) -> list[Window]:
        """For what the file speaks.

        Args:
            seen: `Verdict.coverage` of each of its blocks.
            rows: How many rows it has. Without any it speaks for what it declares.
        """
        contract = self.layout.contract
        constants = {
            name: value
            for name, value in self.constants.items()
            if name != "platform" or "platform" in contract.scope
        }
        if not rows and self.period is not None:
            seen = [self._declare(constants)]
        return join_windows(seen, constants=constants, primary=contract.primary, period=self.period)

    def _declare(self, constants: Mapping[str, str | None]) -> pl.DataFrame:
        """The scope of a file without rows; none where a column would have said it."""
        scope = (*self.layout.contract.scope, "breakdown")
        known = [name for name in scope if constants.get(name) is not None]
        dates = {"first_date": [date.min], "last_date": [date.min]}
        schema = {"first_date": pl.Date(), "last_date": pl.Date()}
        return pl.DataFrame(dates if len(known) == len(scope) else None, schema=schema)


def find_context(
    layout: Layout,
    *,
    account: str | None,
    currency: str | None,
    period: Period | None,
    time_zone: str | None,
) -> Context:
    """What is known of a file.

    Args:
        layout: How it lies before us.
        account: What its place says.
        currency: Likewise.
        period: Likewise.
        time_zone: Likewise.

    Raises:
        BadFileError: Something is missing, or said twice in different ways.
    """
    period = _agree_period(layout.period, period)
    constants: dict[str, str | None] = dict(layout.contract.constants)
    constants |= {"breakdown": layout.breakdown} if layout.contract.breakdowns else {}
    constants |= {"account": account} if account is not None else {}
    constants |= _find_currency(layout, currency)
    if "account" in constants:
        constants["account"] = _join_digits(layout.contract, constants["account"])
    # What the file itself carries is no constant, whatever its place says; see check_claims.
    carried = {*layout.positions, *(["segment"] if layout.breakdowns else [])}
    day = None if "date" in layout.positions else _find_day(period)
    dialect = layout.dialect
    if day is not None:
        dialect = replace(dialect, date_formats=(*dialect.date_formats, _ISO))
    return Context(
        layout=layout,
        dialect=dialect,
        constants={name: value for name, value in constants.items() if name not in carried},
        period=period,
        time_zone=_agree_zone(layout, time_zone) or layout.contract.dates.time_zone,
        day=day,
        claims=[
            (who, name, value)
            for who, name, value in (
                ("header", "currency", layout.currency),
                ("path", "currency", currency),
                ("path", "account", _join_digits(layout.contract, account)),
            )
            if value is not None and name in carried
        ],
    )


def check_claims(rows: pl.DataFrame, claims: Iterable[tuple[str, str, str]]) -> None:
    """Refuses a file whose cells say something else than its path or its header.

    Args:
        rows: Accepted rows of the file.
        claims: Who says it (`path` or `header`), the column and its value.

    Raises:
        BadFileError: `partition_mismatch` or `currency_mismatch`.
    """
    for who, name, value in claims:
        if name not in rows.columns:
            continue
        other = rows[name].cast(pl.String()).fill_null("")
        wrong = other.filter(other != value)
        if len(wrong):
            advice = ": move it to where it belongs" if who == "path" else ""
            raise BadFileError(
                "partition_mismatch" if who == "path" else "currency_mismatch",
                f"its {who} says {name}={value}, and {len(wrong)} rows say something else, first "
                f"{wrong[0]!r}{advice}",
            )


def _join_digits(contract: Contract, account: str | None) -> str | None:
    """An account as its contract's column would have it."""
    joined = any(column.name == "account" and column.join_digits for column in contract.columns)
    grouped = joined and account is not None and re.fullmatch(GROUPED_DIGITS, account)
    return account.replace("-", "") if grouped and account else account


def _agree_period(preamble: Period | None, place: Period | None) -> Period | None:
    if preamble is not None and place is not None and preamble != place:
        raise BadFileError(
            "bad_period",
            f"it says that it is of {preamble[0]} to {preamble[1]}, and its place says "
            f"{place[0]} to {place[1]}",
        )
    return preamble or place


def _agree_zone(layout: Layout, place: str | None) -> str | None:
    """What the place says, an IANA name, goes before the preamble's words for the same zone."""
    words = layout.time_zone
    if words is None or place is None:
        return words or place
    if not may_mean(words, place, layout.contract.preamble.zones):
        raise BadFileError(
            "bad_time_zone",
            f"it says that its days are meant in {words}, and its place says {place}",
        )
    return place


def _find_currency(layout: Layout, place: str | None) -> dict[str, str | None]:
    header = layout.currency
    if "currency" in layout.positions:
        return {}
    if header is not None and place is not None and header != place:
        raise BadFileError(
            "currency_mismatch", f"its header says {header}, and its place says {place}"
        )
    currency = header or place or layout.contract.constants.get("currency")
    if currency is None:
        raise BadFileError(
            "no_currency", "nothing says its currency: land it with --currency, such as EUR"
        )
    return {"currency": currency}


def _find_day(period: Period | None) -> date:
    if period is None:
        raise BadFileError(
            "no_date",
            "it has no column for the day: export it by day, or land it with --period and one day",
        )
    if period[0] != period[1]:
        days = (period[1] - period[0]).days + 1
        raise BadFileError(
            "no_date",
            f"it has no column for the day and is of {days} days: export it by day, as figures "
            f"of several days cannot be shared out",
        )
    return period[0]
