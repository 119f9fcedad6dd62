"""The invented facts that all sample exports are made from, and how text files are written."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

Language = Literal["en", "es", "pt"]
CURRENCY: Final = "EUR"
PERIOD: Final = (date(2024, 1, 1), date(2024, 1, 31))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one campaign did on one day; money in EUR."""

    day: date
    campaign_id: str
    campaign: str
    impressions: int
    clicks: int
    cost: Decimal
    conversions: Decimal
    revenue: Decimal
    parts: tuple[str, ...] = ()

    def share(self, names: Sequence[str]) -> list["Fact"]:
        """The same in parts, which add up to it to the cent."""
        last = len(names) - 1
        count = len(names)
        return [
            Fact(
                day=self.day,
                campaign_id=self.campaign_id,
                campaign=self.campaign,
                impressions=_share_count(self.impressions, place == last, count),
                clicks=_share_count(self.clicks, place == last, count),
                cost=_share_money(self.cost, place == last, count),
                conversions=_share_money(self.conversions, place == last, count),
                revenue=_share_money(self.revenue, place == last, count),
                parts=(*self.parts, name),
            )
            for place, name in enumerate(names)
        ]


def _share_count(whole: int, is_last: bool, count: int) -> int:
    part = whole // count
    return whole - part * (count - 1) if is_last else part


def _share_money(whole: Decimal, is_last: bool, count: int) -> Decimal:
    cents = _share_count(int(whole * 100), is_last, count)
    return Decimal(cents) / 100


def _fact(day: int, number: int, *figures: str) -> Fact:
    names = {1: "Campaña Áéí, otoño", 2: 'Liquidação "última"\nsegunda linha', 3: "Brand; search"}
    impressions, clicks, cost, conversions, revenue = figures
    return Fact(
        day=date(2024, 1, day),
        campaign_id=f"12020{number:013d}",
        campaign=names[number],
        impressions=int(impressions),
        clicks=int(clicks),
        cost=Decimal(cost),
        conversions=Decimal(conversions),
        revenue=Decimal(revenue),
    )


FACTS: Final = (
    _fact(5, 1, "120345", "1204", "1234.56", "12.5", "4000.10"),
    _fact(5, 2, "980", "41", "205.90", "2", "310"),
    _fact(6, 1, "99000", "870", "0.01", "0", "0"),
    _fact(6, 2, "2345678", "30011", "12345.67", "301.25", "51234.07"),
    _fact(13, 3, "7", "0", "0.30", "0", "0"),
)
"""The invented facts."""

TOTALS: Final[Mapping[str, Decimal | int]] = {
    "impressions": sum(fact.impressions for fact in FACTS),
    "clicks": sum(fact.clicks for fact in FACTS),
    "cost": sum((fact.cost for fact in FACTS), Decimal()),
    "conversions": sum((fact.conversions for fact in FACTS), Decimal()),
    "revenue": sum((fact.revenue for fact in FACTS), Decimal()),
}
"""What every export adds up to."""

assert TOTALS["cost"] == Decimal("13786.44")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file as a platform makes it.

    Attributes:
        name: For people.
        contract: Name of the contract that it is of.
        source: Folder below landing/ that it belongs into.
        file_name: Likewise.
        data: Its bytes.
        breakdown: What its rows are split by.
        states_currency: Whether it says its currency itself.
        absent: Figures of `TOTALS` that it does not hold.
    """

    name: str
    contract: str
    source: str
    file_name: str
    data: bytes
    breakdown: str = ""
    states_currency: bool = True
    absent: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        """Writes it as a file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        path.write_bytes(self.data)
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a text file is written."""

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    date_form: str = "%Y-%m-%d"
    line_end: str = "\n"

    @property
    def name(self) -> str:
        """For people."""
        mark = {",": "comma", ";": "semicolon", "\t": "tab"}[self.delimiter]
        return f"{self.encoding} {mark} {self.date_form}"

    def write_number(self, number: Decimal | int, places: int | None = None) -> str:
        """A number with the style's marks."""
        text = f"{number:,}" if places is None else f"{number:,.{places}f}"
        marks = {",": self.thousands, ".": self.decimal}
        return "".join(marks.get(character, character) for character in text)

    def write_day(self, day: date) -> str:
        """A day; the form `d/m` has no leading zeros."""
        if self.date_form == "d/m/yyyy":
            return f"{day.day}/{day.month}/{day.year}"
        return day.strftime(self.date_form)

    def write_rows(self, rows: Iterable[Sequence[str]], before: Sequence[str] = ()) -> bytes:
        """The file's bytes."""
        buffer = io.StringIO()
        for line in before:
            buffer.write(line + self.line_end)
        writer = csv.writer(buffer, delimiter=self.delimiter, lineterminator=self.line_end)
        writer.writerows(rows)
        return buffer.getvalue().encode(self.encoding)


_PARTS: Final[Mapping[str, Sequence[str]]] = {
    "ad_group": ("Core", "Generic | broad"),
    "device": ("Computers", "Mobile phones", "Tablets"),
    "age": ("18-24", "25-34", "35-44"),
    "gender": ("female", "male", "unknown"),
    "placement": ("Feed", "Stories"),
    "publisher_platform": ("facebook", "instagram"),
    "ad_set": ("Prospecting", "Retargeting"),
    "ad": ("Video A", "Static B"),
}


def split_facts(names: Sequence[str]) -> list[Fact]:
    """The facts, each in parts by every one of the named splits."""
    facts = list(FACTS)
    for name in names:
        facts = [part for fact in facts for part in fact.share(_PARTS[name])]
    return facts


def list_figures(fact: Fact) -> Mapping[str, Decimal | int]:
    """What of it adds up, by canonical column."""
    return {name: getattr(fact, name) for name in TOTALS}
