"""Reads a delivered Parquet file by its contract, batch by batch, as rows of canonical text."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts.model import Contract, Dialect
from pipeline.errors import BadFileError
from pipeline.read.choose import Miss, choose_layout, find_nearest
from pipeline.read.header import HeaderMiss, match_header
from pipeline.read.layout import Layout
from pipeline.read.parquet_footer import read_footer
from pipeline.read.parquet_pages import check_pages
from pipeline.read.parquet_rows import ParquetRows, cut_rows
from pipeline.read.parquet_types import WantedColumn, check_type, is_exact_int96, write_texts

BATCH_ROWS: Final = 1 << 17

_IDENTIFIERS: Final = frozenset({"account", "campaign_id"})
_BUFFER_BYTES: Final = 1 << 20


def lay_out_parquet(
    path: Path, contracts: Iterable[Contract], *, source: str | None = None
) -> Layout:
    """Tells the contract whose columns a Parquet file has, and where they are.

    Args:
        path: A local file.
        contracts: To choose from; those that take no Parquet are passed over.
        source: Of the folder that it lies in: its contracts are tried first, all others only
            if none of them fits.

    Raises:
        BadFileError: What surrounds its data is damaged (see `read_footer`); `missing_column`,
            `header_mismatch` or what else `choose_layout` raises; `schema_type:<column>`.
    """
    read_footer(path)
    with _say_damage("corrupt_footer"), _open(path) as file:
        schema = file.schema_arrow
        names = list(schema.names)
    misses: list[Miss] = []

    def fit(contract: Contract) -> Layout | Sequence[Miss]:
        found = match_header(names, contract)
        if isinstance(found, HeaderMiss):
            misses.append(Miss(contract, found))
            return misses[-1:]
        return Layout(
            contract=contract,
            dialect=Dialect(exponents=True),
            format="parquet",
            encoding="",
            header_line=0,
            width=found.width,
            positions=found.positions,
            breakdowns=found.breakdowns,
            end_position=found.end_position,
            fold_positions=found.fold_positions,
            ignored=found.ignored,
            ignored_positions=found.ignored_positions,
            currency=found.currency,
            why="its Parquet columns",
        )

    wanted = [contract for contract in contracts if "parquet" in contract.formats]
    try:
        layout = choose_layout(wanted, fit, source=source)
    except BadFileError as error:
        is_mismatch = error.rule == "header_mismatch" and misses
        if is_mismatch and find_nearest(misses).miss.missing:
            raise BadFileError("missing_column", str(error)) from error
        raise
    for position, column in _list_columns(layout):
        check_type(schema.field(position).type, column)
    return layout


def read_parquet_rows(path: Path, layout: Layout) -> Iterator[ParquetRows]:
    """Yields the rows of a file that `lay_out_parquet` recognised, at most `BATCH_ROWS` at once.

    Row groups are read one by one, and pages only as they are needed.

    Args:
        path: The same local file.
        layout: What `lay_out_parquet` returned for it.

    Raises:
        BadFileError: `too_large`, `corrupt_page`, `checksum_mismatch`, `encoding` or
            `schema_type:<column>`. Rows before the damage may have been yielded.
    """
    footer = read_footer(path)
    columns = _list_columns(layout)
    with _say_damage("corrupt_footer"), _open(path) as file:
        names = file.schema_arrow.names
    wanted = frozenset(names[position] for position, _ in columns)
    places = [place for place, name in enumerate(names) if name in wanted]
    check_pages(path, footer, wanted)
    row = 1
    for batch in _read_batches(path, [names[place] for place in places]):
        arrays = dict(zip(places, batch.columns, strict=True))
        texts = [
            (position, column, write_texts(arrays[position], column))
            for position, column in columns
        ]
        yield cut_rows(texts, layout, names, row)
        row += batch.num_rows
    if row != footer.rows + 1:
        raise BadFileError("corrupt_page", f"it holds {row - 1} rows; expected {footer.rows}")


def _list_columns(layout: Layout) -> list[tuple[int, WantedColumn]]:
    """What each place in the file must hold, those that nobody reads left out."""
    columns = []
    for column in layout.contract.columns:
        digits = column.identifier or column.name in _IDENTIFIERS
        wanted = WantedColumn(column.name, column.type, digits=digits)
        columns += [(place, wanted) for place in layout.positions.get(column.name, ())]
    columns += [
        (place, WantedColumn(name, "text", digits=True))
        for name, place in layout.breakdowns.items()
    ]
    columns += [
        (place, WantedColumn("part", "text", digits=True)) for place in layout.fold_positions
    ]
    if layout.end_position is not None:
        columns.append((layout.end_position, WantedColumn("_end", "date")))
    return columns


def _open(path: Path, *, int96_unit: str | None = None) -> pq.ParquetFile:
    return pq.ParquetFile(
        path,
        buffer_size=_BUFFER_BYTES,
        page_checksum_verification=True,
        coerce_int96_timestamp_unit=int96_unit,
    )


def _read_batches(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with _say_damage("corrupt_page"), _open(path) as file:
        wide = [
            column.path
            for column in map(file.schema.column, range(len(file.schema.names)))
            if column.physical_type == "INT96" and column.path in names
        ]
        for group in range(file.num_row_groups):
            batches = _read_group(file, group, list(dict.fromkeys(names)))
            if not wide:
                yield from batches
                continue
            with _open(path, int96_unit="ms") as coarse_file:
                coarse = _read_group(coarse_file, group, wide)
                for fine, check in zip(batches, coarse, strict=True):
                    _check_int96(fine, check)
                    yield fine


def _read_group(file: pq.ParquetFile, group: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
    return file.iter_batches(BATCH_ROWS, [group], columns=columns, use_threads=False)


def _check_int96(fine: pa.RecordBatch, coarse: pa.RecordBatch) -> None:
    for name in coarse.schema.names:
        if not is_exact_int96(fine.column(name), coarse.column(name)):
            raise BadFileError(
                "schema_type:date",
                f"column {name!r} holds int96 times beyond the years 1677 to 2262, or finer than "
                "milliseconds; expected dates",
            )


@contextmanager
def _say_damage(rule: str) -> Iterator[None]:
    """Turns what the library says of damaged bytes into the reason that the person is told."""
    try:
        yield
    except MemoryError:
        raise  # no fault of the file, or one that its reader's limit speaks of
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the machine's fault
        text = " ".join(str(error).split())[:300]
        damaged = "checksum_mismatch" if "CRC" in text or "checksum" in text.lower() else rule
        raise BadFileError(damaged, f"its data is damaged ({text}); get the file again") from error
