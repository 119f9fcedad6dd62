"""Reads a CSV file by its layout, block by block, so that memory does not grow with the file."""

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from pipeline.contracts.model import Encoding
from pipeline.errors import BadFileError
from pipeline.read.encoding import UTF8_BOM, write_as_utf8
from pipeline.read.header import normalise_name, read_names
from pipeline.read.layout import Layout, join_texts
from pipeline.read.lines import MAX_OPEN_BYTES
from pipeline.read.open import open_delivery
from pipeline.read.records import BadRecord, Records, cut_records
from pipeline.read.totals import TotalsFinder
from pipeline.schema import END_CELL, PART_CELL, REST_CELL, SEGMENT, Fault

BLOCK_BYTES = 1 << 24
ENCODING_SHARE = 0.05


def read_rows(
    path: Path, layout: Layout, *, block_bytes: int = BLOCK_BYTES, scratch: Path | None = None
) -> Iterator[Records]:
    """Yields the records of a file.

    Args:
        path: A local CSV file, plain or gzip.
        layout: What `recognise` found out about it.
        block_bytes: How much is read at once.
        scratch: A folder for temporary files; the system's where not given.

    Returns:
        Records whose cells are Strings without nulls, '' where a cell is empty: one column for
        each in `layout.list_cells()`; `segment` where the file has breakdowns, their texts
        joined; and what else there is of `END_CELL`, `PART_CELL` and `REST_CELL`.

    Raises:
        BadFileError: The file as a whole is not what the contract says.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        plain = _open_plain(path, layout, Path(folder))
        invalid: list[BadRecord] = []
        rows = 0
        for records in _read_plain(plain, layout, block_bytes):
            invalid += [record for record in records.bad if record.fault.rule == "invalid_utf8"]
            rows += len(records.lines) + len(records.bad)
            yield records
    if len(invalid) > ENCODING_SHARE * rows:
        # A row or two is damage; a share of all rows is a file in another encoding.
        raise BadFileError(
            "encoding",
            f"{len(invalid)} of {rows} rows are not UTF-8, first on line {invalid[0].line} "
            f"({invalid[0].fault.value}); expected UTF-8: save the file as UTF-8",
        )


def _open_plain(path: Path, layout: Layout, folder: Path) -> Path:
    """The file's bytes as plain UTF-8."""
    plain = open_delivery(path, folder).path
    if layout.encoding == "utf-8":
        return plain
    target = folder / "utf-8"
    write_as_utf8(plain, cast(Encoding, layout.encoding), target)
    return target


@dataclass(frozen=True, slots=True)
class _Header:
    """The header as it stands in the file: its names as compared, and one to look for first."""

    names: tuple[str, ...]
    longest: int


def _read_plain(path: Path, layout: Layout, block_bytes: int) -> Iterator[Records]:
    totals = TotalsFinder(layout)
    with path.open("rb") as file:
        header = _skip_header(file, layout)
        for records, final in _cut_file(file, layout, block_bytes):
            rows = _drop_footer(records, layout.contract.footer) if final else records
            data = totals.take(_set_headers_aside(rows, header), final=final)
            yield _set_contradictions_aside(data, layout)


def _set_headers_aside(records: Records, header: _Header) -> Records:
    """Moves rows that repeat the header, as pasted files have them, to the bad records."""
    suspect = header.names[header.longest]
    texts = records.cells.to_series(header.longest)
    lowered = texts.str.to_lowercase() == suspect
    rows = [
        row
        for row in lowered.arg_true().to_list()
        if tuple(map(normalise_name, records.cells.row(row))) == header.names
    ]
    fault = Fault("repeated_header", "", "the header again", "a row of data")
    return _reject(records, dict.fromkeys(rows, fault))


def _drop_footer(records: Records, beginnings: Sequence[str]) -> Records:
    """Leaves out the lines after all rows that are declared to be none; they count as blank."""
    last = int(records.lines[-1]) if len(records.lines) else 0
    kept = list(records.bad)
    while kept and kept[-1].line > last and kept[-1].raw.lstrip('"').startswith(tuple(beginnings)):
        kept.pop()
    return replace(records, bad=kept, blank=records.blank + len(records.bad) - len(kept))


def _set_contradictions_aside(records: Records, layout: Layout) -> Records:
    """Names the cells, and moves rows whose repeated columns differ to the bad records."""
    faults: dict[int, Fault] = {}
    for column, places in layout.repeated.items():
        first = pl.col(str(places[0]))
        for place in places[1:]:
            differs = pl.arg_where(first != pl.col(str(place)))
            for row in records.cells.select(differs).to_series().to_list():
                value = " and ".join(records.cells.row(row)[one] for one in (places[0], place))
                fault = Fault("repeated_columns_differ", column, value, "the same text in both")
                faults.setdefault(row, fault)
    kept = _reject(records, faults)
    names = _name_cells(layout)
    return replace(kept, cells=kept.cells.select(names), totals=kept.totals.select(names))


def _name_cells(layout: Layout) -> list[pl.Expr]:
    named = [pl.col(str(place)).alias(name) for name, place in layout.list_cells()]
    if layout.breakdowns:
        named.append(join_texts([*layout.breakdowns.values()]).alias(SEGMENT))
    if layout.end_position is not None:
        named.append(pl.col(str(layout.end_position)).alias(END_CELL))
    if parts := layout.list_parts():
        named.append(_join_all(parts).alias(PART_CELL))
    if layout.ignored_positions and layout.contract.mode == "replace_window":
        named.append(_join_all(layout.ignored_positions).hash().alias(REST_CELL))
    return named


def _join_all(places: Sequence[int]) -> pl.Expr:
    """The texts of some columns as one; no cell holds the mark between them."""
    return pl.concat_str([pl.col(str(place)) for place in places], separator="\x1f")


def _reject(records: Records, faults: Mapping[int, Fault]) -> Records:
    if not faults:
        return records
    bad = [
        BadRecord(int(records.lines[row]), fault, records.show(row))
        for row, fault in faults.items()
    ]
    return records.set_aside(list(faults), bad)


def _cut_file(
    file: io.BufferedReader, layout: Layout, block_bytes: int
) -> Iterator[tuple[Records, bool]]:
    """The records after the header, and whether they are the last."""
    line = layout.header_line + 1
    rest = b""
    final = False
    while not final:
        block, final = _read_block(file, block_bytes)
        records = cut_records(
            rest + block,
            first_line=line,
            width=layout.width,
            delimiter=layout.dialect.delimiter,
            final=final,
        )
        yield records, final
        line += records.line_count
        rest = records.data[records.consumed :]


def _skip_header(file: io.BufferedReader, layout: Layout) -> _Header:
    if file.read(len(UTF8_BOM)) != UTF8_BOM:
        file.seek(0)
    line = b""
    for _ in range(layout.header_line):
        line = file.readline()
    text = line.decode().rstrip("\r\n")
    names = tuple(map(normalise_name, read_names(text, layout.dialect.delimiter)))
    return _Header(names, int(np.argmax([len(name) for name in names])))


def _read_block(file: io.BufferedReader, block_bytes: int) -> tuple[bytes, bool]:
    """The next bytes up to a line end, with LF line ends, and whether they are the last."""
    block = file.read(block_bytes)
    if len(block) == block_bytes and not block.endswith(b"\n"):
        block += file.readline(MAX_OPEN_BYTES)
    final = not file.peek(1)
    if not final and not block.endswith(b"\n"):
        raise BadFileError("cell_too_long", f"a line is longer than {MAX_OPEN_BYTES} bytes")
    return (block.replace(b"\r\n", b"\n") if b"\r" in block else block), final
