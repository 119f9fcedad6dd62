"""Rows of a file that sum up the others: taken out of the records, wherever blocks end."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.contracts.model import CAMPAIGN, Totals
from pipeline.read.layout import Layout
from pipeline.read.records import BadRecord, Records
from pipeline.schema import Fault

MAX_TOTALS: Final = 1000
"""Rows of totals at the end of a file: more in a row are no totals, and would have to be kept."""


@dataclass(slots=True)
class TotalsFinder:
    """Finds the totals of one file, block after block.

    Attributes:
        layout: Of the file; its contract says what totals look like.
    """

    layout: Layout
    _begun: bool = False
    _waiting: list[pl.DataFrame] = field(default_factory=list)
    _waiting_bad: list[BadRecord] = field(default_factory=list)
    _run: int = 0

    def take(self, records: Records, *, final: bool) -> Records:
        """Moves the totals of the next block out of its cells.

        Args:
            records: Whose cells are named by their places, `0`, `1`, ...
            final: Whether the file ends with them.

        Returns:
            The records. A row that looks like totals and turns out to stand elsewhere is a bad
            one, of this block or of the one that told.
        """
        totals = self.layout.contract.totals
        if totals is None:
            return replace(records, totals=records.cells.clear())
        rows = self._find_candidates(records, totals)
        if totals.position == "first":
            return self._take_first(records, rows)
        return self._take_last(records, rows, final=final)

    def _take_first(self, records: Records, rows: npt.NDArray[np.int64]) -> Records:
        begun, self._begun = self._begun, self._begun or bool(len(records.lines) or records.bad)
        leads = len(records.lines) and not (records.bad and records.bad[0].line < records.lines[0])
        if begun or not leads or 0 not in rows:
            return replace(records, totals=records.cells.clear())
        return replace(records.set_aside([0]), totals=records.cells[:1])

    def _take_last(self, records: Records, rows: npt.NDArray[np.int64], *, final: bool) -> Records:
        bad: list[BadRecord] = []
        ordinary = np.setdiff1d(np.arange(len(records.lines)), rows)
        last = int(ordinary[-1]) if len(ordinary) else -1
        if len(ordinary):
            bad += self._give_up_waiting()
            self._run = 0
        tail = rows[rows > last]
        bad += [self._judge(records, row) for row in rows[rows < last].tolist()]
        self._run += len(tail)
        self._waiting.append(records.cells[tail])
        self._waiting_bad += [self._judge(records, row) for row in tail.tolist()]
        if self._run > MAX_TOTALS:
            bad += self._give_up_waiting()
        found = records.cells.clear()
        if final:
            found = pl.concat([found, *self._waiting])
        return replace(
            records.set_aside(rows.tolist(), bad) if len(rows) or bad else records, totals=found
        )

    def _give_up_waiting(self) -> list[BadRecord]:
        waiting, self._waiting_bad = self._waiting_bad, []
        self._waiting = []
        return waiting

    def _find_candidates(self, records: Records, totals: Totals) -> npt.NDArray[np.int64]:
        """The rows that look like totals.

        A row that names a campaign and lacks its date is data with a fault, and no totals.
        """
        positions, nulls = self.layout.positions, self.layout.dialect.null_words
        places = [positions[name][0] for name in totals.empty if name in positions]
        campaign = CAMPAIGN & positions.keys()
        unnamed = bool(campaign) and campaign <= set(totals.empty)
        if not totals.labels and not unnamed:
            return np.empty(0, np.int64)
        rows = np.arange(len(records.cells))
        if places:
            looks = pl.all_horizontal(
                _is_missing(place, nulls) | _is_labelled(pl.col(str(place)), totals.labels)
                for place in places
            )
            rows = records.cells.select(pl.arg_where(looks)).to_series().to_numpy()
        if len(rows) and not unnamed:
            labelled = pl.any_horizontal(_is_labelled(pl.all(), totals.labels))
            rows = rows[records.cells[rows].select(labelled).to_series().to_numpy()]
        return rows.astype(np.int64)

    def _judge(self, records: Records, row: int) -> BadRecord:
        totals = self.layout.contract.totals
        column = totals.empty[0] if totals and totals.empty else ""
        fault = Fault(f"missing_{column}", column, "", "a value")
        if not column:
            fault = Fault("totals_inside", "", "totals", "totals after all other rows")
        return BadRecord(int(records.lines[row]), fault, records.show(row))


def _is_labelled(cell: pl.Expr, labels: Sequence[str]) -> pl.Expr:
    if not labels:
        return pl.lit(value=False)
    lower = cell.str.to_lowercase()
    return pl.any_horizontal(lower.str.starts_with(label.lower()) for label in labels)


def _is_missing(place: int, null_words: tuple[str, ...]) -> pl.Expr:
    cell = pl.col(str(place))
    longest = max(map(len, (word.encode() for word in null_words)), default=0)
    # Most cells are longer than any null word, and their case need not be looked at.
    short = cell.str.len_bytes() <= 2 * longest
    return short & cell.str.to_lowercase().is_in(["", *null_words])
