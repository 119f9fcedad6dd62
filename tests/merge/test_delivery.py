"""The identity and rank of files."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.contracts import load_contracts
from pipeline.errors import BadFileError
from pipeline.merge.delivery import (
    MAX_AHEAD,
    Delivery,
    Found,
    find_due,
    find_grown,
    identify_file,
    leave_known_out,
    pick_judged,
    read_pins,
    recall,
)
from pipeline.schema import LEDGER
from tests.lakes import make_ledger_row

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
LABELS = "account=A/currency=EUR/period=2024-02-01"


def make_found(path: str = "landing/s/a.csv", **fields: Any) -> Found:
    return Found(path, 10, "e", NOW - timedelta(hours=1))._replace(**fields)


def make_ledger(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=pl.Schema(LEDGER), orient="row")


def make_entry(path: str, **columns: Any) -> dict[str, Any]:
    found = make_found(path)
    known = {"source": "s", "delivered_at": NOW, "delivery_id": "d", "sha256": path}
    return make_ledger_row(**(found._asdict() | known | columns))


def test_only_files_that_are_known_in_the_same_state_are_left_out() -> None:
    known = make_found()
    changed = [
        known._replace(size=11),
        known._replace(etag="f"),
        known._replace(modified_at=NOW),
        known._replace(path="landing/s/b.csv"),
    ]
    ledger = make_ledger(make_entry(known.path))
    found = [changed[0], known, *changed[1:]]
    assert leave_known_out(found, ledger) == changed
    assert leave_known_out([], ledger) == []


def test_a_file_of_a_declared_time_has_it_and_what_its_path_says() -> None:
    found = make_found(f"landing/s/{LABELS}/delivered=2024-02-29/platform=p/a.csv")
    delivery = identify_file(found, sha256="h", pinned={("s", "h"): NOW}, now=NOW)
    assert delivery == Delivery(
        found=found,
        kind="file",
        source="s",
        delivered_at=datetime(2024, 2, 29, tzinfo=UTC),
        delivery_id="2024-02-29",
        sha256="h",
        account="A",
        currency="EUR",
        period=(date(2024, 2, 1), date(2024, 2, 1)),
        claims=(("platform", "p"),),
        role="new",
        accepted=False,
    )
    assert delivery.rank == (delivery.delivered_at, "2024-02-29")


def test_any_other_file_has_the_time_of_its_first_sight() -> None:
    found = make_found()
    seen = identify_file(found, sha256="h", pinned={("t", "h"): NOW, ("s", "g"): NOW}, now=NOW)
    assert seen.rank == (found.modified_at, "h")
    again = identify_file(found, sha256="h", pinned={("s", "h"): NOW}, now=NOW)
    assert again.rank == (NOW, "h")


def test_a_file_may_come_a_day_from_the_future_and_no_more() -> None:
    latest = make_found(modified_at=NOW + MAX_AHEAD)
    assert identify_file(latest, sha256="h", pinned={}, now=NOW).delivered_at == NOW + MAX_AHEAD
    later = latest._replace(modified_at=NOW + MAX_AHEAD + timedelta(microseconds=1))
    with pytest.raises(BadFileError) as caught:
        identify_file(later, sha256="h", pinned={}, now=NOW)
    assert (caught.value.rule, str(caught.value)) == (
        "delivered_in_future",
        "delivered at 2024-03-02T12:00:00Z, more than a day ahead of the clock",
    )


def test_the_first_sight_of_a_file_without_a_declared_time_is_kept_by_source_and_bytes() -> None:
    early = NOW - timedelta(days=1)
    ledger = make_ledger(
        make_entry("a", sha256="h", delivery_id="h", delivered_at=NOW),
        make_entry("b", sha256="h", delivery_id="h", delivered_at=early),
        make_entry("c", sha256="h", delivery_id="h", source="t"),
        make_entry("d", sha256="g", delivery_id="declared", delivered_at=early),
        make_entry("e", sha256=None, delivery_id=None),
    )
    assert read_pins(ledger, ["h", "g"]) == {("s", "h"): early, ("t", "h"): NOW}
    assert read_pins(ledger, ["g"]) == {}


def test_the_newest_judgement_of_a_file_counts() -> None:
    ledger = make_ledger(
        make_entry("a", n=3, outcome="withdrawn"),
        make_entry("a", n=1),
        make_entry("a", n=2, sha256="other"),
        make_entry("b", n=1),
        make_entry("b", n=2, sha256=None),
    )
    judged = pick_judged(ledger).select("n", "path", "sha256", "outcome").rows()
    assert judged == [
        (1, "b", "b", "merged"),
        (2, "a", "other", "merged"),
        (3, "a", "a", "withdrawn"),
    ]


def test_what_waits_is_due_once_something_of_its_source_was_withdrawn_after_it() -> None:
    held = {"outcome": "held", "n": 2}
    ledger = make_ledger(
        make_entry("gone", n=1),
        make_entry("before", n=1, outcome="held"),
        make_entry("due", **held),
        make_entry("other source", **held, source="t"),
        make_entry("let pass", **held),
        make_entry("let pass", n=3),
        make_entry("with new content", **held, sha256="old"),
        make_entry("with new content", n=3, sha256="new"),
        make_entry("gone", n=4, outcome="withdrawn"),
        make_entry("after", n=5, outcome="held"),
    )
    assert find_due(ledger) == {"before", "due"}
    assert find_due(ledger.filter(pl.col("n") < 4)) == set()
    again = make_ledger(make_entry("due", n=5, outcome="held"))
    assert find_due(pl.concat([ledger, again])) == {"before"}


def test_a_file_comes_back_as_the_ledger_knows_it() -> None:
    path = f"landing/folder/{LABELS}/a.csv"
    [back] = recall(make_ledger(make_entry(path, source="s")), role="replayed", accepted=True)
    assert back == Delivery(
        found=make_found(path),
        kind="file",
        source="s",
        delivered_at=NOW,
        delivery_id="d",
        sha256=path,
        account="A",
        currency="EUR",
        period=(date(2024, 2, 1), date(2024, 2, 1)),
        role="replayed",
        accepted=True,
    )
    [plain] = recall(make_ledger(make_entry(path)), role="reread")
    assert (plain.role, plain.accepted) == ("reread", False)
    assert [one.is_fresh for one in (back, plain, replace(back, role="new"))] == [True, False, True]


def test_a_delivery_that_has_a_new_file_is_read_again_as_a_whole() -> None:
    contracts = load_contracts()
    contracts = {
        "shop": replace(contracts["canonical"], name="shop", mode="upsert"),
        "sums": replace(contracts["canonical"], name="sums", mode="append"),
    }
    [new] = recall(make_ledger(make_entry("landing/s/new.csv")), role="new")
    names = ["same", "sum", "held", "time", "id", "source", "withdrawn"]
    paths = {name: f"landing/s/{name}.csv" for name in names}
    ledger = make_ledger(
        make_entry(paths["same"], contract="shop"),
        make_entry(paths["sum"], contract="sums"),
        make_entry(paths["held"], contract="shop", outcome="held"),
        make_entry(paths["time"], contract="shop", delivered_at=NOW - timedelta(1)),
        make_entry(paths["id"], contract="shop", delivery_id="e"),
        make_entry(paths["source"], contract="shop", source="t"),
        make_entry(paths["withdrawn"], contract="shop", n=1),
        make_entry(paths["withdrawn"], contract="shop", n=2, outcome="withdrawn"),
        make_entry("landing/s/new.csv", contract="shop"),
        make_entry("landing/s/new.csv", contract="shop", sha256="other bytes"),
    )
    grown = find_grown([new], ledger, contracts)
    assert [(one.found.path, one.sha256, one.role) for one in grown] == [
        (paths["same"], paths["same"], "reread"),
        ("landing/s/new.csv", "other bytes", "reread"),
    ]
    assert find_grown([replace(new, kind="raw")], ledger, contracts) == []
    assert find_grown([], ledger, contracts) == []
