"""Values of options that try to be SQL or a path: each is refused, or stays the text that it is."""

from pathlib import Path

import pytest

from pipeline.contracts import load_contracts
from pipeline.errors import UsageError
from pipeline.kpi.quarantine import show_refused
from pipeline.kpi.query import run_query
from pipeline.kpi.rates import check_code
from pipeline.kpi.views import open_reading_connection
from pipeline.lake import LANDING, Lake
from pipeline.settings import Settings
from pipeline.steps.label import Label
from pipeline.steps.land import land
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import merge
from pipeline.steps.withdraw import withdraw
from pipeline.storage import LocalStorage
from tests.cli.test_reading_commands import INJECTIONS
from tests.lots import make_line, write_lot

SETTINGS = Settings(workers=2)


def can_be_name(label: Label) -> bool:
    try:
        label.check()
    except UsageError:
        return False
    return True


NAMES = [text for text in INJECTIONS if can_be_name(Label(source=text))]
"""Those that a source may be called, as a folder may."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with a merged lot, and one row of it in quarantine."""
    root = tmp_path_factory.mktemp("hostile")
    write_lot(root / "marketing_data_1.csv", [make_line(), make_line(campaign_id="2", clicks="x")])
    lake = Lake(LocalStorage(root))
    merge(lake, settings=SETTINGS)
    return lake


@pytest.mark.parametrize("injected", INJECTIONS)
def test_a_code_or_period_is_none_of_them(injected: str) -> None:
    with pytest.raises(UsageError, match=r"--currency is .*; expected a code such as EUR"):
        check_code(injected)
    with pytest.raises(UsageError, match=r"--currency is .*; expected a code such as EUR"):
        Label(currency=injected).check()
    with pytest.raises(UsageError, match="--period"):
        Label(period=injected).check()
    with pytest.raises(UsageError, match="--delivered is"):
        Label(delivered=injected).read_delivered()


@pytest.mark.parametrize("injected", INJECTIONS)
def test_a_source_or_account_is_refused_or_one_part_of_a_path(injected: str) -> None:
    contract = load_contracts()["lots"]
    for label in (Label(source=injected), Label(account=injected)):
        if can_be_name(label):
            folder = f"account={injected}" if label.account else injected
            assert "/" not in folder
            parts = label.name_folder(contract).split("/")
            assert parts == ([LANDING, "lots", folder] if label.account else [LANDING, folder])


@pytest.mark.slow
def test_a_source_of_any_name_is_landed_and_merged_as_that_name(tmp_path: Path) -> None:
    lake = Lake(LocalStorage(tmp_path / "lake"))
    lake.initialise()
    lot = tmp_path / "lot.csv"
    write_lot(lot, [make_line()])
    for name in NAMES:
        land(lake, [lot], settings=SETTINGS, label=Label(source=name, account=name))
    merge(lake, settings=SETTINGS)
    with open_reading_connection(lake, lake.take_snapshot()) as connection:
        found = run_query(connection, "select source, account from ad_day").rows
    assert sorted(found) == sorted((name, name) for name in NAMES)
    assert len(NAMES) > 10


def test_a_rule_or_file_of_the_quarantine_is_only_compared(lake: Lake) -> None:
    snapshot = lake.take_snapshot()
    with open_reading_connection(lake, snapshot, stored=(), with_raw=False) as connection:
        for injected in INJECTIONS:
            found = show_refused(connection, path=None, rule=injected, limit=9)
            assert found.rows == (), injected
            with pytest.raises(UsageError, match="has nothing in quarantine; of the files: "):
                show_refused(connection, path=injected, rule=None, limit=9)
        assert len(show_refused(connection, path=None, rule=None, limit=9).rows) == 1


def test_who_withdraws_a_file_by_its_name_is_told_its_path(lake: Lake) -> None:
    [path] = read_ledger(lake, lake.take_snapshot().ledger)["path"].unique()[:1]
    name = path.rpartition("/")[2]
    with pytest.raises(UsageError) as said:
        withdraw(lake, f"Downloads/{name}", settings=SETTINGS)
    assert f"did you mean {path}? `adlake query" in str(said.value)
    with pytest.raises(UsageError, match=r"expected its path in the lake, landing/\.\.\. `adlake"):
        withdraw(lake, "", settings=SETTINGS)


@pytest.mark.slow
def test_what_is_no_file_is_not_withdrawn(lake: Lake) -> None:
    before = lake.take_snapshot()
    for injected in INJECTIONS:
        with pytest.raises(UsageError, match="is no file that a merge took"):
            withdraw(lake, injected, settings=SETTINGS)
    assert lake.take_snapshot() == before
