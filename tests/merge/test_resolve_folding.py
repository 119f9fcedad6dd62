"""Rows that say parts of one thing are added up, and every row that came is accounted for."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.merge.resolve import CURRENT, FILE_NO, Resolved, Rules, leave_void_out, resolve
from pipeline.merge.windows import REGISTER
from pipeline.schema import AD_DAY, GRAIN, PART_CELL
from tests.lakes import DELIVERED_AT, make_row

SCHEMA = {**pl.Schema(AD_DAY), FILE_NO: pl.Int32(), PART_CELL: pl.String()}
LOST = {FILE_NO: pl.Int32(), "duplicate": pl.Boolean()}


class Row(NamedTuple):
    """A row of one day; `file_no` is -1 for those of the master, which say of no part."""

    campaign: str | None
    name: str
    cents: int
    rank: int
    file_no: int
    line: int
    part: str | None = None

    @property
    def key(self) -> str:
        return f"id {self.campaign}" if self.campaign else f"name {self.name}"

    @property
    def order(self) -> tuple[int, int, int]:
        return self.rank, self.file_no, self.line

    def says(self, other: "Row") -> bool:
        return (self.name, self.cents) == (other.name, other.cents)


class Outcome(NamedTuple):
    """Cents, rank and line of each campaign; the incoming rows that are lost; how many moved."""

    rows: dict[str, tuple[int, int, int]]
    lost: Counter[tuple[int, bool]]
    removed: int
    added: int


def make_frame(rows: Iterable[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                **make_row(
                    campaign_id=row.campaign,
                    campaign_name=row.name,
                    target_audience=None,
                    cost=f"{row.cents}e-2",
                    delivered_at=DELIVERED_AT + timedelta(hours=row.rank),
                    delivery_id=f"d{row.rank}",
                    line=row.line,
                ),
                FILE_NO: row.file_no,
                PART_CELL: row.part,
            }
            for row in rows
        ],
        schema=SCHEMA,
    )


def merge(rows: Sequence[Row], rules: Rules, winners: pl.DataFrame | None = None) -> Outcome:
    current = make_frame(row for row in rows if row.file_no == CURRENT).select(AD_DAY.names)
    incoming = make_frame(row for row in rows if row.file_no != CURRENT)
    return tell(resolve(current, incoming, rules=rules, winners=winners))


def tell(resolved: Resolved) -> Outcome:
    rows = resolved.rows.select("campaign_id", "campaign_name", "cost", "delivery_id", "line")
    held = {
        f"id {campaign}" if campaign else f"name {name}": (int(cost * 100), int(rank[1:]), line)
        for campaign, name, cost, rank, line in rows.rows()
    }
    assert len(held) == rows.height
    assert resolved.lost.schema == LOST
    lost = Counter((file_no, duplicate) for file_no, duplicate in resolved.lost.rows())
    return Outcome(held, lost, resolved.removed, resolved.added)


def expect(rows: Sequence[Row], rules: Rules) -> Outcome:
    """What must come out, campaign by campaign, from the rules and not from the code."""
    held, lost = {}, []
    kept = 0
    for key, group in groupby(sorted(rows, key=lambda row: (row.key, row.order)), lambda r: r.key):
        alive = list(group)
        if rules.appends or any(row.file_no in rules.folding for row in alive):
            if not rules.appends:
                lost += [(row, False) for row in alive if row.rank < alive[-1].rank]
                alive = [row for row in alive if row.rank == alive[-1].rank]
            named = [(row.part, row) for row in alive if folds(row, rules) and row.part]
            said_last = dict(named)
            again = [(row, said_last[part]) for part, row in named if row is not said_last[part]]
            lost += [(row, row.says(last)) for row, last in again]
            alive = [row for row in alive if row not in dict(again)]
        parts = [row for row in alive if folds(row, rules)]
        if parts and len(alive) > 1:
            last = parts[-1]
            held[key] = sum(row.cents for row in parts), last.rank, last.line
            lost += [(row, False) for row in alive if row not in parts]
        else:
            last = alive[-1]
            held[key] = last.cents, last.rank, last.line
            lost += [(row, row.says(last)) for row in alive[:-1]]
            kept += last.file_no == CURRENT
    came = Counter((row.file_no, same) for row, same in lost if row.file_no != CURRENT)
    current = sum(row.file_no == CURRENT for row in rows)
    return Outcome(held, came, current - kept, len(held) - kept)


def folds(row: Row, rules: Rules) -> bool:
    return rules.appends or row.file_no in rules.folding


@st.composite
def days(draw: st.DrawFn) -> list[Row]:
    """Rows of a master, one for each campaign at most, and of three files."""
    names = st.sampled_from([("1", "a"), ("1", "b"), ("2", "a"), (None, "a"), (None, "b")])
    master = draw(st.lists(names, max_size=3, unique_by=lambda pair: pair[0] or pair[1]))
    rows = [
        Row(*pair, draw(st.integers(0, 2)), draw(st.integers(0, 2)), CURRENT, line)
        for line, pair in enumerate(master)
    ]
    ranks = draw(st.lists(st.integers(0, 2), min_size=3, max_size=3).map(sorted))
    parts = st.sampled_from([None, "p", "q"])
    for line, file_no in enumerate(draw(st.lists(st.integers(0, 2), max_size=8))):
        pair, cents, part = draw(st.tuples(names, st.integers(0, 2), parts))
        rows.append(Row(*pair, cents, ranks[file_no], file_no, 10 + line, part))
    return draw(st.permutations(rows))


@given(rows=days(), folding=st.sets(st.integers(0, 2)), appends=st.booleans())
def test_what_is_held_and_lost_follows_from_the_rows_of_each_campaign_alone(
    rows: list[Row], folding: set[int], appends: bool
) -> None:
    rules = Rules(key=GRAIN, folding=sorted(folding), appends=appends)
    assert merge(rows, rules) == expect(rows, rules)


def test_parts_are_added_up_and_one_that_is_said_again_counts_once() -> None:
    rows = [
        Row("1", "a", 100, 1, 0, 2, "morning"),
        Row("1", "a", 200, 1, 0, 3, "evening"),
        Row("1", "a", 250, 1, 1, 2, "evening"),
    ]
    assert merge(rows, Rules(key=GRAIN, folding=[0, 1])) == Outcome(
        {"id 1": (350, 1, 2)}, Counter({(0, False): 1}), 0, 1
    )


def test_beside_parts_a_campaign_without_any_keeps_its_newest_row() -> None:
    rows = [
        Row("1", "a", 100, 1, 0, 2),
        Row("1", "a", 200, 1, 0, 3),
        Row("2", "a", 5, 1, 1, 2),
        Row("2", "a", 7, 1, 1, 3),
        Row("2", "a", 5, 2, 2, 2),
    ]
    assert merge(rows, Rules(key=GRAIN, folding=[0])) == Outcome(
        {"id 1": (300, 1, 3), "id 2": (5, 2, 2)}, Counter({(1, True): 1, (1, False): 1}), 0, 2
    )


def test_an_appended_row_is_added_to_that_of_the_master() -> None:
    rows = [Row("1", "a", 100, 1, CURRENT, 7), Row("1", "a", 11, 2, 0, 2)]
    assert merge(rows, Rules(key=GRAIN, appends=True)) == Outcome(
        {"id 1": (111, 2, 2)}, Counter(), 1, 1
    )


def test_a_register_that_another_delivery_won_takes_no_parts() -> None:
    rows = [
        Row("1", "a", 100, 1, 0, 2, "morning"),
        Row("1", "a", 200, 1, 0, 3, "evening"),
        Row("1", "a", 1, 2, 1, 2, "morning"),
        Row("1", "a", 2, 2, 1, 3, "evening"),
    ]
    newest = make_frame(rows[-1:]).select(*REGISTER, "delivered_at", "delivery_id")
    winners = newest.with_columns(pl.lit(None, pl.String).alias("platform"))
    rules = Rules(key=GRAIN, folding=[0, 1])
    assert merge(rows, rules, winners) == Outcome(
        {"id 1": (3, 2, 3)}, Counter({(0, False): 2}), 0, 1
    )


def test_where_a_source_speaks_by_platform_a_delivery_replaces_its_platform_only() -> None:
    rows = make_frame([Row("1", "a", 100, 1, 0, 2), Row("2", "a", 200, 1, 0, 3)])
    platforms = pl.Series("platform", ["Facebook", "Google ADS"])
    late = make_frame([Row("3", "a", 300, 2, 1, 2)]).with_columns(platform=pl.lit("Facebook"))
    winners = late.select(*REGISTER, "delivered_at", "delivery_id")
    resolved = resolve(
        rows.clear().select(AD_DAY.names),
        pl.concat([rows.with_columns(platforms), late]),
        rules=Rules(key=GRAIN, scope=("account", "platform")),
        winners=winners,
    )
    assert sorted(resolved.rows["campaign_id"]) == ["2", "3"]
    assert tell(resolved).lost == Counter({(0, False): 1})


def test_without_void_rows_the_others_stay_as_they_are() -> None:
    rows = [Row("1", "a", 100, 1, CURRENT, 2), Row("2", "a", 200, 2, CURRENT, 2)]
    current = make_frame(rows).select(AD_DAY.names)
    void = current[:1].select("delivered_at", "delivery_id", "date")
    left = leave_void_out(current, void)
    assert tell(left) == Outcome({"id 2": (200, 2, 2)}, Counter(), 1, 0)
    assert left.rows.schema == {**pl.Schema(AD_DAY), FILE_NO: pl.Int32()}
    assert left.rows[FILE_NO].to_list() == [CURRENT]
    another_day = void.with_columns(pl.col("date") + pl.duration(days=1))
    assert leave_void_out(current, another_day).removed == 0
