"""How one delivered file lies before us: what recognising found, and all that reading needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipeline.contracts.dates import has_time
from pipeline.contracts.model import Contract, Dialect, Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one file lies before us, by its contract.

    Attributes:
        contract: What recognised it.
        dialect: The contract's dialect that fits it; for Parquet `Dialect(exponents=True)`, the
            one of canonical text.
        format: `csv` or `parquet`.
        encoding: `utf-8`, `utf-16` or `windows-1252`; '' for Parquet.
        header_line: The physical line of its header, from 1; 0 for Parquet.
        width: How many cells a record has.
        positions: For each canonical column that it has, in the contract's order, its places
            in the file, from 0; two or more where `repeated_columns` or `add_up` allows it.
        breakdowns: For each breakdown that it has, in the contract's order, its place.
        end_position: The place of the column with a row's last day (`dates.end_headers`).
        fold_positions: The places of its columns of the contract's `fold`.
        ignored: Names in its header that nobody reads (`extra_columns = "ignore"`).
        ignored_positions: Their places.
        currency: From a header name with `{currency}`, upper case.
        period: First and last day that its preamble names.
        time_zone: In which its preamble says that its days are meant.
        why: One phrase for people: "its header on line 3, Spanish, tab, UTF-16".
    """

    contract: Contract
    dialect: Dialect
    format: Format
    encoding: str
    header_line: int
    width: int
    positions: Mapping[str, tuple[int, ...]]
    breakdowns: Mapping[str, int] = field(default_factory=dict)
    end_position: int | None = None
    fold_positions: tuple[int, ...] = ()
    ignored: tuple[str, ...] = ()
    ignored_positions: tuple[int, ...] = ()
    currency: str | None = None
    period: tuple[date, date] | None = None
    time_zone: str | None = None
    why: str = ""

    @property
    def folds(self) -> bool:
        """Whether rows of one place are parts that are added up."""
        return bool(self.list_parts())

    def list_parts(self) -> list[int]:
        """The places of what tells the parts of a day or campaign apart, which are added up.

        They are the columns of the contract's `fold`, and the date where it has a time.
        """
        timed = any(map(has_time, self.dialect.date_formats))
        dates = self.positions.get("date", ()) if timed else ()
        return [*self.fold_positions, *dates[:1]]

    @property
    def repeated(self) -> Mapping[str, tuple[int, ...]]:
        """The places of the columns that must say the same twice, as `repeated_columns` allows."""
        added = {column.name for column in self.contract.columns if column.add_up}
        return {
            name: places
            for name, places in self.positions.items()
            if len(places) > 1 and name not in added
        }

    def list_cells(self) -> list[tuple[str, int]]:
        """The name and the place of each column of text that is judged, in the contract's order.

        Of one that is added up, the second part is called `<name>+1`, and so on.
        """
        cells: list[tuple[str, int]] = []
        for name, places in self.positions.items():
            parts = places[:1] if name in self.repeated else places
            cells += [
                (f"{name}+{number}" if number else name, place)
                for number, place in enumerate(parts)
            ]
        return cells

    @property
    def breakdown(self) -> str:
        """The names of its breakdowns, joined by `+`; '' where spend is not split."""
        return "+".join(self.breakdowns)


def join_texts(places: Sequence[int]) -> pl.Expr:
    """The texts of some columns as one, in which no two rows of other texts are the same.

    Args:
        places: Columns are named by them, as `"0"`; at least one.

    Returns:
        The texts, joined by ` | `, bars and backslashes in them escaped by a backslash; a single
        column's text as it is. '' where one of them is ''.
    """
    texts = [pl.col(str(place)) for place in places]
    if len(texts) == 1:
        return texts[0]
    escaped = [text.str.replace_all(r"([\\|])", r"\$1") for text in texts]
    missing = pl.any_horizontal(text == "" for text in texts)
    return pl.when(missing).then(pl.lit("")).otherwise(pl.concat_str(escaped, separator=" | "))
