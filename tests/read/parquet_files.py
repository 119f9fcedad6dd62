"""Small Parquet files with the columns of one contract, whole and damaged in known ways."""

import io
from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts import Contract
from pipeline.contracts.model import Column, Headers
from pipeline.read.thrift import read_struct


def make_column(name: str, kind: str, *, optional: bool = False, **more: object) -> Column:
    return Column(name=name, headers=Headers({"": (name,)}), type=kind, optional=optional, **more)


COLUMNS = (
    make_column("campaign_id", "text", required=True, identifier=True),
    make_column("date", "date", required=True),
    make_column("platform", "text"),
    make_column("impressions", "integer"),
    make_column("clicks", "integer"),
    make_column("cost", "decimal"),
    make_column("revenue", "decimal", optional=True),
)


def make_contract(**more: object) -> Contract:
    return Contract(
        **{
            "name": "house",
            "description": "a warehouse's export",
            "source": "house",
            "formats": ("parquet",),
            "mode": "upsert",
            "key": ("campaign_id", "date"),
            "columns": COLUMNS,
        }
        | more
    )


def make_table(rows: int = 50) -> pa.Table:
    numbers = range(rows)
    return pa.table(
        {
            "campaign_id": [f"c{number % 7}" for number in numbers],
            "date": pa.array([19_800 + number % 20 for number in numbers], pa.int32()).cast(
                pa.date32()
            ),
            "platform": [["Search", "Social"][number % 2] for number in numbers],
            "impressions": pa.array([1000 + 37 * number for number in numbers], pa.int64()),
            "clicks": pa.array([number if number % 5 else None for number in numbers], pa.int32()),
            "cost": pa.array(
                [Decimal(125 * number).scaleb(-2) for number in numbers], pa.decimal128(12, 2)
            ),
        }
    )


def replace(
    name: str, values: pa.Array | Sequence[object], table: pa.Table | None = None
) -> pa.Table:
    """A table with other values in one column, as many rows as these."""
    table = make_table(len(values)) if table is None else table
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return table.set_column(table.schema.get_field_index(name), name, array)


def to_bytes(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"write_page_checksum": True, "compression": "none"} | options)
    return sink.getvalue()


def write_zigzag(number: int, *, width: int = 0) -> bytes:
    """A number as Thrift's compact protocol writes it, on at least `width` bytes."""
    value = (number << 1) ^ (number >> 63)
    out = bytearray()
    while value > 127 or len(out) < width - 1:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def set_byte(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes([value]) + data[place + 1 :]


def flip(data: bytes, place: int, mask: int = 1) -> bytes:
    return set_byte(data, place, data[place] ^ mask)


def find_footer(data: bytes) -> int:
    return len(data) - 8 - int.from_bytes(data[-8:-4], "little")


def patch_footer(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replaces bytes of the footer once, and corrects its length."""
    start = find_footer(data)
    footer = data[start:-8]
    assert old in footer
    footer = footer.replace(old, new, 1)
    return data[:start] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


class PageHeader:
    """Where the numbers of a page's header stand.

    `places` are those of type, uncompressed size, compressed size, (checksum,) then of the
    numbers in the struct that follows; `body` is where the page's bytes begin.
    """

    def __init__(self, data: bytes, start: int, *, checksum: bool = True) -> None:
        self.start = start
        self.places: list[int] = []
        place = start
        for _ in range(4 if checksum else 3):
            place = self._add(data, place)
        self.struct = place
        place += 1
        while data[place] & 15 in {5, 6}:
            place = self._add(data, place)
        self.body = read_struct(data, start)[1]
        self.size: int = read_struct(data, start)[0][3]

    def _add(self, data: bytes, place: int) -> int:
        self.places.append(place + 1)
        place += 1
        while data[place] > 127:
            place += 1
        return place + 1


def find_start(data: bytes, column: str) -> int:
    """Where the first page of a column's first chunk begins."""
    fields, _ = read_struct(data, find_footer(data))
    for chunk in fields[4][0][1]:
        if chunk[3][3] == [column.encode()]:
            start: int = chunk[3].get(11) or chunk[3][9]
            return start
    raise AssertionError(column)
