"""How one file of a platform is laid out, and what the platforms have in common in drawing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Account
from pipeline.generate.messy.text import Style

Language = Literal["en", "es", "pt"]
Names = Mapping[Language, Sequence[str]]
Period = tuple[date, date]
Column = tuple[str, str]
"""The name of a column in the file, and of the cell that stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How one file is laid out.

    Attributes:
        style: How its cells are written.
        columns: In their order.
        missing: What stands for a figure that is missing.
        file_name: As the platform calls the file.
        before: Lines before the header.
        totals: For each row of totals the cells that are no sums.
        totals_first: Whether they stand before the other rows.
        percent: What stands behind a percentage.
        percent_places: Its decimals.
        declares_period: Whether the file says itself of which days it is.
        language: Of its names.
    """

    style: Style
    columns: Sequence[Column]
    missing: str
    file_name: str
    before: Sequence[str] = ()
    totals: Sequence[Mapping[str, str]] = ()
    totals_first: bool = False
    percent: str = ""
    percent_places: int = 2
    declares_period: bool = False
    language: Language = "en"

    @property
    def has_ids(self) -> bool:
        """Whether campaigns are known by their ids."""
        return any(cell == "campaign_id" for _, cell in self.columns)

    @property
    def words(self) -> str:
        """The form in words."""
        ids = ", ids" if self.has_ids else ""
        return f"{self.language}, {self.style.words}{ids}"

    def write_header(self) -> str:
        """The line of names, without its end."""
        return self.style.write_record([name for name, _ in self.columns])

    def write_record(self, cells: Mapping[str, str]) -> str:
        """A row without its line end; `cells` by name, the others are missing."""
        return self.style.write_record([cells.get(cell, self.missing) for _, cell in self.columns])

    def write_percent(self, part: int, whole: int) -> str:
        """A part of a whole that is not 0, in percent."""
        share = Decimal(100 * part) / whole
        return self.style.write_decimal(share, places=self.percent_places) + self.percent


def draw_ignored(dice: Dice, names: Mapping[str, Names]) -> dict[str, Names]:
    """Some of the columns that nobody reads."""
    return {cell: name for cell, name in names.items() if dice.happens(60)}


def name_columns(
    dice: Dice, names: Mapping[str, Names], language: Language, account: Account, *, first: str
) -> list[Column]:
    """One name for each column; half of the files have them in an order of their own."""
    cells = [first, *(cell for cell in names if cell != first)]
    if dice.happens(50):
        cells[1:] = dice.shuffle(cells[1:])
    return [
        (dice.pick(names[cell][language]).format(currency=account.currency), cell) for cell in cells
    ]
