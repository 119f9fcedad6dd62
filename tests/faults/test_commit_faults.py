"""A commit whose answer is lost or refused is neither repeated nor dropped."""

from contextlib import suppress

import pytest

from pipeline.errors import AdlakeError
from pipeline.steps.compact import compact
from pipeline.steps.withdraw import withdraw
from tests.fault_proxy import Rule
from tests.faults.conftest import SETTINGS, Harbour

FAULTS = ["503", "500", "409", "reset-before", "reset-after", "applied-500", "applied-503"]
QUICK = {"409", "reset-after", "applied-500"}
FAULTS_BUT_QUICK = [
    fault if fault in QUICK else pytest.param(fault, marks=pytest.mark.faults) for fault in FAULTS
]
COMMIT = r"/master/_delta_log/\d+\.json$"
LEDGER = r"/ledger/_delta_log/\d+\.json$"


@pytest.mark.parametrize("fault", FAULTS_BUT_QUICK)
def test_a_merge_survives_whatever_happens_to_its_commit(harbour: Harbour, fault: str) -> None:
    harbour.deliver("a.csv", ["a"])
    harbour.merge(harbour.open_directly())
    harbour.deliver("b.csv", ["b", "c"])
    harbour.proxy.break_by(Rule(fault, "PUT", COMMIT, times=1))
    with suppress(AdlakeError):
        harbour.merge(harbour.open())
    assert harbour.proxy.done == 1
    for _ in range(2):
        harbour.merge(harbour.open())
    harbour.check(["a", "b", "c"])
    assert harbour.open_directly().open_master().transaction == 2


@pytest.mark.faults
@pytest.mark.parametrize("command", ["first merge", "withdraw", "compact"])
@pytest.mark.parametrize("fault", FAULTS)
def test_so_does_every_command_that_commits(harbour: Harbour, fault: str, command: str) -> None:
    path = harbour.deliver("a.csv", ["a"])
    if command != "first merge":
        harbour.merge(harbour.open_directly())
        harbour.deliver("b.csv", ["b"], cost=3)
        harbour.merge(harbour.open_directly())
    harbour.proxy.break_by(Rule(fault, "PUT", COMMIT, times=1))
    for _ in range(3):
        with suppress(AdlakeError):
            lake = harbour.open()
            if command == "first merge":
                harbour.merge(lake)
            elif command == "withdraw":
                withdraw(lake, path, settings=SETTINGS)
            else:
                compact(lake, settings=SETTINGS)
    expected = {"first merge": ["a"], "withdraw": ["b"], "compact": ["a", "b"]}[command]
    assert harbour.read_master()["campaign_id"].to_list() == expected


@pytest.mark.parametrize("fault", ["reset-after", "applied-500"])
def test_so_does_the_ledger_that_follows(harbour: Harbour, fault: str) -> None:
    harbour.deliver("a.csv", ["a"])
    harbour.proxy.break_by(Rule(fault, "PUT", LEDGER.replace(r"\d+", "0*1"), times=1))
    with suppress(AdlakeError):
        harbour.merge(harbour.open())
    assert harbour.proxy.done == 1
    harbour.merge(harbour.open())
    harbour.check(["a"])
