"""Contracts load with clear errors."""

from pathlib import Path

import pytest

from pipeline.contracts import load_contracts
from pipeline.contracts.load import read_contract
from pipeline.errors import ContractError
from pipeline.schema import AD_DAY, SEED_CSV_COLUMNS

MINIMAL = """
name = "mine"
description = "my export"
source = "mine"
mode = "upsert"
key = ["campaign_id", "date"]

[dialect]
format = "csv"

[columns.campaign_id]
type = "text"

[columns.date]
type = "date"
"""


def test_the_shipped_contracts_load_and_name_canonical_columns() -> None:
    contracts = load_contracts()
    assert sorted(contracts) == ["generated", "lots"]
    for contract in contracts.values():
        assert {column.name for column in contract.columns} <= set(AD_DAY.names)


def test_the_lots_contract_holds_the_originals_columns_in_their_order() -> None:
    headers = [column.header for column in load_contracts()["lots"].columns]
    assert headers == list(SEED_CSV_COLUMNS)


def test_a_persons_own_folder_adds_contracts(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINIMAL)
    assert sorted(load_contracts(tmp_path)) == ["generated", "lots", "mine"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="ADLAKE_CONTRACTS"):
        load_contracts(tmp_path / "none")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "mine"', "", "name is missing"),
        ('"upsert"', '"merge"', "mode is 'merge'; expected one of upsert, replace_window"),
        ('"upsert"', '"replace_window"', "files of format csv are upsert"),
        ('name = "mine"', 'name = "other"', "expected the file's name without .toml"),
        ('["campaign_id", "date"]', '["campaign_id"]', "key must hold date"),
        ('["campaign_id", "date"]', '["nope", "date"]', "key is 'nope'"),
        ('["campaign_id", "date"]', '["platform", "date"]', "key names platform, which is neither"),
        ("[columns.date]", "[columns.platform]", "columns.date is missing"),
        ('type = "date"', 'type = "text"', "the canonical column is date"),
        ("[dialect]", "[constants]\ncost = '1'\n[dialect]", "constants.cost is a text"),
        ("[dialect]", 'rules = ["clicks_le_impressions"]\n[dialect]', "needs the column clicks"),
        ('["campaign_id", "date"]', '"date"', "expected a list of texts"),
        ('format = "csv"', 'format = "xml"', "dialect.format is 'xml'"),
        ('format = "csv"', 'format = "csv"\ndelimiter = ";;"', "dialect.delimiter"),
        ('format = "csv"', 'format = "csv"\nsniff = true', "dialect.sniff is not a known field"),
        ('type = "date"', 'type = "day"', "columns.date.type is 'day'"),
        ('type = "date"', 'type = "date"\nrequired = 1', "expected true or false"),
        ('type = "date"', 'type = "date"\nminimum = -1', "whole number of at least 0"),
        ("[columns.date]", "[columns.nope]", "columns.nope"),
        ("[dialect]", "[constants]\ndate = '2024'\n[dialect]", "both a column and a constant"),
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
