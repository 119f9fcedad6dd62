"""The bad inputs by name: what is delivered, and what a merge has to make of it."""

import gzip
import io
import os
import random
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from tests.lots import HEADER, make_line
from tests.read.parquet_files import (
    PageHeader,
    find_footer,
    find_start,
    flip,
    patch_footer,
    replace,
    to_bytes,
    write_zigzag,
)

Rejects = Sequence[tuple[int, str]]
"""Line and rule."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A delivered file and its one right outcome.

    `reason` is why the whole file is refused. Else so many rows are accepted, and `rejects` are
    not; `stored` are values that the master holds of this source, by column. `place` puts
    something else than a regular file there.
    """

    data: bytes = b""
    name: str = "lot.csv"
    reason: str = ""
    accepted: int = 0
    rejects: Rejects = ()
    control: int = 0
    duplicates: int = 0
    superseded: int = 0
    remarks: Mapping[str, int] = field(default_factory=dict)
    stored: Mapping[str, Sequence[object]] = field(default_factory=dict)
    place: Callable[[Path], object] | None = None

    @property
    def good(self) -> bytes:
        """A good file of the same kind: a source keeps one."""
        canonical = self.name.endswith(".parquet") or self.data.startswith(CANONICAL.encode())
        return GOOD_CANONICAL if canonical else GOOD_LOT

    @property
    def outcome(self) -> str:
        if self.reason:
            return "quarantined"
        return "merged" if self.accepted or self.rejects else "no_rows"


BEFORE, AFTER = make_line(campaign_id="before"), make_line(campaign_id="after")
CANONICAL = "campaign_id,campaign_name,date,cost,currency"


def join(*lines: str, header: str = HEADER, end: str = "\n") -> bytes:
    return (end.join([header, *lines]) + end).encode()


LOT = join(BEFORE, AFTER)
GOOD_LOT = join(make_line(campaign_id="good"))
GOOD_CANONICAL = join("good,Good,2024-03-01,1.50,EUR", header=CANONICAL)


def refuse(data: bytes, reason: str, name: str = "lot.csv") -> Case:
    return Case(data=data, name=name, reason=reason)


def accept(data: bytes, accepted: int = 2, **more: object) -> Case:
    return Case(data=data, accepted=accepted, **more)


def reject_line(line: str, rule: str) -> Case:
    """A line between two good ones."""
    return accept(join(BEFORE, line, AFTER), rejects=((3, rule),))


def reject(rule: str, **cells: object) -> Case:
    return reject_line(make_line(**cells), rule)


def take(stored: Mapping[str, Sequence[object]] | None = None, **cells: object) -> Case:
    """A row between two good ones that is taken; `stored` are its values."""
    data = join(BEFORE, make_line(**cells), AFTER)
    return accept(data, 3, stored=stored or {})


def take_id(text: str) -> Case:
    return take({"campaign_id": sorted(["after", "before", text])}, campaign_id=text)


def flag(remark: str, **cells: object) -> Case:
    return accept(join(BEFORE, make_line(**cells), AFTER), 3, remarks={remark: 1})


def quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def take_names(*names: str, end: str = "\n") -> Case:
    """Campaign names that come through as they are."""
    lines = [f"c{number},{quote(name)},2024-03-01,1.50,EUR" for number, name in enumerate(names)]
    data = join(*lines, header=CANONICAL, end=end)
    stored: list[object] = [*sorted(names)]
    return accept(data, len(names), stored={"campaign_name": stored})


def take_canonical(text: str, *names: str | None) -> Case:
    """A canonical CSV as it stands, and the campaign names in it."""
    kept: list[object] = [*sorted(name for name in names if name is not None)]
    return accept(text.encode(), len(names), stored={"campaign_name": kept})


def make_tar() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        member = tarfile.TarInfo("lot.csv")
        member.size = len(LOT)
        archive.addfile(member, io.BytesIO(LOT))
    return sink.getvalue()


def make_zip() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("lot.csv", LOT)
    return sink.getvalue()


def make_bomb() -> bytes:
    """44 MB of good rows in far less than a hundredth."""
    line = (BEFORE + "\n").encode()
    return gzip.compress(join() + line * (44_000_000 // len(line)), mtime=0)


def break_crc(data: bytes) -> bytes:
    return flip(data, len(data) - 8)


def link(path: Path) -> None:
    target = path.parents[2] / "linked.csv"
    target.write_bytes(LOT)
    path.symlink_to(target)


GZIP = gzip.compress(LOT, mtime=0)
SECOND = gzip.compress((make_line(campaign_id="second") + "\n").encode(), mtime=0)
NOISE = random.Random(7).randbytes(4096)
LONG = "/".join(["x" * 100] * 6) + "/lot.csv"

FILES = {
    "A1 zero bytes": refuse(b"", "empty_file"),
    "A2 header only": accept(join(), 0),
    "A3 only newlines": refuse(b"\n\r\n\n", "empty_file"),
    "A10 backslash": refuse(LOT, "bad_name", "a\\b.csv"),
    "A10 newline": refuse(LOT, "bad_name", "a\nb.csv"),
    "A10 control character": refuse(LOT, "bad_name", "a\x7fb.csv"),
    "A10 too long": refuse(LOT, "bad_name", LONG),
    "A11 brackets": accept(LOT, name="data[1].csv"),
    "A11 star": accept(LOT, name="star*.csv"),
    "A11 question mark": accept(LOT, name="q?.csv"),
    "A11 spaces and accents": accept(LOT, name="informe campaña (1) ñandú.csv"),
    "A12 folder of another date": refuse(LOT, "partition_mismatch", "date=2030-01-01/x.csv"),
    "A12 folder of another platform": refuse(LOT, "partition_mismatch", "platform=evil/x.csv"),
    "A12 folder that agrees": accept(LOT, name="date=2024-03-01/x.csv"),
    "A13 folder named csv": accept(LOT, name="x.csv/lot.csv"),
    "A13 fifo": Case(reason="not_regular_file", place=os.mkfifo),
    "A13 link": Case(reason="not_regular_file", place=link),
    "A15 CSV named parquet": refuse(LOT, "not_parquet", "lot.parquet"),
    "A16 error of S3": refuse(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code></Error>', "not_csv"
    ),
    "A16 web page": refuse(b"<!DOCTYPE html>\n<html><body>502</body></html>\n", "not_csv"),
    "A17 JSON": refuse(b'[{"campaign_id": "c1", "clicks": 1}]\n', "header_mismatch"),
    "A18 gzip named csv": accept(GZIP),
    "A18 gzip": accept(GZIP, name="lot.csv.gz"),
    "A18 gzip in gzip": refuse(gzip.compress(GZIP, mtime=0), "compressed", "lot.csv.gz"),
    "A19 bomb": refuse(make_bomb(), "too_large", "lot.csv.gz"),
    "A20 cut": refuse(GZIP[:-12], "corrupt_gzip", "lot.csv.gz"),
    "A20 checksum": refuse(break_crc(GZIP), "corrupt_gzip", "lot.csv.gz"),
    "A20 two members": accept(GZIP + SECOND, 3, name="lot.csv.gz"),
    "A20 rest behind it": refuse(GZIP + b"rest", "corrupt_gzip", "lot.csv.gz"),
    "A21 zip": refuse(make_zip(), "archive", "lot.zip"),
    "A21 zip named csv": refuse(make_zip(), "archive"),
    "A21 tar": refuse(make_tar(), "archive", "lot.tar"),
    "A22 random bytes": refuse(NOISE, "not_text"),
}

MANY = [make_line(campaign_id=f"m{number}") for number in range(30)]
NAMES = HEADER.split(",")
TURNED = [",".join(reversed(line.split(","))) for line in (HEADER, BEFORE, AFTER)]
ACCENT = LOT.replace(b"before", b"A\xf1os")
LATIN_HEADER = LOT.replace(b"costo_total", b"cost\xf3_total")

SHAPES = {
    "B1 byte order mark": accept(b"\xef\xbb\xbf" + LOT),
    "B2 UTF-16 little endian": refuse(b"\xff\xfe" + LOT.decode().encode("utf-16-le"), "encoding"),
    "B2 UTF-16 big endian": refuse(b"\xfe\xff" + LOT.decode().encode("utf-16-be"), "encoding"),
    "B3 Latin-1": refuse(ACCENT, "encoding"),
    "B3 Latin-1 header": refuse(LATIN_HEADER, "encoding"),
    "B4 one row is not UTF-8": accept(
        join(*MANY).replace(b"m17,", b"m\xff17,"), 29, rejects=((19, "invalid_utf8"),)
    ),
    "B5 NUL": reject("control_char", campaign_id="a\0b"),
    "B5 carriage return": reject("control_char", platform="a\rb"),
    "B6 newline in quotes": take_names("two\nlines", "plain"),
    "B7 doubled quotes": take_names('a "b" c', '""'),
    "B8 comma in quotes": take_names("a, b", ","),
    "B9 unclosed quote": refuse(join(BEFORE, '"' + make_line(), AFTER), "unclosed_quote"),
    "B10 stray quote": reject_line(make_line(campaign_id='c"1'), "bad_quote"),
    "B10 text behind a quote": reject_line(make_line(campaign_id='"c"1'), "bad_quote"),
    "B11 JSON in a cell": take_names('{"a": [1, "x"], "b": null}'),
    "B12 too many columns": reject_line(make_line() + ",x", "column_count"),
    "B13 too few columns": reject_line(make_line().rpartition(",")[0], "column_count"),
    "B14 last line cut": accept(LOT + make_line()[:30].encode(), rejects=((4, "truncated_tail"),)),
    "B14 last line whole": accept(LOT + make_line().encode(), 3),
    "B15 CRLF": accept(join(BEFORE, AFTER, end="\r\n")),
    "B16 CR only": refuse(join(BEFORE, AFTER, end="\r"), "line_ending"),
    "B17 mixed line ends": accept(LOT + (make_line() + "\r\n").encode(), 3),
    "B18 semicolons": refuse(LOT.replace(b",", b";"), "header_mismatch"),
    "B18 tabs": refuse(LOT.replace(b",", b"\t"), "header_mismatch"),
    "B19 column twice": refuse(join(BEFORE + ",20", header=HEADER + ",clicks"), "duplicate_column"),
    "B19 column twice in another case": refuse(
        join(BEFORE + ",20", header=HEADER + ", Clicks"), "duplicate_column"
    ),
    "B20 header in other case and blanks": accept(
        join(BEFORE, AFTER, header=HEADER.replace("clicks", " Clicks ").replace("date", "DATE"))
    ),
    "B21 no header": refuse(join(AFTER, header=BEFORE), "header_mismatch"),
    "B22 columns in another order": accept(
        join(*TURNED[1:], header=TURNED[0]), stored={"clicks": [20, 20], "impressions": [1000] * 2}
    ),
    "B23 header again": reject_line(HEADER, "repeated_header"),
    "B24 comment": reject_line("# made by hand", "column_count"),
    "B24 blank lines": accept(join(BEFORE, "", "", AFTER), control=2),
    "B25 total": reject_line("Total,,,,5000,,80,,9.0,", "missing_date"),
    "B26 cell of 20 MB": reject("cell_too_long", campaign_id="x" * 20_000_000),
    "B27 10,000 columns": refuse(
        join(header=",".join(f"c{number}" for number in range(10_000))), "header_mismatch"
    ),
    "B28 empty quoted": reject("missing_cost", costo_total='""'),
    "B28 empty": reject("missing_cost", costo_total=""),
    "B28 empty and optional": take({"video_view_time": [Decimal("1.5")] * 2}, video_view_time=""),
}

TOMORROW = (datetime.now(UTC).date() + timedelta(days=2)).isoformat()
NFC, NFD = "caf\u00e9", "cafe\u0301"
TRICKS = ["=HYPERLINK(1)", "@SUM(1)", "+1", "-1", "=1+1"]
SCRIPTS = ["<script>alert(1)</script>", '" onmouseover="x', "javascript:alert(1)", "&amp;"]
SQL = ["'; DROP TABLE master; --", "x') union select 1 --", "$1", "%s {0} \\"]
NAUGHTY = [
    "\u202eevil",
    "\U0001f469\u200d\U0001f4bb",
    "e\u0301\u0301",
    "\ufeff.",
    "\U0010fffd",
    "undefined",
    "NaN",
    "1/0",
    "\u4e2d\u6587 \u0627\u0644\u0639 \u0939\u093f",
    "../../etc/passwd",
    "${jndi:ldap://x}",
]


def each(rule: str, column: str, **values: object) -> dict[str, Case]:
    """One case for each value of a column; the key is what it is called."""
    return {f"{name}": reject(rule, **{column: value}) for name, value in values.items()}


def number(row: str, cases: Mapping[str, Case]) -> dict[str, Case]:
    return {f"{row} {name.replace('_', ' ')}": case for name, case in cases.items()}


VALUES = {
    "C1 whole float": take({"impressions": [1000] * 3}, impressions="1000.0"),
    "C2 clicks 10.7": reject("not_integer", clicks="10.7"),
    "C3 thousands": reject("not_number", costo_total='"1,000"'),
    "C3 Spanish": reject("not_number", costo_total='"1.234,50"'),
    "C3 dollars": reject("not_number", costo_total="$1.50"),
    "C4 blanks": take({"impressions": [1000] * 3}, impressions=" 1000 "),
    **number(
        "C5",
        each(
            "not_integer",
            "clicks",
            underscore="1_0",
            hexadecimal="0x10",
            exponent="1e1",
            plus="+5",
            true="true",
        ),
    ),
    "C6 wide digits": reject("not_number", costo_total="\uff11\uff12"),
    "C6 wide digits in an integer": reject("not_integer", clicks="\uff11\uff12"),
    **number("C7", each("not_finite", "costo_total", NaN="NaN", inf="inf", minus="-INF", n="nan")),
    "C7 in an integer": reject("not_finite", impressions="NaN"),
    **number(
        "C8",
        each("missing_clicks", "clicks", NULL="NULL", NA="N/A", none="None", dash="-"),
    ),
    "C9 platform NA": reject("unknown_platform", platform="NA"),
    "C9 platform F": reject("unknown_platform", platform="F"),
    "C10 impressions": reject("negative_impressions", impressions=-1),
    "C10 clicks": reject("negative_clicks", clicks=-1),
    "C10 cost": reject("negative_cost", costo_total="-0.01"),
    "C10 view time": reject("negative_video_view_time", video_view_time="-1.0"),
    "C11 more clicks": reject("clicks_gt_impressions", clicks=1001),
    "C12 no impressions": take(impressions=0, clicks=0, ctr="", cpc="", costo_total=0),
    "C13 cost without clicks": flag("cost_without_clicks", clicks=0, ctr=0, cpc=""),
    "C14 2^63": reject("out_of_range", impressions=2**63),
    "C14 10^20": reject("out_of_range", impressions=10**20),
    "C15 huge cost": reject("out_of_range", costo_total="99999999999999.99"),
    "C15 tiny cost": reject("too_precise", costo_total="2e-9"),
    "C15 seven places": reject("too_precise", costo_total="1.0000001"),
    "C15 float noise": flag("noise", costo_total="2.0000000000000004"),
    "C15 half a cent": take(
        {"cost": [Decimal("0.005"), Decimal(2), Decimal(2)]}, costo_total="0.005", cpc=0.00025
    ),
    "C16 stated ctr": flag("ctr_disagrees", ctr=0.5),
    "C16 stated cpc": flag("cpc_disagrees", cpc=0.5),
    **number("C17", each("bad_date", "date", day_first="13/01/2024", either="01/02/2024")),
    **number("C18", each("bad_date", "date", leap_year="2024-02-30", common_year="2023-02-29")),
    "C19 time and zone": reject("not_a_date", date="2024-01-01T23:30:00-05:00"),
    **number(
        "C20",
        each(
            "date_out_of_range",
            "date",
            year_1="0001-01-01",
            epoch="1970-01-01",
            year_9999="9999-12-31",
            tomorrow=TOMORROW,
            long_ago="2010-01-01",
        ),
    ),
    "C21 late day": take({"date": [date(2024, 1, 1), *[date(2024, 3, 1)] * 2]}, date="2024-01-01"),
    "C22 leading zeros": take_id("00123"),
    "C22 exponent": take_id("1E5"),
    "C22 2^53 + 1": take_id("9007199254740993"),
    **number("C23", each("missing_id", "campaign_id", empty="", null="null", blank="   ")),
    "C23 long": reject("id_too_long", campaign_id="x" * 300),
    "C24 case": accept(
        join(make_line(campaign_id="a"), make_line(campaign_id="A")),
        stored={"campaign_id": ["A", "a"]},
    ),
    "C24 outer blanks": accept(
        join(make_line(campaign_id="a"), make_line(campaign_id=" a ")), 1, duplicates=1
    ),
    "C24 composed": accept(
        join(make_line(campaign_id=NFC), make_line(campaign_id=NFD)),
        stored={"campaign_id": sorted([NFC, NFD])},
    ),
    "C24 zero width": reject("control_char", campaign_id="a\u200bb"),
    "C25 equal rows": accept(join(BEFORE, make_line(), make_line()), duplicates=1),
    "C26 other figures": accept(
        join(BEFORE, make_line(clicks=10), make_line(clicks=11)),
        superseded=1,
        remarks={"ctr_disagrees": 2, "cpc_disagrees": 2},
        stored={"clicks": [11, 20]},
    ),
    "C28 formulas": take_names(*TRICKS),
    "C28 tab before it": take_canonical(f'{CANONICAL}\n1,"a\t=1",2024-03-01,1,EUR\n', "a\t=1"),
    "C28 carriage return before it": reject("control_char", campaign_id='"\r=1"'),
    "C29 scripts": take_names(*SCRIPTS),
    "C30 SQL": take_names(*SQL),
    "C31 odd texts": take_names(*NAUGHTY),
    "C32 platform": reject("unknown_platform", platform="Bing ADS"),
    "C32 audience": reject("unknown_target_audience", target_audience="Mujer 99"),
}


def make_canonical(rows: int = 2) -> pa.Table:
    return pa.table(
        {
            "campaign_id": [f"c{number}" for number in range(rows)],
            "campaign_name": ["Spring"] * rows,
            "date": pa.array([date(2024, 3, 1)] * rows, pa.date32()),
            "impressions": pa.array([1000] * rows, pa.int64()),
            "clicks": pa.array([20] * rows, pa.int64()),
            "cost": pa.array([Decimal("1.50")] * rows, pa.decimal128(12, 2)),
            "currency": ["EUR"] * rows,
        }
    )


def refuse_parquet(data: bytes, reason: str) -> Case:
    return refuse(data, reason, "day.parquet")


def drift(column: str, values: object, *, reason: str = "", **more: object) -> Case:
    table = replace(column, pa.array(values), make_canonical())  # type: ignore[call-overload]  # any cells
    data = to_bytes(table)
    if reason:
        return refuse_parquet(data, reason)
    fields = {"name": "day.parquet", "accepted": 2} | more
    return Case(data=data, **fields)


def take_parquet(table: pa.Table, accepted: int = 2, **more: object) -> Case:
    return accept(to_bytes(table), accepted, name="day.parquet", **more)


def damage_page(data: bytes, column: str) -> bytes:
    header = PageHeader(data, find_start(data, column))
    return flip(data, header.body + header.size - 1, 4)


def damage_compressed() -> bytes:
    data = to_bytes(make_canonical(50), compression="zstd", write_page_checksum=False)
    header = PageHeader(data, find_start(data, "impressions"), checksum=False)
    return flip(data, header.body, 0xFF)


def declare_three_gigabytes() -> bytes:
    """The first chunk's uncompressed size, behind its number of values."""
    data = to_bytes(make_canonical(50))
    footer = data[find_footer(data) :]
    rows = b"\x16" + write_zigzag(50) + b"\x16"
    place = end = footer.index(rows) + len(rows)
    while footer[end] > 127:
        end += 1
    return patch_footer(data, rows + footer[place : end + 1], rows + write_zigzag(3 << 30))


def encrypt() -> bytes:
    """An encrypted footer is known by its mark."""
    return b"PARE" + DAY[4:-4] + b"PARE"


DAY = to_bytes(make_canonical())
UTC_MIDNIGHT = pa.array([datetime(2024, 3, 1, tzinfo=UTC)] * 2, pa.timestamp("ns", "UTC"))

PARQUET = {
    "A15 Parquet named csv": refuse(DAY, "not_csv"),
    "D0 whole file": take_parquet(make_canonical(), stored={"cost": [Decimal("1.5")] * 2}),
    "D1 whole floats": drift("clicks", [20.0, 7.0], stored={"clicks": [7, 20]}),
    "D1 fraction": drift("clicks", [1.0, 1.7], reason="schema_type:clicks"),
    "D2 integers as text": drift("clicks", ["1", "2"], reason="schema_type:clicks"),
    "D3 uint64 in range": drift("clicks", pa.array([1, 2], pa.uint64()), stored={"clicks": [1, 2]}),
    "D3 uint64 beyond": drift(
        "impressions",
        pa.array([1000, 2**63], pa.uint64()),
        accepted=1,
        rejects=((2, "out_of_range"),),
    ),
    "D4 finer decimal": drift(
        "cost",
        pa.array([Decimal("1.2300000000"), Decimal("1.2345678901")], pa.decimal128(20, 10)),
        accepted=1,
        rejects=((2, "too_precise"),),
    ),
    "D5 new column": refuse_parquet(
        to_bytes(make_canonical().append_column("budget", pa.array([1, 2]))), "header_mismatch"
    ),
    "D6 optional column missing": take_parquet(make_canonical().drop_columns(["clicks"])),
    "D6 required column missing": refuse_parquet(
        to_bytes(make_canonical().drop_columns(["cost"])), "missing_column"
    ),
    "D7 renamed": refuse_parquet(
        to_bytes(make_canonical().rename_columns({"cost": "spend"})), "missing_column"
    ),
    "D7 other case": take_parquet(make_canonical().rename_columns({"cost": "Cost"})),
    "D8 only nulls": drift("clicks", pa.nulls(2)),
    "D9 date as text": drift("date", ["2024-03-01"] * 2, reason="schema_type:date"),
    "D9 date as days": drift("date", [19_783] * 2, reason="schema_type:date"),
    "D10 midnight in nanoseconds": drift(
        "date", UTC_MIDNIGHT, stored={"date": [date(2024, 3, 1)] * 2}
    ),
    "D11 dictionary": drift("campaign_name", pa.array(["a", "b"]).dictionary_encode()),
    "D11 large text": drift("campaign_name", pa.array(["a", "b"], pa.large_string())),
    "D12 list": drift("clicks", [[1], [2]], reason="schema_type:clicks"),
    "D13 no rows": take_parquet(make_canonical(0), 0),
    "D15 cut at half": refuse_parquet(DAY[: len(DAY) // 2], "truncated_parquet"),
    "D15 cut by 8": refuse_parquet(DAY[:-8], "truncated_parquet"),
    "D15 cut by 1": refuse_parquet(DAY[:-1], "truncated_parquet"),
    "D16 huge footer": refuse_parquet(DAY[:-8] + b"\xff\xff\xff\x7fPAR1", "corrupt_footer"),
    "D17 first magic": refuse_parquet(b"PAR2" + DAY[4:], "corrupt_header"),
    "D18 two files": refuse_parquet(DAY + DAY, "trailing_or_leading_data"),
    "D19 bit in a compressed page": refuse_parquet(damage_compressed(), "corrupt_page"),
    "D20 bit in a plain page": refuse_parquet(damage_page(DAY, "cost"), "checksum_mismatch"),
    "D30 encrypted": refuse_parquet(encrypt(), "encrypted"),
    "D31 3 GB declared": refuse_parquet(declare_three_gigabytes(), "too_large"),
    "D32 gzip": refuse_parquet(gzip.compress(DAY, mtime=0), "not_parquet"),
}

# The twelve of csv-spectrum in the canonical columns.
SPECTRUM = {
    "comma in quotes": take_names("Another, Campaign, Inc."),
    "empty": take_canonical(
        f'{CANONICAL}\n1,"",2024-03-01,1,EUR\n"",b,2024-03-01,1,EUR\n', None, "b"
    ),
    "empty with CRLF": take_canonical(
        f'{CANONICAL}\r\n1,"",2024-03-01,1,EUR\r\n"",b,2024-03-01,1,EUR\r\n', None, "b"
    ),
    "escaped quotes": take_names('ha "ha" ha', "4"),
    "json": take_names('{"type": "Point", "coordinates": [102.0, 0.5]}'),
    "coordinates": take_names("25.7; -80.1", "POINT (1 2)"),
    "newlines": take_names("Once upon \na time", "6"),
    "newlines with CRLF": accept(
        f'{CANONICAL}\r\n1,"Once upon \r\na time",2024-03-01,1,EUR\r\n'.encode(), 1
    ),
    "quotes and newlines": take_names('ha \n"ha" \nha', "4"),
    "simple": take_canonical(f"{CANONICAL}\n1,b,2024-03-01,1,EUR\n", "b"),
    "simple with CRLF": take_canonical(f"{CANONICAL}\r\n1,b,2024-03-01,1,EUR\r\n", "b"),
    "utf8": take_names("\u02a4", "\u00e1\u00e9\u00ed \u4f60\u597d"),
}

CASES: dict[str, Case] = {
    **FILES,
    **SHAPES,
    **VALUES,
    **PARQUET,
    **{f"csv-spectrum {name}": case for name, case in SPECTRUM.items()},
}
