"""Recognising a text file by its header and reading it by its contract."""

from pathlib import Path

import pytest

from pipeline.contracts import load_contracts
from pipeline.errors import BadFileError
from pipeline.read.recognise import recognise
from pipeline.read.text import read_rows
from tests.lots import HEADER, make_line, write_lot

CONTRACTS = load_contracts()
LOTS = CONTRACTS["lots"]


def refuse(data: bytes, folder: Path) -> BadFileError:
    path = folder / "delivered.csv"
    path.write_bytes(data)
    with pytest.raises(BadFileError) as caught:
        recognise(path, [LOTS])
    return caught.value


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty_file"),
        (b"\n\n\r\n", "empty_file"),
        (b" \n\t\n", "empty_file"),
        (b"PK\x03\x04rest", "archive"),
        (b"PAR1rest", "not_csv"),
        (b"<?xml version='1.0'?><Error/>", "not_csv"),
        (b"  <html>", "not_csv"),
        (b"%PDF-1.7\n%\xe2\xe3\n", "not_csv"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512), "not_csv"),
        ((HEADER + "\n").encode("utf-16"), "encoding"),
        (b"A\xf1os,date\n1,2\n", "encoding"),
        (b"\x01\x02\x03,\n", "not_text"),
        (b"a,b\rc,d\r", "line_ending"),
        (b'[{"campaign_id": 1}]', "header_mismatch"),
        (b'{\n  "data": []\n}', "header_mismatch"),
        (HEADER.replace(",", ";").encode(), "header_mismatch"),
        (make_line().encode(), "header_mismatch"),
        ((HEADER + ",extra").encode(), "header_mismatch"),
        (HEADER.replace("date,", "").encode(), "header_mismatch"),
        (",".join(f"c{n}" for n in range(10_000)).encode(), "header_mismatch"),
        (HEADER.replace("ctr", "clicks", 1).encode(), "duplicate_column"),
    ],
)
def test_a_file_of_no_contract_is_refused_with_its_reason(
    data: bytes, rule: str, tmp_path: Path
) -> None:
    error = refuse(data, tmp_path)
    assert error.rule == rule
    assert str(error)


def test_the_reason_names_what_is_missing_and_what_is_unknown(tmp_path: Path) -> None:
    message = str(refuse(HEADER.replace("costo_total", "cost").encode(), tmp_path))
    assert "missing costo_total" in message
    assert "'cost'" in message


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        "\ufeff" + HEADER,
        HEADER.upper(),
        HEADER.replace(",", " , "),
        ",".join(reversed(HEADER.split(","))),
        HEADER.replace("clicks", '"clicks"'),
    ],
)
def test_the_header_is_compared_without_bom_case_blanks_quotes_and_order(
    header: str, tmp_path: Path
) -> None:
    path = tmp_path / "lot.csv"
    path.write_bytes(header.encode())
    assert recognise(path, CONTRACTS.values()).contract == LOTS


def read_all(path: Path) -> tuple[list[tuple[object, ...]], list[tuple[int, str]], int]:
    rows: list[tuple[object, ...]] = []
    bad: list[tuple[int, str]] = []
    blank = 0
    for records in read_rows(path, recognise(path, [LOTS])):
        rows += records.cells.rows()
        bad += [(record.line, record.fault.rule) for record in records.bad]
        blank += records.blank
    return rows, bad, blank


def test_columns_come_in_the_contracts_order_whatever_the_files(tmp_path: Path) -> None:
    names = HEADER.split(",")
    swapped = [names[1], names[0], *names[2:]]
    cells = make_line(campaign_id="x").split(",")
    lot = write_lot(
        tmp_path / "lot.csv",
        [",".join([cells[1], cells[0], *cells[2:]])],
        header=",".join(swapped),
    )
    records = next(read_rows(lot, recognise(lot, [LOTS])))
    assert records.cells.columns == [column.name for column in LOTS.columns]
    assert records.cells["campaign_id"].to_list() == ["x"]
    assert records.cells["date"].to_list() == ["2024-03-01"]


def test_bom_crlf_and_blank_lines_change_nothing(tmp_path: Path) -> None:
    plain = write_lot(tmp_path / "plain.csv", [make_line()])
    other = tmp_path / "other.csv"
    other.write_bytes(("\ufeff" + HEADER + "\r\n\r\n" + make_line() + "\r\n").encode())
    assert read_all(other)[0] == read_all(plain)[0]
    assert read_all(other)[2] == 1


def test_a_header_that_comes_again_is_set_aside(tmp_path: Path) -> None:
    lot = write_lot(tmp_path / "lot.csv", [make_line(), HEADER, make_line()])
    rows, bad, _ = read_all(lot)
    assert len(rows) == 2
    assert bad == [(3, "repeated_header")]


def test_a_few_rows_in_another_encoding_are_damage_and_many_are_another_file(
    tmp_path: Path,
) -> None:
    damaged = make_line().encode().replace(b"Mujer", b"Mu\xf1er") + b"\n"
    good = make_line().encode() + b"\n"
    few = tmp_path / "few.csv"
    few.write_bytes(HEADER.encode() + b"\n" + good * 40 + damaged)
    assert read_all(few)[1] == [(42, "invalid_utf8")]
    many = tmp_path / "many.csv"
    many.write_bytes(HEADER.encode() + b"\n" + good + damaged)
    with pytest.raises(BadFileError, match="1 of 2 rows are not UTF-8, first on line 3") as caught:
        read_all(many)
    assert caught.value.rule == "encoding"


def test_only_the_beginning_of_a_plain_file_is_read_to_recognise_it(tmp_path: Path) -> None:
    lot = write_lot(tmp_path / "lot.csv", [make_line()] * 5000)
    with lot.open("ab") as file:
        file.write(b"\xff\n" * 1000)
    assert recognise(lot, [LOTS]).encoding == "utf-8"


@pytest.mark.parametrize(
    ("delimiter", "encoding", "said"),
    [(";", "utf-8", "semicolon"), ("\t", "utf-8", "tab"), (",", "utf-16", "UTF-16")],
)
def test_a_spreadsheets_other_way_of_saving_is_named(
    delimiter: str, encoding: str, said: str, tmp_path: Path
) -> None:
    error = refuse(HEADER.replace(",", delimiter).encode(encoding), tmp_path)
    assert "fits 'lots'" in str(error)
    assert said in str(error)
