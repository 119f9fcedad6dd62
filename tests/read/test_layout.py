"""How platforms' exports are laid out: languages, encodings, preambles, breakdowns, totals."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.model import Contract
from pipeline.errors import BadFileError
from pipeline.read.layout import Layout
from pipeline.read.recognise import recognise
from tests.read.exports import make_contract, read, save

EXPORT = make_contract()
ENGLISH = "Campaign,Day,Clicks,Cost (EUR)"
SPANISH = "Campaña;Día;Clics;Coste (EUR)"
ROW = "Spring,2024-01-02,5,1.50"


def lay_out(folder: Path, text: str, encoding: str = "utf-8") -> Layout:
    return recognise(save(folder, text, encoding=encoding), [EXPORT])


def refuse(path: Path, *contracts: Contract) -> BadFileError:
    with pytest.raises(BadFileError) as caught:
        recognise(path, contracts or [EXPORT])
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_says_the_same_in_each_encoding_and_line_end(
    encoding: str, end: str, tmp_path: Path
) -> None:
    text = end.join([SPANISH, "Otoño ñandú;02/01/2024;5;1,50", ""])
    found = read(save(tmp_path, text, encoding=encoding), EXPORT)
    assert found["rows"] == [("Otoño ñandú", "02/01/2024", "5", "1,50")]
    assert found["lines"] == [2]


def test_big_endian_utf16_is_told_by_its_mark(tmp_path: Path) -> None:
    text = f"\ufeff{ENGLISH}\n{ROW}\n"
    layout = lay_out(tmp_path, text, "utf-16-be")
    assert layout.encoding == "utf-16"
    assert read(tmp_path / "report.csv", EXPORT)["rows"] == [tuple(ROW.split(","))]


def test_utf16_without_its_mark_is_refused(tmp_path: Path) -> None:
    error = refuse(save(tmp_path, f"{ENGLISH}\n{ROW}\n", encoding="utf-16-le"))
    assert error.rule == "encoding"
    assert "byte order mark" in str(error)


def test_an_encoding_that_the_contract_does_not_declare_is_refused(tmp_path: Path) -> None:
    contract = make_contract(('["utf-8", "utf-16", "windows-1252"]', '["utf-16"]'))
    error = refuse(save(tmp_path, f"{ENGLISH}\n{ROW}\n"), contract)
    assert error.rule == "encoding"
    assert "in UTF-8; expected UTF-16" in str(error)


def test_bytes_that_windows_1252_does_not_have_leave_utf8_with_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(f"{ENGLISH}\n".encode() + f"{ROW}\n".encode() * 40 + b"\x81\xff,,,\n")
    assert recognise(path, [EXPORT]).encoding == "utf-8"
    assert [one[:2] for one in read(path, EXPORT)["bad"]] == [(42, "invalid_utf8")]


def test_a_damaged_row_does_not_turn_a_utf8_file_into_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    good = "Otoño,2024-01-02,5,1\n".encode()
    path.write_bytes(f"{ENGLISH}\n".encode() + good * 40 + b"Oto\xf1o,2024-01-02,5,1\n")
    found = read(path, EXPORT)
    assert [one[:2] for one in found["bad"]] == [(42, "invalid_utf8")]
    assert {row[0] for row in found["rows"]} == {"Otoño"}


def test_half_a_character_at_the_end_of_utf16_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(f"{ENGLISH}\n{ROW}\n".encode("utf-16") + b"x")
    error = refuse(path)
    assert error.rule == "encoding"
    assert "UTF-16 throughout" in str(error)


def test_the_layout_says_where_everything_is(tmp_path: Path) -> None:
    header = "Gender,Edition,Hour,Cost (eur),Day,Ends,Age,Campaign"
    layout = lay_out(tmp_path, f"Report\nJanuary 1, 2024 - January 31, 2024\n{header}\n")
    assert layout.header_line == 3
    assert layout.width == 8
    assert layout.positions == {"campaign_name": (7,), "date": (4,), "cost": (3,)}
    assert list(layout.positions) == ["campaign_name", "date", "cost"]
    assert layout.breakdowns == {"age": 6, "gender": 0}
    assert layout.breakdown == "age+gender"
    assert (layout.end_position, layout.folds, layout.ignored) == (5, True, ("Edition",))
    assert layout.currency == "EUR"
    assert layout.period == (date(2024, 1, 1), date(2024, 1, 31))
    assert layout.why == "its header on line 3, English"


@pytest.mark.parametrize(
    "header",
    [
        "\u00a0campaign ,DAY,Clicks,COST\u00a0(EUR)",
        '"Campaign","Day","Clicks","Cost (EUR)"',
        "Campaign,Day,Clicks,Cost (EUR),,",
    ],
)
def test_names_are_compared_without_case_blanks_and_trailing_marks(
    header: str, tmp_path: Path
) -> None:
    assert lay_out(tmp_path, header + "\n").currency == "EUR"


def test_decomposed_letters_are_the_same_letters(tmp_path: Path) -> None:
    assert lay_out(tmp_path, "Campan\u0303a;Di\u0301a;Coste (EUR)\n").dialect.decimal == ","


def test_names_of_two_languages_are_no_header(tmp_path: Path) -> None:
    error = refuse(save(tmp_path, "Campaign,Día,Cost (EUR)\n"))
    assert error.rule == "header_mismatch"
    assert "missing Day" in str(error)


@pytest.mark.parametrize(
    ("line", "first", "last"),
    [
        ("January 1, 2024 - January 31, 2024", 1, 31),
        ('"January 1, 2024 - January 31, 2024"', 1, 31),
        ('"January 1, 2024 - January 31, 2024",,,', 1, 31),
        ("January 1, 2024 \N{EN DASH} January 31, 2024", 1, 31),
        ("January 1, 2024 to January 31, 2024", 1, 31),
        ("2024-01-01..2024-01-31", 1, 31),
        ("2024-01-05", 5, 5),
    ],
)
def test_a_preamble_says_the_period(line: str, first: int, last: int, tmp_path: Path) -> None:
    layout = lay_out(tmp_path, f"Report\n{line}\n{ENGLISH}\n")
    assert layout.period == (date(2024, 1, first), date(2024, 1, last))


def test_a_period_is_read_in_the_dialects_language(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, f"1 de enero de 2024 a 3 de febrero de 2024\n{SPANISH}\n")
    assert layout.period == (date(2024, 1, 1), date(2024, 2, 3))


@pytest.mark.parametrize(
    "lines",
    [
        "2024-01-31 - 2024-01-01",
        "2024-02-01 - 2024-02-30",
        "2024-13-01",
        "2024-01-01\n2024-01-02",
    ],
)
def test_a_period_that_cannot_be_is_refused(lines: str, tmp_path: Path) -> None:
    error = refuse(save(tmp_path, f"{lines}\n{ENGLISH}\n"))
    assert error.rule == "bad_period"
    assert "line" in str(error)


def test_a_header_below_the_declared_preamble_is_none(tmp_path: Path) -> None:
    assert refuse(save(tmp_path, f"a\nb\nc\nd\n{ENGLISH}\n")).rule == "header_mismatch"


def test_two_currencies_in_one_header_are_refused(tmp_path: Path) -> None:
    error = refuse(save(tmp_path, "Campaign,Day,Cost (EUR),Spend (USD)\n"))
    assert error.rule == "currency_mismatch"
    assert "EUR ('Cost (EUR)') and USD ('Spend (USD)')" in str(error)


def test_a_column_named_twice_is_refused_unless_the_contract_allows_it(tmp_path: Path) -> None:
    path = save(tmp_path, "Campaign,Day,Cost (EUR),Spend (EUR),X,X\n")
    assert recognise(path, [EXPORT]).positions["cost"] == (2, 3)
    error = refuse(path, make_contract(("repeated_columns = true", "")))
    assert error.rule == "duplicate_column"
    assert "'Cost (EUR)' and as 'Spend (EUR)'" in str(error)


def test_of_two_names_of_a_breakdown_the_contract_s_first_one_counts(tmp_path: Path) -> None:
    contract = make_contract(('en = ["Age"]', 'en = ["Age", "Age group", "{currency} age"]'))
    layout = recognise(save(tmp_path, f"{ENGLISH},Hour,Age group,Age\n"), [contract])
    assert (layout.breakdowns, layout.fold_positions) == ({"age": 6}, (4, 5))
    layout = recognise(save(tmp_path, f"{ENGLISH},EUR age,Age group\n"), [contract])
    assert (layout.breakdowns, layout.fold_positions) == ({"age": 5}, (4,))
    error = refuse(save(tmp_path, f"{ENGLISH},Age,age\n"), contract)
    assert (error.rule, "names 'Age' more than once" in str(error)) == ("duplicate_column", True)


def test_cells_of_a_repeated_column_must_agree(tmp_path: Path) -> None:
    path = save(tmp_path, f"{ENGLISH},Clicks\n{ROW},5\n{ROW},6\n")
    found = read(path, EXPORT)
    assert found["rows"] == [tuple(ROW.split(","))]
    assert found["bad"] == [(3, "repeated_columns_differ", f"{ROW},6")]


def test_unknown_columns_are_refused_where_the_contract_does_not_ignore_them(
    tmp_path: Path,
) -> None:
    contract = make_contract(('extra_columns = "ignore"', ""))
    for header in (f"{ENGLISH},Edition", f"{ENGLISH},"):
        error = refuse(save(tmp_path, header + "\n"), contract)
        assert error.rule == "header_mismatch"
        assert "1 unknown" in str(error)


def test_breakdowns_become_a_segment_and_the_last_day_a_column(tmp_path: Path) -> None:
    path = save(tmp_path, f"Gender,Age,Ends,{ENGLISH}\nf,18-24,2024-01-02,{ROW}\n")
    assert read(path, EXPORT)["rows"] == [(*ROW.split(","), "18-24 | f", "2024-01-02")]


TOTAL = "Total: all,--,5,1.50"


def test_totals_after_all_rows_are_kept_apart(tmp_path: Path) -> None:
    found = read(save(tmp_path, f"{ENGLISH}\n{ROW}\n{TOTAL}\n\n{TOTAL}\n"), EXPORT)
    assert found["rows"] == [tuple(ROW.split(","))]
    assert found["totals"] == [tuple(TOTAL.split(","))] * 2
    assert found["bad"] == []


def test_totals_before_a_row_are_a_bad_row(tmp_path: Path) -> None:
    found = read(save(tmp_path, f"{ENGLISH}\n{TOTAL}\n{ROW}\n{TOTAL}\n"), EXPORT)
    assert found["bad"] == [(2, "missing_date", TOTAL)]
    assert found["totals"] == [tuple(TOTAL.split(","))]


def test_a_row_without_a_date_and_label_is_no_total(tmp_path: Path) -> None:
    found = read(save(tmp_path, f"{ENGLISH}\nSpring,--,5,1\n"), EXPORT)
    assert found["rows"] == [("Spring", "--", "5", "1")]


def test_a_label_may_stand_where_a_cell_is_empty(tmp_path: Path) -> None:
    total = "Spring,total of all,5,1"
    found = read(save(tmp_path, f"{ENGLISH}\n{total}\n"), EXPORT)
    assert found["totals"] == [tuple(total.split(","))]


@pytest.mark.parametrize("label", ["--", "Total of 2", ""])
def test_a_row_without_a_campaign_needs_no_label(tmp_path: Path, label: str) -> None:
    contract = make_contract(('empty = ["date"]', 'empty = ["date", "campaign_name"]'))
    found = read(save(tmp_path, f"{ENGLISH}\nSpring,--,5,1\n{label},--,5,1\n"), contract)
    assert found["totals"] == [(label, "--", "5", "1")]
    assert found["rows"] == [("Spring", "--", "5", "1")]


def test_totals_that_come_first_are_only_the_first_record(tmp_path: Path) -> None:
    contract = make_contract(('position = "last"', 'position = "first"'))
    found = read(save(tmp_path, f"{ENGLISH}\n\n{TOTAL}\n{TOTAL}\n{ROW}\n"), contract)
    assert found["totals"] == [tuple(TOTAL.split(","))]
    assert found["rows"] == [tuple(TOTAL.split(",")), tuple(ROW.split(","))]


def test_more_totals_than_a_report_has_are_bad_rows(tmp_path: Path) -> None:
    found = read(save(tmp_path, f"{ENGLISH}\n{ROW}\n" + f"{TOTAL}\n" * 1001), EXPORT, block=64)
    assert found["totals"] == []
    assert len(found["bad"]) == 1001


def test_the_contract_of_the_folders_source_is_taken_first(tmp_path: Path) -> None:
    other = make_contract(('source = "export"', 'source = "other"'), name="other")
    path = save(tmp_path, f"{ENGLISH}\n")
    assert recognise(path, [EXPORT, other], source="other").contract == other
    error = refuse(path, EXPORT, other)
    assert error.rule == "ambiguous_contract"
    assert "export and other; choose with --source export or --source other" in str(error)
    assert recognise(path, [EXPORT], source="third").contract == EXPORT


def test_a_contract_that_knows_all_names_beats_one_that_ignores_some(tmp_path: Path) -> None:
    fewer = make_contract(
        ("[columns.clicks]", "[columns.impressions]"), ("Clicks", "Shown"), name="fewer"
    )
    assert recognise(save(tmp_path, f"{ENGLISH}\n"), [fewer, EXPORT]).contract == EXPORT


LINES = st.sampled_from(
    [
        ROW,
        TOTAL,
        ENGLISH,
        "",
        '"Spr\ning",2024-01-02,5,1',
        '"O, ""tto""",2024-01-02,"5",1',
        "too,few",
        'stray"quote,2024-01-02,5,1',
        "Otoño €,2024-01-02,5,1",
    ]
)


@pytest.mark.slow
@given(
    lines=st.lists(LINES, max_size=12),
    block=st.integers(min_value=1, max_value=80),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "windows-1252"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_the_size_of_blocks_changes_nothing(
    lines: list[str],
    block: int,
    encoding: str,
    end: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = end.join(["Report", "2024-01-01 - 2024-01-31", ENGLISH, *lines, ""])
    path = save(tmp_path_factory.mktemp("blocks"), text, encoding=encoding)
    whole = read(path, EXPORT)
    assert read(path, EXPORT, block=block) == whole
    rows = sum(len(whole[kind]) for kind in ("rows", "bad", "totals"))
    assert rows == sum(bool(line) for line in lines)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a,b\rc,d\r", "line_ending"),
        ("<html>", "not_csv"),
        ("\n", "empty_file"),
        ("a\0", "not_text"),
    ],
)
def test_utf16_is_looked_at_like_other_text(text: str, rule: str, tmp_path: Path) -> None:
    assert refuse(save(tmp_path, text, encoding="utf-16")).rule == rule
