"""Rates of exchange, as a person keeps them in the lake: config/rates.csv.

One line a rate: `date,from,to,rate`; one unit of `from` is worth `rate` units of `to` on that day.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

import duckdb
import pyarrow as pa

from pipeline.errors import MissingError, UsageError
from pipeline.kpi.query import fetch_result
from pipeline.kpi.selection import EVERYTHING, Selection
from pipeline.lake import CONFIG, Lake

RATES: Final = f"{CONFIG}/rates.csv"
HEADER: Final = ["date", "from", "to", "rate"]

_CODE: Final = re.compile("[A-Z]{3}")
_RATE: Final = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,12})?")
_FIELDS: Final[list[tuple[str, pa.DataType]]] = [
    ("date", pa.date32()),
    ("currency", pa.string()),
    ("rate", pa.decimal128(20, 12)),
]
_SCHEMA: Final = pa.schema(_FIELDS)
_LACKING: Final = """
select currency, min(date), count(*) from daily_rates
where rate is null group by currency order by currency
"""
_USED: Final = "select min(rate_date), max(rate_date) from daily_rates"


class Rates(NamedTuple):
    """What all money is worth in one currency.

    Attributes:
        currency: Its code.
        table: date, currency, rate: what one unit was worth on that day.
        start: The first day that is asked for; money of those before needs no rate and counts
            nothing. None takes all.
        end: The last one, likewise.
        is_there: Whether the lake has a file of rates.
    """

    currency: str
    table: pa.Table
    start: date | None = None
    end: date | None = None
    is_there: bool = True


def check_code(code: str) -> str:
    """A code of ISO 4217.

    Raises:
        UsageError: It is none.
    """
    if not _CODE.fullmatch(code):
        raise UsageError(f"--currency is {code!r}; expected a code such as EUR")
    return code


def read_rates(lake: Lake, currency: str, selection: Selection = EVERYTHING) -> Rates:
    """Reads the lake's rates into one currency, for the days of a selection.

    Without the file there are none: money that is in the currency already needs none.

    Raises:
        UsageError: It is no code, or a line of the file is wrong.
    """
    check_code(currency)
    try:
        data = lake.storage.read(RATES)
    except MissingError:
        rates = parse_rates(",".join(HEADER).encode(), currency)._replace(is_there=False)
    else:
        rates = parse_rates(data, currency)
    return rates._replace(start=selection.start, end=selection.end)


def parse_rates(data: bytes, currency: str) -> Rates:
    """Reads the text of the file. Pure.

    Args:
        data: UTF-8, with commas and a header.
        currency: Rates into others are checked and left out.

    Raises:
        UsageError: A line is wrong, or says another rate than one before it.
    """
    known: dict[tuple[date, str, str], Decimal] = {}
    for number, (day, source, target, rate) in _list_lines(data):
        if known.setdefault((day, source, target), rate) != rate:
            raise UsageError(
                f"{RATES}, line {number}: {source} to {target} on {day} is {rate}; a line before "
                f"it says {known[day, source, target]}"
            )
    wanted = [(*key[:2], rate) for key, rate in known.items() if key[2] == currency]
    columns = zip(*wanted, strict=True) if wanted else ((), (), ())
    arrays = [pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=True)]
    return Rates(currency, pa.Table.from_arrays(arrays, schema=_SCHEMA))


def _list_lines(data: bytes) -> Iterator[tuple[int, tuple[date, str, str, Decimal]]]:
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = next(lines, [])
        if header != HEADER:
            raise UsageError(f"{RATES}: the header is {header}; expected {HEADER}")
        for cells in lines:
            if cells:
                yield lines.line_num, _parse_line(cells, lines.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{RATES} is no CSV in UTF-8: {error}") from error


def _parse_line(cells: list[str], number: int) -> tuple[date, str, str, Decimal]:
    where = f"{RATES}, line {number}"
    if len(cells) != len(HEADER):
        raise UsageError(f"{where} has {len(cells)} cells; expected {len(HEADER)}")
    day, source, target, rate = cells
    for code in (source, target):
        if not _CODE.fullmatch(code):
            raise UsageError(f"{where}: {code!r} is no currency; expected a code such as EUR")
    if not _RATE.fullmatch(rate) or not Decimal(rate):
        raise UsageError(
            f"{where}: {rate!r} is no rate; expected a number above 0 with a decimal point, and at "
            f"most 8 digits before and 12 after it"
        )
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        parsed = None
    if parsed is None or day != parsed.isoformat():  # there are other forms of ISO 8601
        raise UsageError(f"{where}: {day!r} is no day; expected YYYY-MM-DD")
    return parsed, source, target, Decimal(rate)


def check_rates(connection: duckdb.DuckDBPyConnection, rates: Rates) -> None:
    """Refuses to go on where money of a day has no rate.

    Args:
        connection: One that has the view daily_rates.
        rates: From which it was made.

    Raises:
        UsageError: As said; the message names the first day of each currency.
    """
    lacking = fetch_result(connection, _LACKING).rows
    if not lacking:
        return
    days = "; ".join(f"{code}: the first {first}, {count} in all" for code, first, count in lacking)
    if not rates.is_there:
        raise UsageError(
            f"the lake has no {RATES}, which --currency converts by ({days}): write one with the "
            f"columns {', '.join(HEADER)}"
        )
    raise UsageError(
        f"{RATES} has no rate to {rates.currency} of the day itself or one of the 7 before it "
        f"({days})"
    )


def describe_rates(connection: duckdb.DuckDBPyConnection, currency: str) -> dict[str, object]:
    """Into what money was converted, and by rates of which days.

    Args:
        connection: One that has the view daily_rates.
        currency: The one that was asked for.

    Returns:
        `currency`, `rates_from` and `rates_to`; the two days are None where no rate was needed.
    """
    [(first, last)] = fetch_result(connection, _USED).rows
    return {"currency": currency, "rates_from": first, "rates_to": last}


def say_rates(used: Mapping[str, object]) -> str:
    """What `describe_rates` gives, in words: `in EUR, by rates of 2024-01-02 to 2024-01-31`."""
    if used["rates_from"] is None:
        return f"in {used['currency']}, as delivered"
    return f"in {used['currency']}, by rates of {used['rates_from']} to {used['rates_to']}"
