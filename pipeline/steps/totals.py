"""Totals rows as a checksum of the rows above or below them."""

from decimal import Decimal

import polars as pl

from pipeline.contracts import Contract, Dialect
from pipeline.validate import sum_up

CHECKED = ("impressions", "clicks", "cost")
"""What is compared: figures that platforms add up without rounding them first."""

_HALF_CENT = Decimal("0.005")


class Checksum:
    """Compares the totals that a file states with the sums of its accepted rows."""

    def __init__(self, contract: Contract, dialect: Dialect) -> None:
        self._contract = contract
        self._dialect = dialect
        self._stated: list[dict[str, Decimal | int]] = []
        self._sums: dict[str, Decimal] = dict.fromkeys(CHECKED, Decimal())
        self._rows = 0

    def add(self, totals: pl.DataFrame, accepted: pl.DataFrame) -> None:
        """Takes the totals rows and the accepted rows of one block."""
        for row in range(len(totals)):
            texts = totals.slice(row, 1)
            self._stated.append(sum_up(texts, self._contract, self._dialect))
        if self._contract.totals is None:
            return
        self._rows += len(accepted)
        for name in CHECKED:
            if name in accepted.columns:
                self._sums[name] += Decimal(str(accepted[name].sum() or 0))

    def compare(self) -> str:
        """What does not agree, in words; '' where one of the totals rows agrees, or none is there.

        A report may hold several: of the rows shown, of the account, of a kind of campaign.
        """
        differences = [self._find_difference(stated) for stated in self._stated]
        return "" if "" in differences or not differences else differences[0]

    def _find_difference(self, stated: dict[str, Decimal | int]) -> str:
        for name in CHECKED:
            said, found = stated.get(name), self._sums[name]
            # Each row of a report is rounded to cents by itself, and so is their sum.
            slack = _HALF_CENT * (self._rows + 1) if name == "cost" else Decimal()
            if said is not None and abs(Decimal(said) - found) > slack:
                return (
                    f"its totals row says {name} {said:,}, and its {self._rows:,} accepted rows "
                    f"add up to {found:,}"
                )
        return ""
