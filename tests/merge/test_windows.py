"""Which delivery speaks for a date."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from pipeline.merge.windows import WINDOWS, pick_winners, read_contracts, read_windows, spread
from pipeline.schema import LEDGER
from tests.lakes import make_ledger_row

PLATFORM = "p"


def make_moment(hour: int) -> datetime:
    return datetime(2024, 6, 1, hour, tzinfo=UTC)


def make_windows(*windows: tuple[str | None, int, int, int, str]) -> pl.DataFrame:
    """Windows of platform, first and last day of January, hour of delivery, delivery id."""
    rows = [
        ("s", "a", platform, "", date(2024, 1, first), date(2024, 1, last), make_moment(hour), name)
        for platform, first, last, hour, name in windows
    ]
    return pl.DataFrame(rows, schema=WINDOWS, orient="row")


def list_winners(winners: pl.DataFrame) -> list[tuple[Any, ...]]:
    return sorted(winners.select(pl.col("date").dt.day(), "delivery_id").rows())


def make_entry(**columns: Any) -> dict[str, Any]:
    window = {
        "account": "a",
        "platform": None,
        "breakdown": "age",
        "first_date": date(2024, 1, 1),
        "last_date": date(2024, 1, 3),
        "is_primary": False,
    }
    return make_ledger_row(
        source="s",
        delivered_at=make_moment(1),
        delivery_id="d1",
        coverage=[window],
        **columns,
    )


def make_ledger(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=pl.Schema(LEDGER), orient="row")


def test_a_window_covers_each_date_from_its_first_to_its_last() -> None:
    registers = spread(make_windows((PLATFORM, 30, 31, 5, "d")))
    assert registers.rows() == [
        ("s", "a", PLATFORM, "", date(2024, 1, day), make_moment(5), "d") for day in (30, 31)
    ]


def test_the_highest_rank_wins_each_register_that_the_new_deliveries_touch() -> None:
    before = make_windows((None, 1, 3, 2, "old"), (None, 2, 2, 4, "newest"), (None, 9, 9, 9, "far"))
    winners = pick_winners(before, make_windows((None, 2, 4, 3, "new")))
    assert list_winners(winners) == [(2, "newest"), (3, "new"), (4, "new")]


def test_at_one_moment_the_delivery_id_decides() -> None:
    earlier, later = make_windows((None, 1, 1, 1, "a")), make_windows((None, 1, 1, 1, "b"))
    for before, incoming in ((earlier, later), (later, earlier)):
        assert list_winners(pick_winners(before, incoming)) == [(1, "b")]


def test_platforms_are_registers_of_their_own() -> None:
    before = make_windows(("p", 1, 1, 9, "of p"), ("q", 1, 1, 9, "of q"))
    winners = pick_winners(before, make_windows(("q", 1, 1, 1, "new")))
    assert winners.select("platform", "delivery_id").rows() == [("q", "of q")]


def test_windows_are_those_of_the_merged_files_of_the_sources() -> None:
    ledger = make_ledger(
        make_entry(path="a", sha256="1"),
        make_entry(path="b", sha256="2", outcome="held"),
        {**make_entry(path="c", sha256="3"), "source": "other"},
        {**make_entry(path="d", sha256="4"), "coverage": []},
    )
    assert read_windows(ledger, ["s"]).rows() == [
        ("s", "a", None, "age", date(2024, 1, 1), date(2024, 1, 3), make_moment(1), "d1")
    ]
    assert read_windows(ledger, ["s"]).schema == WINDOWS


def test_a_file_that_was_withdrawn_covers_nothing() -> None:
    merged = make_entry(n=1, path="a", sha256="1")
    withdrawn = make_entry(n=2, path="a", sha256="1", outcome="withdrawn")
    for ledger in (make_ledger(merged, withdrawn), make_ledger(withdrawn, merged)):
        assert read_windows(ledger, ["s"]).is_empty()


def test_the_contract_of_a_place_is_that_of_the_file_that_speaks_for_it() -> None:
    window = make_entry()["coverage"][0]
    plain = [{**window, "breakdown": ""}, {**window, "breakdown": "", "account": "b"}]
    ledger = make_ledger(
        make_entry(path="a", sha256="1", contract="rows"),
        make_entry(path="b", sha256="2", contract="download") | {"coverage": plain},
        make_entry(path="c", sha256="3", contract="more") | {"coverage": plain[1:]},
        make_entry(path="d", sha256="4", contract="held", outcome="held"),
    )
    found = read_contracts(ledger, ["s"]).select("account", "breakdown", "contract").rows()
    assert sorted(found) == [
        ("a", "", "download"),
        ("a", "age", "rows"),
        ("b", "", "download"),  # of two the first by name
    ]
