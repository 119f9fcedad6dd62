"""What is known of a file beside its rows: account, currency, period, breakdown.

They come from its contract, its header and preamble, and its place, and must not contradict
each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from pipeline.contracts import Dialect
from pipeline.errors import BadFileError
from pipeline.merge.coverage import Window, join_windows
from pipeline.merge.place import Period
from pipeline.read.layout import Layout

_ISO = "yyyy-mm-dd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is the same for all rows of a file.

    Attributes:
        layout: How it lies before us.
        dialect: How its cells are written.
        constants: Canonical columns that it does not carry, and their value.
        period: The dates that it declares to speak for.
        day: The date of all its rows, where it has no column for it.
    """

    layout: Layout
    dialect: Dialect
    constants: Mapping[str, str | None]
    period: Period | None
    day: date | None

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
    layout: Layout, *, account: str | None, currency: str | None, period: Period | None
) -> Context:
    """What is known of a file.

    Args:
        layout: How it lies before us.
        account: What its place says.
        currency: Likewise.
        period: Likewise.

    Raises:
        BadFileError: Something is missing, or said twice in different ways.
    """
    period = _agree_period(layout.period, period)
    constants: dict[str, str | None] = dict(layout.contract.constants)
    constants |= {"breakdown": layout.breakdown} if layout.contract.breakdowns else {}
    constants |= {"account": account} if account is not None else {}
    constants |= _find_currency(layout, currency)
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
        day=day,
    )


def check_claims(rows: pl.DataFrame, claims: Sequence[tuple[str, str]]) -> None:
    """Refuses a file whose cells say something else than its path.

    Raises:
        BadFileError: As said.
    """
    for name, value in claims:
        if name not in rows.columns:
            continue
        other = rows[name].cast(pl.String()).fill_null("")
        wrong = other.filter(other != value)
        if len(wrong):
            raise BadFileError(
                "partition_mismatch",
                f"its path says {name}={value}, and {len(wrong)} rows say something else, first "
                f"{wrong[0]!r}: move it to where it belongs",
            )


def _agree_period(preamble: Period | None, place: Period | None) -> Period | None:
    if preamble is not None and place is not None and preamble != place:
        raise BadFileError(
            "bad_period",
            f"it says that it is of {preamble[0]} to {preamble[1]}, and its place says "
            f"{place[0]} to {place[1]}",
        )
    return preamble or place


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
