"""The original program's CSV, byte for byte as pandas writes it.

Numbers are written in the shortest form that reads back as the same 64-bit float (so a decimal of
more than 15 digits loses what a float cannot hold), null as nothing, text in quotes only where it
must. A carriage return counts as such a place: Python's csv module quotes it from 3.13 on, and
unquoted it would break the row for most readers.
"""

import csv
import io
from typing import Final

import polars as pl

from pipeline.schema import SEED_CSV_COLUMNS

SOURCE_COLUMNS: Final = (
    "campaign_id",
    "date",
    "platform",
    "target_audience",
    "impressions",
    "clicks",
    "cost",
    "video_view_time",
    "reported_ctr",
    "reported_cpc",
)
"""The columns of the canonical row that the CSV is made from."""

CTR_PLACES: Final = 4
CPC_PLACES: Final = 2

_MUST_QUOTE: Final = '[,"\r\n]'
_TRIGGERS: Final = (
    r"=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}"  # and in full width
    r"\x{fe66}\x{fe62}\x{fe63}\x{fe6b}\x{2212}"  # small, and the sign minus
)
_FORMULA: Final = rf'^[\s\x00-\x1f"\x{{200b}}\x{{feff}}]*[{_TRIGGERS}]|^[\x00-\x1f]'
_SMALLEST_PLAIN: Final = 1e-4


def write_header() -> bytes:
    """The header line."""
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerow(SEED_CSV_COLUMNS)
    return sink.getvalue().encode()


def shape_frame(facts: pl.DataFrame) -> pl.DataFrame:
    """Makes the CSV's columns.

    Args:
        facts: `SOURCE_COLUMNS`; may be empty.

    Returns:
        `SEED_CSV_COLUMNS`, rows in the same order. ctr and cpc are as stated, else computed and
        rounded the way pandas does; null where a denominator is 0 or missing.
    """
    floats = facts.with_columns(pl.col(pl.Decimal).cast(pl.Float64))
    return floats.select(
        "campaign_id",
        "date",
        "platform",
        "target_audience",
        "impressions",
        _take_stated("reported_ctr", part="clicks", whole="impressions", places=CTR_PLACES).alias(
            "ctr"
        ),
        "clicks",
        _take_stated("reported_cpc", part="cost", whole="clicks", places=CPC_PLACES).alias("cpc"),
        pl.col("cost").alias("costo_total"),
        "video_view_time",
    )


def neutralise_formulas(shaped: pl.DataFrame) -> pl.DataFrame:
    """Puts an apostrophe before each text that a spreadsheet could take for a formula.

    That is what begins with =, +, - or @, also in full width and behind blanks, quotes or control
    characters, and what begins with a control character such as a tab. Numbers stay as they are.
    """
    names = shaped.select(pl.col(pl.String)).columns
    return shaped.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA))
        .then(pl.concat_str(pl.lit("'"), pl.col(name)))
        .otherwise(pl.col(name))
        .alias(name)
        for name in names
    )


def spell_cells(shaped: pl.DataFrame) -> pl.DataFrame:
    """Puts what Polars writes unlike pandas into texts that are written as they are."""
    return shaped.with_columns(
        _spell_dates(shaped["date"]),
        *(_quote(texts) for texts in shaped.select(pl.col(pl.String))),
        *(_spell(numbers) for numbers in shaped.select(pl.col(pl.Float64))),
    )


def write_lines(spelled: pl.DataFrame) -> bytes:
    """Writes the rows of `spell_cells` as lines without a header."""
    sink = io.BytesIO()
    spelled.write_csv(sink, include_header=False, quote_style="never")
    return sink.getvalue()


def _take_stated(stated: str, *, part: str, whole: str, places: int) -> pl.Expr:
    quotient = pl.col(part).cast(pl.Float64) / pl.col(whole).cast(pl.Float64)
    computed = pl.when(pl.col(whole) != 0).then(quotient.round(places, mode="half_to_even"))
    return pl.coalesce(stated, computed)


def _quote(texts: pl.Series) -> pl.Series:
    """Quotes as Python's csv module does; Polars would quote the empty text as well."""
    marked = texts.str.contains(_MUST_QUOTE)
    if not marked.any():
        return texts
    quoted = pl.format('"{}"', pl.col(texts.name).str.replace_all('"', '""', literal=True))
    choice = pl.when(marked).then(quoted).otherwise(pl.col(texts.name))
    return texts.to_frame().select(choice.alias(texts.name)).to_series()


def _spell_dates(dates: pl.Series) -> pl.Series:
    # A part has few days and many rows: format each day once.
    days = dates.unique()
    return dates.replace_strict(days, days.cast(pl.String), return_dtype=pl.String)


def _spell(numbers: pl.Series) -> pl.Series:
    """Takes Python's own form for small numbers, which Polars writes without an exponent."""
    small = (numbers != 0) & (numbers.abs() < _SMALLEST_PLAIN)
    if not small.any():
        return numbers
    spelled = [None if number is None else repr(number) for number in numbers]
    return pl.Series(numbers.name, spelled, dtype=pl.String)
