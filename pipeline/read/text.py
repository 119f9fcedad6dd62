"""Reads a CSV file by its contract, block by block, so that memory does not grow with the file."""

import dataclasses
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.contracts import Contract
from pipeline.errors import BadFileError
from pipeline.read.recognise import HEAD_BYTES, UTF8_BOM, order_columns, read_header
from pipeline.read.records import MAX_OPEN_BYTES, BadRecord, Records, cut_records
from pipeline.schema import Fault

BLOCK_BYTES = 1 << 24
ENCODING_SHARE = 0.05


def read_head(path: Path) -> bytes:
    """The first bytes of a file, as `recognise` takes them."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def read_rows(
    path: Path, contract: Contract, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[Records]:
    """Yields the records of a file that has the contract's header.

    Args:
        path: A local CSV file.
        contract: Of format `csv`; its header has been recognised.
        block_bytes: How much is read at once.

    Returns:
        Records whose cells have one String column for each of the contract's columns, in the
        contract's order; '' where the cell is empty.

    Raises:
        BadFileError: The file as a whole is not what the contract says.
    """
    positions = order_columns(contract, read_header(read_head(path)))
    invalid: list[BadRecord] = []
    rows = 0
    for records in _cut_file(path, contract, len(positions), block_bytes):
        invalid += [record for record in records.bad if record.fault.rule == "invalid_utf8"]
        rows += len(records.lines) + len(records.bad)
        yield _set_repeated_aside(_name_cells(records, contract, positions), contract)
    if len(invalid) > ENCODING_SHARE * rows:
        # A row or two is damage; a share of all rows is a file in another encoding.
        raise BadFileError(
            "encoding",
            f"{len(invalid)} of {rows} rows are not UTF-8, first on line {invalid[0].line} "
            f"({invalid[0].fault.value}); expected UTF-8: save the file as UTF-8",
        )


def _name_cells(records: Records, contract: Contract, positions: Sequence[int]) -> Records:
    texts = records.cells.select(
        pl.col(str(position)).alias(column.name)
        for position, column in zip(positions, contract.columns, strict=True)
    )
    return dataclasses.replace(records, cells=texts)


def _set_repeated_aside(records: Records, contract: Contract) -> Records:
    """Moves rows that repeat the header, as pasted files have them, to the bad records."""
    texts = records.cells
    headers = [column.header.casefold() for column in contract.columns]
    suspects = (texts.to_series(0).str.to_lowercase() == headers[0]).arg_true().to_list()
    repeated = [row for row in suspects if [cell.casefold() for cell in texts.row(row)] == headers]
    if not repeated:
        return records
    fault = Fault("repeated_header", "", "the header again", "a row of data")
    bad = [BadRecord(int(records.lines[row]), fault, records.show(row)) for row in repeated]
    kept = np.setdiff1d(np.arange(len(texts)), repeated)
    return dataclasses.replace(
        records,
        cells=texts[kept],
        lines=records.lines[kept],
        spans=records.spans[kept],
        bad=sorted(records.bad + bad),
    )


def _cut_file(path: Path, contract: Contract, width: int, block_bytes: int) -> Iterator[Records]:
    with path.open("rb") as file:
        _skip_header(file)
        line = 2
        rest = b""
        final = False
        while not final:
            block, final = _read_block(file, block_bytes)
            records = cut_records(
                rest + block,
                first_line=line,
                width=width,
                delimiter=contract.dialect.delimiter,
                final=final,
            )
            yield records
            line += records.line_count
            rest = records.data[records.consumed :]


def _skip_header(file: io.BufferedReader) -> None:
    if file.read(len(UTF8_BOM)) != UTF8_BOM:
        file.seek(0)
    file.readline()


def _read_block(file: io.BufferedReader, block_bytes: int) -> tuple[bytes, bool]:
    """The next bytes up to a line end, with LF line ends, and whether they are the last."""
    block = file.read(block_bytes)
    if len(block) == block_bytes and not block.endswith(b"\n"):
        block += file.readline(MAX_OPEN_BYTES)
    final = not file.peek(1)
    if not final and not block.endswith(b"\n"):
        raise BadFileError("cell_too_long", f"a line is longer than {MAX_OPEN_BYTES} bytes")
    return (block.replace(b"\r\n", b"\n") if b"\r" in block else block), final
