"""Cutting CSV bytes into records."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import load_contracts
from pipeline.errors import BadFileError
from pipeline.read.recognise import recognise
from pipeline.read.records import Records, cut_records
from pipeline.read.text import read_rows


def cut(data: bytes, *, width: int = 3, final: bool = True, first_line: int = 1) -> Records:
    return cut_records(data, first_line=first_line, width=width, delimiter=",", final=final)


def read_bad(data: bytes) -> list[tuple[int, str]]:
    return [(record.line, record.fault.rule) for record in cut(data).bad]


def test_plain_lines_become_rows_with_their_line_numbers() -> None:
    records = cut(b"a,b,c\n\n1,2,3\n", first_line=2)
    assert records.cells.rows() == [("a", "b", "c"), ("1", "2", "3")]
    assert records.lines.tolist() == [2, 4]
    assert records.blank == 1
    assert records.line_count == 3


def test_quoted_cells_may_hold_marks_line_breaks_and_doubled_quotes() -> None:
    records = cut(b'1,"x, y",3\n"two\nlines",2,3\n"a ""b""",2,3\n')
    assert records.cells.rows() == [
        ("1", "x, y", "3"),
        ("two\nlines", "2", "3"),
        ('a "b"', "2", "3"),
    ]
    assert records.lines.tolist() == [1, 2, 4]
    assert [records.show(row) for row in range(3)][1] == '"two\nlines",2,3'


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"1,2\n", "column_count"),
        (b"1,2,3,4\n", "column_count"),
        (b'"1",2\n', "column_count"),
        (b'q"q,2,3\n', "bad_quote"),
        (b'"q"q,2,3\n', "bad_quote"),
        (b"\xff,2,3\n", "invalid_utf8"),
        (b"\x00,2,3\n", "control_char"),
        (b"a\rb,2,3\n", "control_char"),
        (b'"\x07",2,3\n', "control_char"),
        (b"x" * 70_000 + b",2,3\n", "cell_too_long"),
        (b'"' + b"x" * 70_000 + b'",2,3\n', "cell_too_long"),
        (b"# a comment\n", "column_count"),
    ],
)
def test_a_record_that_is_not_well_formed_is_set_aside_alone(data: bytes, rule: str) -> None:
    good = b"1,2,3\n"
    records = cut(good + data + good)
    assert [(record.line, record.fault.rule) for record in records.bad] == [(2, rule)]
    assert records.cells.height == 2


def test_the_last_line_without_its_end_is_taken_when_whole_and_flagged_when_cut() -> None:
    assert cut(b"1,2,3\n4,5,6").cells.height == 2
    assert read_bad(b"1,2,3\n4,5") == [(2, "truncated_tail")]


def test_bytes_that_are_not_utf8_are_kept_as_base64() -> None:
    assert cut(b"\xff,2,3\n").bad[0].raw == "base64:/ywyLDM="


def test_a_quote_that_is_never_closed_names_its_line() -> None:
    with pytest.raises(BadFileError, match="line 2") as caught:
        cut(b'1,2,3\n1,"2,3\n4,5,6\n')
    assert caught.value.rule == "unclosed_quote"


def test_two_stray_quotes_far_apart_swallow_no_row_between_them() -> None:
    records = cut(b'1,"2,3\n' + b"4,5,6\n" * 150 + b'7,8","9"\n' + b"4,5,6\n")
    assert [record.line for record in records.bad] == [1, 152]
    assert {record.fault.rule for record in records.bad} == {"bad_quote"}
    assert records.bad[0].raw == '1,"2,3'
    assert records.cells.height == 151


def test_a_quoted_cell_of_a_hundred_lines_is_a_cell() -> None:
    records = cut(b'1,"' + b"\n" * 99 + b'",3\n')
    assert records.bad == []
    assert records.cells.height == 1


def test_an_open_quote_at_the_end_of_a_block_waits_for_the_next() -> None:
    records = cut(b'1,2,3\n1,"2\n', final=False)
    assert records.cells.height == 1
    assert records.consumed == len(b"1,2,3\n")


def test_outer_blanks_are_removed_and_inner_ones_kept() -> None:
    assert cut(b' 1 ,a b,\t3\n"  x ",2,3\n').cells.rows() == [("1", "a b", "3"), ("x", "2", "3")]


def test_an_empty_block_has_no_records() -> None:
    records = cut(b"")
    assert records.cells.shape == (0, 3)
    assert (records.consumed, records.line_count, records.bad) == (0, 0, [])


cells = st.text(
    alphabet=st.characters(blacklist_categories=["Cs", "Cc"], whitelist_characters=',"\n'),
    max_size=8,
).map(lambda text: text.strip(" \t"))


@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=20))
def test_what_python_writes_as_csv_is_read_back_exactly(rows: list[tuple[str, ...]]) -> None:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows(rows)
    records = cut(sink.getvalue().encode())
    assert records.bad == []
    assert records.cells.rows() == rows
    assert records.blank == 0


@given(data=st.binary(max_size=200).map(lambda data: data.replace(b"\r", b"")))
def test_no_byte_is_lost_whatever_the_input(data: bytes) -> None:
    if data.count(b'"') % 2:
        data = data.replace(b'"', b"")  # else the last quote may never be closed
    records = cut(data)
    assert records.consumed == len(data)
    newlines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    spanned = sum(records.show(row).count("\n") + 1 for row in range(records.cells.height))
    if not any(record.raw.startswith("base64:") for record in records.bad):
        spanned += sum(record.raw.count("\n") + 1 for record in records.bad)
        assert spanned + records.blank == newlines == records.line_count


@pytest.mark.parametrize(
    "cell", ['"\n0', 'he said "hi\nthere"', '""\n', 'a\n"b"\nc', '"', '\n"', '"\n"\n"']
)
def test_a_quote_in_a_cell_of_many_lines_may_stand_before_the_end_of_a_block(
    cell: str, tmp_path: Path
) -> None:
    rows = [("1", cell, "2"), ("3", "4", cell)]
    assert read_in_blocks(rows, tmp_path, block_bytes=1) == rows


def test_a_quote_that_nothing_closes_costs_its_row_alone_whatever_the_blocks() -> None:
    data = b'1,"a"",3\n4,5,6\n7,8,9\n'
    whole = cut(data)
    assert [record.line for record in whole.bad] == [1]
    assert whole.cells.rows() == [("4", "5", "6"), ("7", "8", "9")]
    begun = cut(data[:9], final=False)
    assert (begun.consumed, begun.bad, begun.cells.height) == (0, [], 0)


@pytest.mark.slow
@given(
    rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12),
    block=st.integers(min_value=1, max_value=60),
)
def test_the_size_of_blocks_does_not_matter(
    rows: list[tuple[str, ...]], block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("blocks")
    assert read_in_blocks(rows, folder, block_bytes=block) == rows


def read_in_blocks(
    rows: Sequence[tuple[str, str, str]], folder: Path, *, block_bytes: int
) -> list[tuple[str, ...]]:
    """What is read of a lot in blocks, whose columns hold those of the rows three times over."""
    contract = load_contracts()["lots"]
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([column.headers.list_names()[0] for column in contract.columns])
    writer.writerows([(*row, *row, *row, "end") for row in rows])
    path = folder / "lot.csv"
    path.write_text(sink.getvalue(), encoding="utf-8", newline="")
    blocks = read_rows(path, recognise(path, [contract]), block_bytes=block_bytes)
    read = [row for records in blocks for row in records.cells.rows()]
    assert all(row == (*row[:3], *row[:3], *row[:3], "end") for row in read)
    return [row[:3] for row in read]
