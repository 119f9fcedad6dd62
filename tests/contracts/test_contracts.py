"""Contracts load, and what is wrong with one is said with its file and field."""

from datetime import date
from pathlib import Path

import pytest

import pipeline.contracts
from pipeline.contracts import load_contracts
from pipeline.contracts.dates import is_date_format, match_date
from pipeline.contracts.load import read_contract
from pipeline.errors import ContractError
from pipeline.schema import AD_DAY, SEED_CSV_COLUMNS

SHIPPED = sorted(path.stem for path in Path(pipeline.contracts.__file__).parent.glob("*.toml"))

MINIMAL = """
name = "mine"
description = "my export"
source = "mine"
formats = ["csv"]
mode = "upsert"
key = ["campaign_id", "date"]

[dialect]
encodings = ["utf-8"]

[columns.campaign_id]
type = "text"

[columns.date]
type = "date"
"""


def test_the_shipped_contracts_load_and_name_canonical_columns() -> None:
    contracts = load_contracts()
    assert sorted(contracts) == SHIPPED
    assert {"canonical", "generated", "lots", "google_ads", "meta_ads"} <= set(SHIPPED)
    for contract in contracts.values():
        assert {column.name for column in contract.columns} <= set(AD_DAY.names)


def test_the_lots_contract_holds_the_originals_columns_in_their_order() -> None:
    columns = load_contracts()["lots"].columns
    headers = [name for column in columns for name in column.headers.list_names()]
    assert headers == list(SEED_CSV_COLUMNS)


def test_contracts_of_one_source_agree_on_what_a_delivery_means() -> None:
    meanings: dict[str, set[object]] = {}
    for contract in load_contracts().values():
        meaning = (contract.mode, contract.key, contract.scope)
        meanings.setdefault(contract.source, set()).add(meaning)
    assert {len(found) for found in meanings.values()} == {1}


def test_a_persons_own_folder_adds_contracts(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINIMAL)
    assert sorted(load_contracts(tmp_path)) == sorted([*SHIPPED, "mine"])


def test_a_persons_own_contract_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "lots.toml").write_text(MINIMAL.replace('name = "mine"', 'name = "lots"'))
    assert load_contracts(tmp_path)["lots"].description == "my export"


def test_the_generators_contract_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "generated.toml").write_text(MINIMAL.replace('"mine"', '"generated"'))
    with pytest.raises(ContractError, match="generator's own"):
        load_contracts(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="ADLAKE_CONTRACTS"):
        load_contracts(tmp_path / "none")


def test_a_variant_says_only_what_is_different() -> None:
    variants = '[[dialect.variants]]\ndelimiter = ";"\n[[dialect.variants]]\ndecimal = ","\n'
    contract = read_contract("mine.toml", f"{MINIMAL}\n{variants}".encode())
    dialects = [(one.delimiter, one.decimal, one.encodings) for one in contract.dialects]
    assert dialects == [(";", ".", ("utf-8",)), (",", ",", ("utf-8",))]


def test_a_file_that_is_not_split_has_the_constants_for_it() -> None:
    contract = read_contract("mine.toml", MINIMAL.encode())
    assert contract.constants == {"account": "", "breakdown": "", "segment": ""}


def test_names_of_all_languages_count_where_a_dialect_names_none() -> None:
    headers = 'headers = { "" = ["id"], en = ["Campaign"], es = ["Campaña"] }'
    text = MINIMAL.replace("[columns.campaign_id]", f"[columns.campaign_id]\n{headers}")
    column = read_contract("mine.toml", text.encode()).columns[0]
    assert column.headers.list_names() == ["id", "Campaign", "Campaña"]
    assert column.headers.list_names(["es"]) == ["id", "Campaña"]


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("2021-09-15 5:00:00", "yyyy-mm-dd time", date(2021, 9, 15)),
        ("2021-09-15 23:59", "yyyy-mm-dd time", date(2021, 9, 15)),
        ("2022-05-29T10:00:00.123Z", "yyyy-mm-ddTtimeZ", date(2022, 5, 29)),
        ("1/31/2024 00:00", "m/d/yyyy time", date(2024, 1, 31)),
        ("2021-09-15 24:00", "yyyy-mm-dd time", None),
        ("2021-09-15 5", "yyyy-mm-dd time", None),
        ("2021-09-15", "yyyy-mm-dd time", None),
        ("2021-09-15 05:00:00", "yyyy-mm-dd 00:00:00", None),
        ("2021-09-15 00:00:00", "yyyy-mm-dd 00:00:00", date(2021, 9, 15)),
    ],
)
def test_a_time_beside_the_day_is_a_time_of_it_and_nothing_else(
    text: str, form: str, day: date | None
) -> None:
    assert is_date_format(form)
    assert match_date(text, form) == day


def test_every_row_needs_its_day() -> None:
    text = MINIMAL.replace('mode = "upsert"\nkey = ["campaign_id", "date"]', 'mode = "append"')
    text = text.replace('[columns.date]\ntype = "date"\n', "")
    with pytest.raises(ContractError, match=r"columns\.date is missing"):
        read_contract("mine.toml", text.encode())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "mine"', "", "name is missing"),
        ('name = "mine"', 'name = "other"', "expected the file's name without .toml"),
        ('name = "mine"', "name = 3", "name is 3; expected a text"),
        ('"upsert"', '"merge"', "mode is 'merge'; expected one of append, upsert, replace_window"),
        ('"upsert"', '"replace_window"', "key is for mode upsert; mode is replace_window"),
        ('["campaign_id", "date"]', '["campaign_id"]', "key must hold date"),
        ('["campaign_id", "date"]', '["nope", "date"]', "key is 'nope'"),
        ('["campaign_id", "date"]', '["platform", "date"]', "key names platform, which is neither"),
        ('["campaign_id", "date"]', '"date"', "key is 'date'; expected a list of texts"),
        ('["csv"]', '["xml"]', "formats is 'xml'; expected one of csv, parquet, raw"),
        ('["csv"]', "[]", "formats is []; expected at least one of"),
        ('["csv"]', '["csv", "raw"]', "formats holds raw"),
        ("[dialect]", 'scope = ["platform"]\n[dialect]', "scope must hold account"),
        ("[dialect]", 'scope = ["date"]\n[dialect]', "scope is 'date'"),
        ("[dialect]", 'complete = "soon"\n[dialect]', "complete is 'soon'"),
        ("[dialect]", 'extra_columns = "drop"\n[dialect]', "extra_columns is 'drop'"),
        ("[dialect]", "repeated_columns = 1\n[dialect]", "repeated_columns is 1; expected true"),
        ("[dialect]", 'rules = ["nope"]\n[dialect]', "rules is 'nope'"),
        ("[dialect]", 'rules = ["clicks_le_impressions"]\n[dialect]', "needs the column clicks"),
        ("[dialect]", 'primary = "age"\n[dialect]', "primary is 'age', which is none of the"),
        ("[dialect]", "sniff = true\n[dialect]", "sniff is not a known field"),
        ("[dialect]", "[constants]\ncost = '1'\n[dialect]", "constants.cost is a text"),
        ("[dialect]", "[constants]\ndate = '2024'\n[dialect]", "both a column and a constant"),
        ("[dialect]", "[constants]\nnope = ''\n[dialect]", "constants.nope"),
        ("[dialect]", "[holds]\nmin_rows = -1\n[dialect]", "holds.min_rows is -1"),
        ("[dialect]", "[holds]\nmax = 1\n[dialect]", "holds.max is not a known field"),
        (
            "[dialect]",
            "[holds]\nmax_reject_percent = 101\n[dialect]",
            "holds.max_reject_percent is 101; expected a whole number from 0 to 100",
        ),
        ("[dialect]", "[preamble]\nlines = '2'\n[dialect]", "preamble.lines is '2'"),
        ("[dialect]", "[preamble]\nlines = 1000001\n[dialect]", "preamble.lines is 1000001"),
        ("[dialect]", "[dates]\nmax_age_days = 9999999\n[dialect]", "dates.max_age_days is"),
        ('encodings = ["utf-8"]', "null_words = []", "dialect.null_words is []; expected at least"),
        (
            "[dialect]",
            "[preamble]\nperiod_formats = ['%Y']\n[dialect]",
            "preamble.period_formats is '%Y'; expected a form of yyyy",
        ),
        (
            "[dialect]",
            "[preamble.zones]\nEastern = 'New York'\n[dialect]",
            "preamble.zones.Eastern is 'New York'; expected an IANA name such as Europe/Madrid",
        ),
        ("[dialect]", "[totals]\nempty = ['date']\n[dialect]", "totals.position"),
        ("[dialect]", "[totals]\nposition = 'last'\n[dialect]", "totals.empty is []; expected"),
        (
            "[dialect]",
            "[totals]\nposition = 'last'\nempty = ['platform']\n[dialect]",
            "totals.empty names platform, which is no column",
        ),
        (
            "[dialect]",
            "[totals]\nposition = 'last'\nempty = ['date']\n[dialect]",
            "totals.labels is empty, and totals.empty lacks campaign_id; expected one of them",
        ),
        ("[dialect]", "[dates]\nend_headers = [' ']\n[dialect]", "dates.end_headers"),
        ("[dialect]", "[fold]\nen = 'Device'\n[dialect]", "fold is"),
        (
            "[dialect]",
            "[breakdowns]\nage = ['Date']\n[dialect]",
            "the name 'Date' stands in columns.date and in breakdowns.age",
        ),
        (
            "[dialect]",
            "fold = ['Hour', 'CAMPAIGN_ID']\n[dialect]",
            "the name 'CAMPAIGN_ID' stands in columns.campaign_id and in fold",
        ),
        ("[dialect]", "fold = ['Hour {zone}']\n[dialect]", "may hold {currency} once and no other"),
        (
            "[dialect]",
            "[breakdowns]\nage = ['Age']\n[columns.segment]\ntype = 'text'\n[dialect]",
            "breakdowns and a column breakdown or segment",
        ),
        ('encodings = ["utf-8"]', 'encodings = ["latin-1"]', "dialect.encodings is 'latin-1'"),
        ('encodings = ["utf-8"]', 'encoding = "utf-8"', "dialect.encoding is not a known field"),
        ('encodings = ["utf-8"]', 'delimiter = ";;"', "dialect.delimiter is \"';;'\""),
        ('encodings = ["utf-8"]', "delimiter = '\"'", "dialect.delimiter"),
        ('encodings = ["utf-8"]', 'decimal = "x"', "dialect.decimal is 'x'"),
        ('encodings = ["utf-8"]', 'thousands = ["."]', "dialect.thousands is '.'"),
        ('encodings = ["utf-8"]', 'thousands = ["1"]', "dialect.thousands is '1'"),
        ('encodings = ["utf-8"]', 'date_formats = ["dd/mm"]', "dialect.date_formats is 'dd/mm'"),
        ('encodings = ["utf-8"]', 'date_formats = ["d month yyyy"]', "dialect.date_formats is"),
        ('encodings = ["utf-8"]', 'date_formats = ["time"]', "dialect.date_formats is 'time'"),
        (
            'encodings = ["utf-8"]',
            'date_formats = ["yyyy-mm-dd time time"]',
            "dialect.date_formats is",
        ),
        (
            "[dialect]",
            "[preamble]\nperiod_formats = ['yyyy-mm-dd time']\n[dialect]",
            "preamble.period_formats is",
        ),
        ("[dialect]", 'footer = "end"\n[dialect]', "footer is 'end'; expected a list of texts"),
        (
            "[dialect]",
            'recognised_by = ["Date"]\n[dialect]',
            "the name 'Date' stands in columns.date and in recognised_by",
        ),
        (
            'encodings = ["utf-8"]',
            '[[dialect.variants]]\n[[dialect.variants]]\ndecimal = "x"',
            "dialect.variants[1].decimal is 'x'",
        ),
        ("[columns.date]", "[columns.platform]", "key names date, which is neither"),
        ("[columns.campaign_id]", "[columns.platform]", "key names campaign_id"),
        ("[columns.date]", "[columns.nope]", "columns.nope"),
        ('type = "date"', 'type = "text"', "columns.date.type is 'text'; the canonical column is"),
        ('type = "date"', 'type = "day"', "columns.date.type is 'day'"),
        ('type = "date"', 'type = "date"\nrequired = 1', "columns.date.required is 1; expected"),
        ('type = "date"', 'type = "date"\nminimum = -1', "a whole number from 0 to 1,000,000"),
        ('type = "date"', 'type = "date"\nminimum = 1', "columns.date.minimum is for numbers"),
        ('type = "text"', 'type = "text"\nminimum = 0', "campaign_id.minimum is for numbers"),
        ('type = "date"', 'type = "date"\nvalues = ["1"]', "columns.date.values is for texts"),
        ('type = "date"', 'type = "date"\nmax_length = 9', "columns.date.max_length is for texts"),
        (
            'type = "date"',
            'type = "date"\n[columns.clicks]\ntype = "integer"\nidentifier = true',
            "columns.clicks.identifier is for texts",
        ),
        (
            'type = "text"',
            f'type = "text"\nmax_length = {10**20}',
            f"columns.campaign_id.max_length is {10**20}; expected a whole number from 0 to",
        ),
        ('type = "date"', 'type = "date"\nunit = "inches"', "columns.date.unit is 'inches'"),
        ('type = "date"', 'type = "date"\nunit = "micros"', "columns.date.unit is for decimals"),
        ('type = "date"', 'type = "date"\nround = true', "columns.date.round is for decimals"),
        ('type = "date"', 'type = "date"\nadd_up = true', "columns.date.add_up is for numbers"),
        ('type = "date"', 'type = "date"\nheaders = [""]', "columns.date.headers"),
        ('type = "date"', 'type = "date"\nheader = "Day"', "columns.date.header is not a known"),
        ("[dialect]", "[dialect", "contract mine.toml"),
    ],
)
def test_what_the_reference_does_not_know_is_refused_with_its_place(
    old: str, new: str, message: str
) -> None:
    text = MINIMAL.replace(old, new)
    assert text != MINIMAL
    with pytest.raises(ContractError, match=r"contract mine\.toml") as caught:
        read_contract("mine.toml", text.encode())
    assert message in str(caught.value)
