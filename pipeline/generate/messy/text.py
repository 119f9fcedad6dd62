"""How numbers, days and rows are written into a text file."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_MARKS = {",": "comma", ";": "semicolon", "\t": "tab"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a text file is written.

    Attributes:
        encoding: A codec of Python's; UTF-16 gets its byte order mark.
        delimiter: Between cells.
        decimal: The decimal mark.
        thousands: Between groups of three digits; may be ''.
        day: How a day is written: `iso`, `padded` (03/01/2024), `short` (3/1/2024) or `midnight`.
        line_end: At the end of each line.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    day: str = "iso"
    line_end: str = "\n"

    @property
    def words(self) -> str:
        """The style in words."""
        return f"{self.encoding}, {_MARKS[self.delimiter]}, 1{self.thousands}000{self.decimal}5"

    def write_count(self, number: int) -> str:
        """A whole number."""
        return f"{number:,}".replace(",", self.thousands)

    def write_hundredths(self, hundredths: int, *, places: int = 2) -> str:
        """A number that is given in hundredths."""
        return self.write_decimal(Decimal(hundredths).scaleb(-2), places=places)

    def write_decimal(self, number: Decimal, *, places: int) -> str:
        """A number, rounded to so many places."""
        marks = {",": self.thousands, ".": self.decimal}
        return "".join(marks.get(one, one) for one in f"{number:,.{places}f}")

    def write_day(self, day: date) -> str:
        """A day."""
        forms = {
            "iso": day.isoformat(),
            "padded": f"{day:%d/%m/%Y}",
            "short": f"{day.day}/{day.month}/{day.year}",
            "midnight": f"{day.isoformat()} 00:00:00",
        }
        return forms[self.day]

    def write_record(self, cells: Sequence[str]) -> str:
        """A row of cells, quoted where they need it, without its line end."""
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=self.delimiter, lineterminator="\n").writerow(cells)
        return buffer.getvalue().removesuffix("\n")

    def write_lines(self, lines: Iterable[str]) -> bytes:
        """The bytes of a file of these lines."""
        text = "".join(line + self.line_end for line in lines)
        if self.encoding == "utf-16":  # the order of bytes is the processor's else
            return ("\ufeff" + text).encode("utf-16-le")
        return text.encode(self.encoding)
