"""Damaged Parquet: each file gets its one verdict, in time, and the good file beside it is read."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pytest

from pipeline.engine import Crashed, map_isolated
from pipeline.errors import BadFileError
from pipeline.read.parquet import lay_out_parquet, read_parquet_rows
from tests.read.parquet_files import (
    PageHeader,
    find_footer,
    find_start,
    flip,
    make_contract,
    make_table,
    patch_footer,
    replace,
    set_byte,
    to_bytes,
    write_zigzag,
)

GOOD = to_bytes(make_table())
CORRUPT, CHECKSUM, FOOTER = "corrupt_page", "checksum_mismatch", "corrupt_footer"


class Outcome(NamedTuple):
    rule: str
    rows: int


def judge(path: Path) -> Outcome:
    """Reads a file to its end, in a child."""
    try:
        cells = read_all(path)
    except BadFileError as error:
        return Outcome(error.rule, 0)
    return Outcome("", len(cells))


def read_all(path: Path) -> pl.DataFrame:
    layout = lay_out_parquet(path, [make_contract()])
    return pl.concat([rows.cells for rows in read_parquet_rows(path, layout)])


def allow_four_seconds(path: Path) -> float:
    return 4.0


def damage_header(number: int, *, column: str = "impressions", **options: object) -> bytes:
    """Makes a number of a column's first page header negative; -1 is the last one."""
    data = to_bytes(make_table(), **options)
    header = PageHeader(data, find_start(data, column))
    return flip(data, header.places[number])


def damage_body(
    change: Callable[[bytes, PageHeader], bytes],
    *,
    column: str = "impressions",
    page: int = 0,
    **options: object,
) -> bytes:
    data = to_bytes(make_table(), **options)
    checksum = bool(options.get("write_page_checksum", True))
    header = PageHeader(data, find_start(data, column), checksum=checksum)
    for _ in range(page):
        header = PageHeader(data, header.body + header.size, checksum=checksum)
    return change(data, header)


def declare_two_gigabytes(data: bytes, header: PageHeader) -> bytes:
    """Gives the checksum's room to the size, so that nothing else moves."""
    kind, size, stored = (
        data[header.places[0]],
        2 << 30,
        data[header.places[2] - 1 : header.places[3] - 1],
    )
    room = header.struct - header.start - 3 - len(stored)
    head = bytes([0x15, kind, 0x15]) + write_zigzag(size, width=room) + stored
    struct = data[header.struct] + 16  # one field number further from the one before
    return data[: header.start] + head + bytes([struct]) + data[header.struct + 1 :]


def flip_body(data: bytes, header: PageHeader) -> bytes:
    return flip(data, header.body + header.size - 1, 4)


def break_frame(data: bytes, header: PageHeader) -> bytes:
    return flip(data, header.body, 0xFF)


def break_level_length(data: bytes, header: PageHeader) -> bytes:
    return data[: header.body] + b"\xff\xff\xff\x7f" + data[header.body + 4 :]


def break_width(data: bytes, header: PageHeader) -> bytes:
    levels = 4 + int.from_bytes(data[header.body : header.body + 4], "little")
    return set_byte(data, header.body + levels, 0xFF)


def break_indices(data: bytes, header: PageHeader) -> bytes:
    levels = 4 + int.from_bytes(data[header.body : header.body + 4], "little")
    first = header.body + levels + 2
    end = header.body + header.size
    return data[:first] + b"\xff" * (end - first) + data[end:]


def no_checksum(**more: object) -> dict[str, object]:
    return {"write_page_checksum": False} | more


def declare_three_gigabytes() -> bytes:
    footer = GOOD[find_footer(GOOD) :]
    rows = b"\x16" + write_zigzag(50) + b"\x16"
    place = footer.index(rows) + len(rows)
    end = place
    while footer[end] > 127:
        end += 1
    old = rows + footer[place : end + 1]
    return patch_footer(GOOD, old, rows + write_zigzag(3 << 30))


def glue_text() -> bytes:
    names = pa.array([b"ok", b"\xff\xfe", b"ok"]).view(pa.string())
    return to_bytes(replace("platform", names), write_statistics=False)


PLAIN = {"use_dictionary": False}
V2 = {"use_dictionary": False, "data_page_version": "2.0"}
START = write_zigzag(find_start(to_bytes(make_table(), **PLAIN), "impressions"))

FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no bytes between the magic": ("truncated_parquet", lambda: b"PAR1PAR1"),
    "cut at half": ("truncated_parquet", lambda: GOOD[: len(GOOD) // 2]),
    "cut by 8": ("truncated_parquet", lambda: GOOD[:-8]),
    "cut by 1": ("truncated_parquet", lambda: GOOD[:-1]),
    "huge footer": (FOOTER, lambda: GOOD[:-8] + b"\xff\xff\xff\x7fPAR1"),
    "no footer": (FOOTER, lambda: GOOD[:-8] + b"\0\0\0\0PAR1"),
    "short footer": (FOOTER, lambda: GOOD[:-8] + b"\x20\0\0\0PAR1"),
    "blank footer": (FOOTER, lambda: GOOD[: find_footer(GOOD)] + b"\x15" * 400 + GOOD[-8:]),
    "other first magic": ("corrupt_header", lambda: b"PAR2" + GOOD[4:]),
    "a CSV": ("corrupt_header", lambda: b"campaign_id,date\nc1,2024-01-01\n"),
    "two files": ("trailing_or_leading_data", lambda: GOOD + GOOD),
    "magic twice": ("trailing_or_leading_data", lambda: b"PAR1" + GOOD),
    "zeros before the footer": (
        "trailing_or_leading_data",
        lambda: GOOD[: find_footer(GOOD)] + bytes(100) + GOOD[find_footer(GOOD) :],
    ),
    "encrypted": ("encrypted", lambda: b"PARE" + GOOD[4:-4] + b"PARE"),
    "wrong sum of rows": (FOOTER, lambda: patch_footer(GOOD, b"\x16d\x19", b"\x16f\x19")),
    "wrong enum in the schema": (
        FOOTER,
        lambda: patch_footer(GOOD, b"\x15\x04%\x02\x18\x0bimp", b"\x15\x3e%\x02\x18\x0bimp"),
    ),
    "a column with too few values": (
        CORRUPT,
        lambda: patch_footer(GOOD, b"\x16d\x16", b"\x16b\x16"),
    ),
    "a column beyond the end": (
        FOOTER,
        lambda: patch_footer(
            to_bytes(make_table(), **PLAIN), b"&" + START, b"&" + write_zigzag(1 << 20)
        ),
    ),
    "a chunk of 3 GB": ("too_large", declare_three_gigabytes),
    "a page of 2 GB": ("too_large", lambda: damage_body(declare_two_gigabytes, **PLAIN)),
    "negative uncompressed size": (CORRUPT, lambda: damage_header(1)),
    "negative compressed size": (CORRUPT, lambda: damage_header(2)),
    "negative dictionary count": (CORRUPT, lambda: damage_header(4)),
    "negative count": (CORRUPT, lambda: damage_header(4, **PLAIN)),
    "negative count, v2": (CORRUPT, lambda: damage_header(4, **V2)),
    "negative levels, v2": (CORRUPT, lambda: damage_header(8, **V2)),
    "flip, plain page": (CHECKSUM, lambda: damage_body(flip_body, **PLAIN)),
    "flip, dictionary": (CHECKSUM, lambda: damage_body(flip_body)),
    "flip, indices": (CHECKSUM, lambda: damage_body(flip_body, page=1)),
    "flip, plain page v2": (CHECKSUM, lambda: damage_body(flip_body, **V2)),
    "flip, zstd": (CHECKSUM, lambda: damage_body(flip_body, compression="zstd", **PLAIN)),
    "flip, snappy v2": (CHECKSUM, lambda: damage_body(flip_body, compression="snappy", **V2)),
    "no zstd frame": (
        CORRUPT,
        lambda: damage_body(break_frame, **no_checksum(compression="zstd", **PLAIN)),
    ),
    "no gzip member": (
        CORRUPT,
        lambda: damage_body(break_frame, **no_checksum(compression="gzip", **PLAIN)),
    ),
    "endless levels": (CORRUPT, lambda: damage_body(break_level_length, **no_checksum(**PLAIN))),
    "indices of 255 bits": (CORRUPT, lambda: damage_body(break_width, page=1, **no_checksum())),
    "indices beyond the dictionary": (
        CORRUPT,
        lambda: damage_body(break_indices, column="campaign_id", page=1, **no_checksum()),
    ),
    "text that is not UTF-8": ("encoding", glue_text),
}


def test_each_damaged_file_has_its_one_verdict_and_the_good_one_beside_it_is_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "good.parquet").write_bytes(GOOD)
    paths = {name: tmp_path / f"{number}.parquet" for number, name in enumerate(FILES)}
    for name, path in paths.items():
        path.write_bytes(FILES[name][1]())
    good, *found = map_isolated(
        judge,
        [tmp_path / "good.parquet", *paths.values()],
        workers=2,
        cpu_seconds=allow_four_seconds,
        memory_bytes=4 << 30,
    )
    assert good == Outcome("", 50)
    verdicts = dict(zip(paths, found, strict=True))
    assert verdicts == {name: Outcome(rule, 0) for name, (rule, _) in FILES.items()}
    assert len(FILES) >= 25


def count_silent_changes(folder: Path) -> tuple[int, int, list[int]]:
    """Flips a random bit, 200 times: how many files were refused and read, and which changed."""
    path = folder / "flipped.parquet"
    path.write_bytes(GOOD)
    expected = read_all(path)
    chance = random.Random(20_261_124)
    refused = read = 0
    changed = []
    for _ in range(200):
        place = chance.randrange(len(GOOD))
        path.write_bytes(flip(GOOD, place, 1 << chance.randrange(8)))
        try:
            found = read_all(path)
        except BadFileError:
            refused += 1
            continue
        read += 1
        if not found.equals(expected):
            changed.append(place)
    return refused, read, changed


def test_no_flipped_bit_changes_a_value_silently(tmp_path: Path) -> None:
    [result] = map_isolated(count_silent_changes, [tmp_path], workers=1)
    assert not isinstance(result, Crashed), result
    refused, read, changed = result
    assert (refused + read, changed) == (200, [])
    assert refused > 100


@pytest.mark.parametrize("mask", [2, 4, 6])
def test_a_decimal_whose_scale_is_damaged_in_one_place_is_refused(
    tmp_path: Path, mask: int
) -> None:
    path = tmp_path / "scale.parquet"
    old = b"\x5c\x15\x04\x15\x18\x00"
    path.write_bytes(patch_footer(GOOD, old, old[:2] + bytes([4 ^ mask]) + old[3:]))
    assert judge(path) == Outcome(FOOTER, 0)
