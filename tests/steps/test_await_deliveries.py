"""Which deliveries a day's run still waits for."""

from datetime import date

from pipeline.steps.await_deliveries import list_missing
from tests.lots import make_line, write_lot
from tests.steps.conftest import Home

DAY = date(2024, 3, 5)


def test_nothing_is_waited_for_unless_it_is_asked_for(home: Home) -> None:
    assert list_missing(home.lake, [], day=DAY) == []
    assert not home.root.exists()


def test_a_source_has_come_when_a_file_of_it_is_there(home: Home) -> None:
    assert list_missing(home.lake, ["b", "a"], day=DAY) == ["a", "b"]
    write_lot(home.root / "landing/a/delivered=2024-03-06/x.csv", [make_line()])
    write_lot(home.root / "landing/b/x.csv.part", [make_line()])
    (home.root / "landing/b/_SUCCESS").touch()
    (home.root / "landing/b.csv").touch()
    assert list_missing(home.lake, ["b", "a"], day=DAY) == ["b"]


def test_a_merged_file_counts_for_the_days_that_it_speaks_for(home: Home) -> None:
    lines = [make_line(date="2024-03-04"), make_line(date="2024-03-06")]
    write_lot(home.root / "landing/a/x.csv", lines)
    home.merge()
    assert list_missing(home.lake, ["a"], day=DAY) == []
    assert list_missing(home.lake, ["a"], day=date(2024, 3, 7)) == ["a"]
    write_lot(home.root / "landing/a/y.csv", [make_line(date="2024-03-07")])
    assert list_missing(home.lake, ["a"], day=date(2024, 3, 7)) == []


def test_a_refused_file_is_no_delivery(home: Home) -> None:
    (home.root / "landing/a").mkdir(parents=True)
    (home.root / "landing/a/x.csv").write_text("x;y\n1;2\n")
    home.merge()
    assert list_missing(home.lake, ["a"], day=DAY) == ["a"]
