"""A commit whose answer is lost or refused is neither repeated nor dropped."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from pipeline.errors import AdlakeError, StorageError
from pipeline.lake import Lake
from pipeline.steps.commit import MergeOutcome
from pipeline.steps.compact import compact
from pipeline.steps.withdraw import withdraw
from pipeline.storage.s3 import client
from tests.fault_proxy import Rule
from tests.faults.conftest import SETTINGS, Harbour

FAULTS = ["503", "500", "409", "reset-before", "reset-after", "applied-500", "applied-503"]
COMMIT = r"/master/_delta_log/\d+\.json$"
NOT_THE_FIRST = r"/master/_delta_log/0*[1-9]\d*\.json$"
"""Without the entry that makes an empty table."""

LEDGER = r"/ledger/_delta_log/\d+\.json$"
Run = Callable[[Lake], MergeOutcome]


@pytest.mark.parametrize(
    "fault",
    [
        fault if fault == "reset-after" else pytest.param(fault, marks=pytest.mark.faults)
        for fault in FAULTS
    ],
)
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
    run, campaigns, transaction = prepare(harbour, command)
    harbour.proxy.break_by(Rule(fault, "PUT", COMMIT, times=1))
    with suppress(AdlakeError):
        run(harbour.open())
    assert harbour.proxy.done == 1
    run(harbour.open())
    assert run(harbour.open()).transaction is None
    harbour.check(campaigns)
    snapshot = harbour.open_directly().take_snapshot()
    assert (snapshot.transaction, len(snapshot.files)) == (transaction, 1)


def prepare(harbour: Harbour, command: str) -> tuple[Run, list[str], int]:
    """A lake with work for a command; what runs it, the campaigns and transactions afterwards."""
    if command == "compact":
        harbour.open_directly().initialise()
        for name in ("a", "b"):
            harbour.commit(name)
        return lambda lake: compact(lake, settings=SETTINGS), ["a", "b"], 3
    path = harbour.deliver("a.csv", ["a"])
    if command == "first merge":
        return harbour.merge, ["a"], 1
    harbour.deliver("b.csv", ["b"])
    harbour.merge(harbour.open_directly())
    return lambda lake: withdraw(lake, path, settings=SETTINGS), ["b"], 2


@pytest.mark.faults
@pytest.mark.parametrize("command", ["first merge", "withdraw", "compact"])
@pytest.mark.parametrize("fault", ["reset-after", "applied-500", "applied-503"])
@pytest.mark.parametrize("head", ["", "denied"], ids=["HEAD answered", "HEAD refused"])
def test_a_commit_that_stands_and_whose_every_answer_is_an_error_is_found_by_the_next_run(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch, fault: str, command: str, head: str
) -> None:
    monkeypatch.setattr(client, "TRIES", 3)
    run, campaigns, transaction = prepare(harbour, command)
    refused = [Rule(head, "HEAD", COMMIT)] if head else []
    harbour.proxy.break_by(Rule(fault, "PUT", NOT_THE_FIRST), *refused)
    with pytest.raises(StorageError):
        run(harbour.open())
    assert harbour.proxy.done == client.TRIES
    assert harbour.open_directly().open_master().transaction == transaction
    harbour.proxy.break_by()
    run(harbour.open())
    assert run(harbour.open()).transaction is None
    harbour.check(campaigns)
    snapshot = harbour.open_directly().take_snapshot()
    assert (snapshot.transaction, len(snapshot.files)) == (transaction, 1)


@pytest.mark.faults
@pytest.mark.parametrize("fault", ["reset-after", "applied-500"])
def test_so_does_the_ledger_that_follows(harbour: Harbour, fault: str) -> None:
    harbour.deliver("a.csv", ["a"])
    harbour.proxy.break_by(Rule(fault, "PUT", LEDGER.replace(r"\d+", "0*1"), times=1))
    with suppress(AdlakeError):
        harbour.merge(harbour.open())
    assert harbour.proxy.done == 1
    harbour.merge(harbour.open())
    harbour.check(["a"])
