"""Rows of a Parquet file as canonical text: which are well-formed, and how each was delivered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from pipeline.read.layout import Layout, join_texts
from pipeline.read.lines import MAX_LINE_BYTES, Positions, length_fault
from pipeline.read.parquet_types import WantedColumn
from pipeline.read.records import BadRecord
from pipeline.schema import END_CELL, PART_CELL, Fault

_CONTROL: Final = r"[\x00-\x08\x0b-\x1f\x7f]"
_CONTROL_CODES: Final = frozenset(range(32)) - {9, 10} | {127}


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """Some rows of a Parquet file.

    Attributes:
        cells: One row a well-formed row, columns as `read_rows` gives them: String, no nulls.
        lines: The place of each row of `cells` in the file, from 1.
        bad: The rows that have no cells to look at, in order.
        first_row: The place of the first row that was read.
        delivered: All rows that were read, by the file's own names; null where missing.
    """

    cells: pl.DataFrame
    lines: Positions
    bad: list[BadRecord]
    first_row: int
    delivered: Mapping[str, pl.Series]

    def show(self, row: int) -> str:
        """The values of a row of `cells` as they were delivered, as a JSON object of texts."""
        return _show(self.delivered, int(self.lines[row]) - self.first_row)


def cut_rows(
    texts: Sequence[tuple[int, WantedColumn, pl.Series]],
    layout: Layout,
    names: Sequence[str],
    first_row: int,
) -> ParquetRows:
    """Sets aside the rows that are not well-formed, and names the columns of the others.

    Args:
        texts: For each place in the file that is read, what it must be and its texts.
        layout: Which column is where.
        names: The file's own names.
        first_row: The place of the first row in the file, from 1.
    """
    by_place = {position: series for position, _, series in texts}
    delivered = {names[position]: series for position, series in by_place.items()}
    cells = {
        position: series.fill_null("").str.strip_chars(" \t")
        for position, series in by_place.items()
    }
    faults = _find_faults(list(cells.values()))
    frame = {name: cells[place] for name, place in layout.list_cells()}
    for column, places in layout.repeated.items():
        for other in places[1:]:
            for row in (cells[other] != cells[places[0]]).arg_true().to_list():
                value = f"{cells[places[0]][row]} and {cells[other][row]}"[:200]
                fault = Fault("repeated_columns_differ", column, value, "the same text in both")
                faults.setdefault(row, fault)
    if layout.breakdowns:
        split = [*layout.breakdowns.values()]
        texts_of = pl.DataFrame([cells[place].alias(str(place)) for place in split])
        frame["segment"] = texts_of.select(join_texts(split)).to_series()
    if layout.end_position is not None:
        frame[END_CELL] = cells[layout.end_position]
    if parts := layout.list_parts():
        texts_of = pl.DataFrame([cells[place].alias(str(place)) for place in parts])
        frame[PART_CELL] = texts_of.select(pl.concat_str(pl.all(), separator="\x1f")).to_series()
    rows = pl.DataFrame(frame)
    kept = np.ones(len(rows), bool)
    kept[list(faults)] = False
    return ParquetRows(
        cells=rows.filter(kept) if faults else rows,
        lines=np.flatnonzero(kept) + first_row,
        bad=[
            BadRecord(first_row + row, fault, _show(delivered, row))
            for row, fault in sorted(faults.items())
        ],
        first_row=first_row,
        delivered=delivered,
    )


def _find_faults(cells: Sequence[pl.Series]) -> dict[int, Fault]:
    """The rows that no reader may look into: with control characters, or too long."""
    faults: dict[int, Fault] = {}
    sizes = np.zeros(len(cells[0]), np.int64)
    for texts in cells:
        sizes += texts.str.len_bytes().to_numpy()
        for row in texts.str.contains(_CONTROL).arg_true().to_list():
            code = next(ord(char) for char in texts[row] if ord(char) in _CONTROL_CODES)
            fault = Fault("control_char", "", f"U+{code:04X}", "no control characters")
            faults.setdefault(row, fault)
    for row in np.flatnonzero(sizes > MAX_LINE_BYTES).tolist():
        faults.setdefault(row, length_fault(int(sizes[row])))
    return faults


def _show(delivered: Mapping[str, pl.Series], row: int) -> str:
    return json.dumps({name: series[row] for name, series in delivered.items()}, ensure_ascii=False)
