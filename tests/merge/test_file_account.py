"""What became of a file: its counts, its row in the ledger, and whether a person should look."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipeline.contracts import Holds
from pipeline.merge.account import FileAccount
from pipeline.merge.coverage import Window
from pipeline.merge.delivery import Delivery, Found
from pipeline.schema import LEDGER

NOW = datetime(2024, 3, 1, tzinfo=UTC)
FOUND = Found("landing/s/a.csv", 10, "e", NOW)


def make_account(**fields: Any) -> FileAccount:
    return FileAccount(found=FOUND, **({"outcome": "merged"} | fields))


def test_each_row_of_a_file_is_counted_once() -> None:
    account = make_account(control=100, accepted=1, quarantined=20, duplicates=300, superseded=4000)
    assert account.rows_in == 4321


@pytest.mark.parametrize(
    ("fields", "looks"),
    [
        ({}, False),
        ({"accepted": 1}, False),
        ({"outcome": "quarantined"}, True),
        ({"outcome": "held"}, True),
        ({"outcome": "withdrawn"}, False),
        ({"quarantined": 1}, True),  # all of its rows
        ({"quarantined": 1, "accepted": 1}, False),
        ({"quarantined": 5, "accepted": 95}, False),
        ({"quarantined": 6, "accepted": 94}, True),
        ({"quarantined": 6, "accepted": 94, "holds": Holds(max_reject_percent=6)}, False),
        ({"accepted": 1, "remarks": {"totals_mismatch": 1}}, True),
        ({"accepted": 1, "remarks": {"rounded": 1}}, False),
    ],
)
def test_what_was_refused_or_does_not_add_up_needs_a_look(
    fields: dict[str, Any], looks: bool
) -> None:
    assert make_account(**fields).needs_a_look == looks


def test_the_ledger_holds_all_that_is_known() -> None:
    delivery = Delivery(
        found=FOUND,
        kind="file",
        source="s",
        delivered_at=NOW,
        delivery_id="d",
        sha256="h",
    )
    account = make_account(
        outcome="held",
        delivery=delivery,
        contract="shop",
        contract_sha256="c",
        time_zone="America/Lima",
        reason="large_shrink",
        detail="in words",
        control=5,
        accepted=1,
        quarantined=2,
        duplicates=3,
        superseded=4,
        remarks={"b": 1, "a": 2},
        coverage=[Window("a", None, "age", date(2024, 1, 1), date(2024, 1, 2), is_primary=True)],
        reject_path="quarantine/r.parquet",
    )
    row = account.to_ledger_row(n=7, recorded_at=NOW)
    assert list(row) == LEDGER.names
    assert row == {
        "n": 7,
        "recorded_at": NOW,
        "path": "landing/s/a.csv",
        "size": 10,
        "etag": "e",
        "modified_at": NOW,
        "sha256": "h",
        "source": "s",
        "contract": "shop",
        "contract_sha256": "c",
        "time_zone": "America/Lima",
        "delivered_at": NOW,
        "delivery_id": "d",
        "outcome": "held",
        "reason": "large_shrink",
        "detail": "in words",
        "rows_in": 10,
        "control": 5,
        "accepted": 1,
        "quarantined": 2,
        "duplicates": 3,
        "superseded": 4,
        "remarks": json.dumps({"a": 2, "b": 1}),
        "coverage": [
            {
                "account": "a",
                "platform": None,
                "breakdown": "age",
                "first_date": date(2024, 1, 1),
                "last_date": date(2024, 1, 2),
                "is_primary": True,
            }
        ],
        "reject_path": "quarantine/r.parquet",
    }


def test_what_is_not_known_is_missing_in_the_ledger() -> None:
    row = make_account(outcome="quarantined").to_ledger_row(n=1, recorded_at=NOW)
    missing = {name for name, value in row.items() if value is None}
    assert missing == {
        *("sha256", "source", "contract", "contract_sha256", "time_zone", "delivered_at"),
        *("delivery_id", "reason", "detail", "remarks", "reject_path"),
    }
    assert row["coverage"] == []
