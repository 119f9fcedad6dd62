"""The master is a pure function of the set of deliveries, whatever order they arrive in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.merge.resolve import FILE_NO, Resolved, Rules, resolve
from pipeline.merge.windows import WINDOWS, pick_winners
from pipeline.schema import AD_DAY, GRAIN, PART_CELL

SCHEMA = pl.Schema(AD_DAY)
DAY_ONE = date(2024, 1, 1)
KEY = ("campaign_id", "date", "target_audience")


@dataclass(frozen=True)
class File:
    """One delivered file: rows of (campaign, day offset, cost in cents)."""

    rank: int
    sha256: str
    rows: tuple[tuple[str, int, int], ...]
    days: tuple[int, int]

    @property
    def delivered_at(self) -> datetime:
        return datetime(2024, 6, 1, tzinfo=UTC) + timedelta(hours=self.rank)


def make_rows(file: File, file_no: int) -> pl.DataFrame:
    rows = [
        {
            **dict.fromkeys(AD_DAY.names),
            "source": "s",
            "account": "a",
            "breakdown": "",
            "segment": "",
            "platform": "p",
            "target_audience": "t",
            "campaign_id": campaign,
            "date": DAY_ONE + timedelta(days=offset),
            "cost": Decimal(cents) / 100,
            "delivered_at": file.delivered_at,
            "delivery_id": f"d{file.rank}",
            "line": line,
            FILE_NO: file_no,
            PART_CELL: None,
        }
        for line, (campaign, offset, cents) in enumerate(file.rows, start=2)
    ]
    schema = {**SCHEMA, FILE_NO: pl.Int32(), PART_CELL: pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def make_windows(files: Sequence[File]) -> pl.DataFrame:
    rows = [
        (
            "s",
            "a",
            None,
            "",
            DAY_ONE + timedelta(days=file.days[0]),
            DAY_ONE + timedelta(days=file.days[1]),
            file.delivered_at,
            f"d{file.rank}",
        )
        for file in files
    ]
    return pl.DataFrame(rows, schema=WINDOWS, orient="row")


def merge_in_order(files: Sequence[File], *, batch: int, replaces: bool) -> pl.DataFrame:
    """Merges files in the given order, some at a time, as the steps do."""
    current = pl.DataFrame(schema=SCHEMA)
    seen: list[File] = []
    for start in range(0, len(files), batch):
        group = sorted(files[start : start + batch], key=lambda file: (file.rank, file.sha256))
        incoming = pl.concat([make_rows(file, number) for number, file in enumerate(group)])
        resolved = resolve(
            current,
            incoming,
            rules=Rules(key=GRAIN if replaces else KEY),
            winners=pick_winners(make_windows(seen), make_windows(group)) if replaces else None,
        )
        check_account(current, incoming, resolved)
        current = resolved.rows.select(AD_DAY.names)
        seen += group
    return current.sort(AD_DAY.names)


def check_account(current: pl.DataFrame, incoming: pl.DataFrame, resolved: Resolved) -> None:
    assert resolved.added + resolved.lost.height == incoming.height
    assert resolved.rows.height == current.height + resolved.added - resolved.removed
    keys = resolved.rows.select(KEY)
    assert keys.is_unique().all()


def reference_upsert(files: Sequence[File]) -> dict[tuple[str, int], int]:
    """Brute force: the newest delivery of a key wins, ties by (sha256, line)."""
    won: dict[tuple[str, int], int] = {}
    for file in sorted(files, key=lambda file: (file.rank, file.sha256)):
        for campaign, offset, cents in file.rows:
            won[campaign, offset] = cents
    return won


def reference_windows(files: Sequence[File]) -> dict[tuple[str, int], int]:
    """Brute force: on each day only the newest delivery that covers it speaks."""
    won: dict[tuple[str, int], int] = {}
    days = {day for file in files for day in range(file.days[0], file.days[1] + 1)}
    for day in days:
        speaker = max(
            (file for file in files if file.days[0] <= day <= file.days[1]),
            key=lambda file: file.rank,
        )
        for campaign, offset, cents in speaker.rows:
            if offset == day:
                won[campaign, offset] = cents
    return won


def as_dict(rows: pl.DataFrame) -> dict[tuple[str, int], int]:
    return {
        (row["campaign_id"], (row["date"] - DAY_ONE).days): int(row["cost"] * 100)
        for row in rows.iter_rows(named=True)
    }


@st.composite
def histories(draw: st.DrawFn) -> list[File]:
    ranks = draw(st.permutations(range(draw(st.integers(1, 5)))))
    files = []
    for rank in ranks:
        first = draw(st.integers(0, 4))
        last = draw(st.integers(first, 5))
        rows = draw(
            st.lists(
                st.tuples(st.sampled_from("xyz"), st.integers(first, last), st.integers(0, 3)),
                max_size=5,
            )
        )
        files.append(File(rank, f"{draw(st.integers(0, 9))}{rank}", tuple(rows), (first, last)))
    return files


@given(files=histories(), batch=st.integers(1, 3))
def test_the_newest_row_of_a_key_wins_in_any_order_of_arrival(
    files: list[File], batch: int
) -> None:
    assert as_dict(merge_in_order(files, batch=batch, replaces=False)) == reference_upsert(files)


@given(files=histories(), batch=st.integers(1, 3))
def test_the_newest_delivery_of_a_day_replaces_all_before_it_in_any_order(
    files: list[File], batch: int
) -> None:
    assert as_dict(merge_in_order(files, batch=batch, replaces=True)) == reference_windows(files)


def test_a_loser_is_a_duplicate_where_it_says_the_same_and_superseded_where_not() -> None:
    old = File(1, "a", (("x", 0, 100), ("y", 0, 100)), (0, 0))
    new = File(2, "b", (("x", 0, 100), ("y", 0, 200)), (0, 0))
    incoming = pl.concat([make_rows(old, 0), make_rows(new, 1)])
    lost = resolve(pl.DataFrame(schema=SCHEMA), incoming, rules=Rules(key=KEY)).lost
    assert sorted(lost.rows()) == [(0, False), (0, True)]


def test_a_late_old_delivery_revives_nothing_and_is_counted() -> None:
    new = make_rows(File(2, "b", (), (0, 3)), 0)
    old = File(1, "a", (("x", 0, 100),), (0, 0))
    winners = pick_winners(make_windows([File(2, "b", (), (0, 3))]), make_windows([old]))
    resolved = resolve(
        new.select(AD_DAY.names), make_rows(old, 0), rules=Rules(key=GRAIN), winners=winners
    )
    assert resolved.rows.height == 0
    assert resolved.lost.rows() == [(0, False)]


def test_ties_in_one_file_go_by_line_and_between_files_by_hash() -> None:
    file = File(1, "a", (("x", 0, 100), ("x", 0, 300)), (0, 0))
    twin = File(1, "b", (("x", 0, 200),), (0, 0))
    for rows in (make_rows(file, 0), make_rows(file, 0).reverse()):
        alone = resolve(pl.DataFrame(schema=SCHEMA), rows, rules=Rules(key=KEY))
        assert as_dict(alone.rows) == {("x", 0): 300}
    both = pl.concat([make_rows(twin, 1), make_rows(file, 0)])
    assert as_dict(resolve(pl.DataFrame(schema=SCHEMA), both, rules=Rules(key=KEY)).rows) == {
        ("x", 0): 200
    }


def test_a_delivery_that_grew_is_resolved_as_a_whole() -> None:
    first = File(1, "b", (("x", 0, 100),), (0, 0))
    second = File(1, "a", (("x", 0, 200),), (0, 0))
    together = pl.concat([make_rows(second, 0), make_rows(first, 1)])
    at_once = resolve(pl.DataFrame(schema=SCHEMA), together, rules=Rules(key=KEY))
    current = make_rows(first, 0).select(AD_DAY.names)
    reread = pl.DataFrame(
        [(first.delivered_at, "d1", DAY_ONE)],
        schema={"delivered_at": SCHEMA["delivered_at"], "delivery_id": pl.String, "date": pl.Date},
        orient="row",
    )
    grown = resolve(current, together, rules=Rules(key=KEY), void=reread)
    assert grown.rows.select(AD_DAY.names).equals(at_once.rows.select(AD_DAY.names))
    assert as_dict(grown.rows) == {("x", 0): 100}
