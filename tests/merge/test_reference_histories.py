"""The master is what a brute-force model says of the set of files, after each merge."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import permutations, product
from random import Random
from typing import Any

import polars as pl
import pytest

from pipeline.contracts import Contract, load_contracts
from pipeline.contracts.model import Mode as ContractMode
from pipeline.merge.coverage import Window
from pipeline.merge.delivery import Delivery, Found, find_grown
from pipeline.merge.resolve import FILE_NO, Resolved
from pipeline.schema import AD_DAY, LEDGER, PART_CELL
from pipeline.steps.accounting import account_for, count_lost
from pipeline.steps.batch import gather_batch
from pipeline.steps.ingest import Ingested
from pipeline.steps.refuse import settle_repeats
from pipeline.steps.resolve_parts import decide
from tests.merge.histories import (
    MODES,
    Figures,
    File,
    Line,
    Master,
    Mode,
    Place,
    expect_master,
    list_registers,
    list_rows,
    make_history,
    split,
)

QUICK_HISTORIES = 80
HISTORIES = 2_000
LONG_HISTORIES = 60_000
CHUNKS = 8
FIRST_DAY = date(2024, 1, 1)
SOURCE = "s"
_AD_DAY = pl.Schema(AD_DAY)
_ROWS = pl.Schema({**_AD_DAY, FILE_NO: pl.Int32(), PART_CELL: pl.String()})
_LEDGER = pl.Schema(LEDGER)
_COST = _AD_DAY["cost"]
_READ = pl.Schema(
    {
        **{
            name: _ROWS[name]
            for name in (
                "account",
                "platform",
                "breakdown",
                "segment",
                "campaign_id",
                "campaign_name",
                "date",
                "clicks",
            )
        },
        "cents": pl.Int64(),
        **{name: _ROWS[name] for name in ("delivered_at", "delivery_id", "line", FILE_NO)},
        PART_CELL: pl.String(),
    }
)


class PlainLake:
    """The decisions of a merge as the steps take them, on frames instead of files."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.contract = make_contract(mode)
        self.contracts = {self.contract.name: self.contract}
        self.master = pl.DataFrame(schema=_AD_DAY)
        self.ledger = pl.DataFrame(schema=_LEDGER)
        self.files: dict[str, File] = {}
        self.identities: set[tuple[int, str, str]] = set()
        self.n = 0

    def merge(self, files: Sequence[File]) -> None:
        new = [make_delivery(file) for file in files if self._is_unknown(file)]
        deliveries = sorted(
            [*new, *find_grown(new, self.ledger, self.contracts)],
            key=lambda delivery: (delivery.rank, delivery.sha256),
        )
        read = [self.files[delivery.found.path] for delivery in deliveries]
        results = [self._ingest(number, file) for number, file in enumerate(read)]
        settle_repeats(deliveries, results, self.contracts, self.ledger)
        batch = gather_batch(deliveries, results, self.contracts, self.ledger)
        numbers = sorted({span.file_no for span in batch.spans})
        incoming = make_rows([(number, read[number]) for number in numbers])
        resolved = decide(self.master, incoming, source=SOURCE, numbers=numbers, batch=batch)
        self._check_counts(resolved)
        self.master = resolved.rows.select(AD_DAY.names)
        self.n += 1
        self._account(batch.list_fresh(), resolved)

    def read(self) -> Master:
        rows = self.master.select(
            "account",
            "platform",
            "breakdown",
            "segment",
            "campaign_id",
            "campaign_name",
            "date",
            "cost",
            "clicks",
            "delivered_at",
            "delivery_id",
            "line",
        ).rows()
        found = {
            name_place(row): (
                Figures(int(row[7] * 100), row[8], (count_hours(row[9]), row[10]), row[11])
            )
            for row in rows
        }
        assert len(found) == len(rows), "two rows of one place"
        return found

    def _is_unknown(self, file: File) -> bool:
        """Whether nobody landed the same identity before; else `discover` counts a duplicate."""
        if file.identity in self.identities:
            return False
        self.identities.add(file.identity)
        self.files[file.path] = file
        return True

    def _ingest(self, number: int, file: File) -> Ingested:
        valid = len(list_rows(file))
        result = Ingested(
            number,
            self.contract.name,
            valid=valid,
            quarantined=len(file.lines) - valid,
            folds=self.mode in {"folding", "folding_upsert"},
        )
        days: dict[tuple[str, str, str], list[int]] = {}
        for account, platform, breakdown, day in list_registers(self.mode, file):
            days.setdefault((account, platform, breakdown), []).append(day)
        result.coverage = [
            Window(account, platform or None, breakdown, make_day(min(seen)), make_day(max(seen)))
            for (account, platform, breakdown), seen in sorted(days.items())
        ]
        return result

    def _check_counts(self, resolved: Resolved) -> None:
        assert resolved.rows.height == self.master.height + resolved.added - resolved.removed

    def _account(self, fresh: Sequence[tuple[int, Delivery, Ingested]], resolved: Resolved) -> None:
        lost = count_lost(resolved.lost)
        rows: list[dict[str, Any]] = []
        for number, delivery, result in fresh:
            account = account_for(
                delivery,
                result,
                self.contracts,
                duplicates=lost[number, True],
                superseded=lost[number, False],
            )
            file = self.files[delivery.found.path]
            assert min(account.accepted, account.duplicates, account.superseded) >= 0, account
            assert account.rows_in == len(file.lines), account
            rows.append(account.to_ledger_row(n=self.n, recorded_at=make_time(0)))
        self.ledger = pl.concat([self.ledger, pl.DataFrame(rows, schema=_LEDGER, orient="row")])


def name_place(row: tuple[Any, ...]) -> Place:
    account, platform, breakdown, segment, campaign_id, campaign_name, day = row[:7]
    campaign = f"id:{campaign_id}" if campaign_id else f"name:{campaign_name}"
    return Place(account, platform, breakdown, segment, campaign, count_days(day))


@cache
def make_contract(mode: Mode) -> Contract:
    plain = load_contracts()["canonical"]
    if mode in {"upsert", "folding_upsert"}:
        return plain
    scope = ("account", "platform") if mode == "by_platform" else ("account",)
    meant: ContractMode = "append" if mode == "append" else "replace_window"
    return replace(plain, mode=meant, key=(), scope=scope)


def make_delivery(file: File) -> Delivery:
    return Delivery(
        found=Found(file.path, 1, file.sha256, make_time(file.moment)),
        kind="file",
        source=SOURCE,
        delivered_at=make_time(file.moment),
        delivery_id=file.key,
        sha256=file.sha256,
    )


def make_time(hours: int) -> datetime:
    return datetime(2024, 6, 1, tzinfo=UTC) + timedelta(hours=hours)


def make_day(offset: int) -> date:
    return FIRST_DAY + timedelta(days=offset)


def count_hours(moment: datetime) -> int:
    return round((moment - make_time(0)).total_seconds()) // 3600


def count_days(day: date) -> int:
    return (day - FIRST_DAY).days


def make_rows(files: Sequence[tuple[int, File]]) -> pl.DataFrame:
    """The accepted rows of files by number, as `decide` takes them."""
    rows = [
        (
            row.line.account,
            row.line.platform,
            file.breakdown,
            row.line.segment,
            *row.line.campaign,
            make_day(row.line.day),
            row.line.clicks,
            row.line.cents,
            make_time(file.moment),
            file.key,
            row.number,
            number,
            row.line.part,
        )
        for number, file in files
        for row in list_rows(file)
    ]
    read = pl.DataFrame(rows, schema=_READ, orient="row")
    return read.select(
        pl.lit(SOURCE).alias(name)
        if name == "source"
        else (pl.col("cents").cast(_COST) / 100).cast(_COST).alias(name)
        if name == "cost"
        else pl.col(name)
        if name in _READ
        else pl.lit(None, dtype).alias(name)
        for name, dtype in _ROWS.items()
    )


def strip_origin(mode: Mode, master: Master) -> Master:
    """Without the delivery and line of a sum of several, which hang on the order of arrival."""
    if mode != "append":
        return master
    return {place: row._replace(rank=(0, ""), line=0) for place, row in master.items()}


def follow(mode: Mode, merges: Sequence[Sequence[File]], name: str) -> Master:
    lake = PlainLake(mode)
    seen: list[File] = []
    for files in merges:
        try:
            lake.merge(files)
        except AssertionError as error:
            raise AssertionError(f"{name} ({mode}): {merges}") from error
        seen += files
        held, expected = (
            strip_origin(mode, rows) for rows in (lake.read(), expect_master(mode, seen))
        )
        assert held == expected, f"{name} ({mode}) after {len(seen)} files: {merges}"
    return lake.read()


def follow_seed(seed: int) -> None:
    mode, merges = make_history(seed)
    follow(mode, merges, f"history {seed}")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_master_is_what_the_model_says_after_each_merge(chunk: int) -> None:
    for seed in range(chunk, QUICK_HISTORIES, CHUNKS):
        follow_seed(seed)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_master_is_what_the_model_says_in_all_of_2_000_histories(chunk: int) -> None:
    for seed in range(QUICK_HISTORIES + chunk, HISTORIES, CHUNKS):
        follow_seed(seed)


@pytest.mark.soak
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_master_is_what_the_model_says_in_60_000_more_histories(chunk: int) -> None:
    for seed in range(HISTORIES + chunk, HISTORIES + LONG_HISTORIES, CHUNKS):
        follow_seed(seed)


def make_file(moment: int, name: str, *lines: tuple[str, int, int]) -> File:
    """A file of one account; lines of campaign, day, cents."""
    rows = tuple(Line("a", "p", (None, name), "", day, cents, None) for name, day, cents in lines)
    return File(moment, f"k{moment}", name, "", rows)


FIXED = (
    make_file(1, "01", ("x", 0, 1), ("gone", 1, 2), ("z", 3, 3)),
    make_file(1, "02", ("y", 0, 4), ("x", 2, 5)),
    make_file(2, "03", ("x", 1, 6), ("x", 3, 7)),
    make_file(3, "04", ("x", 0, 8), ("x", 0, 9)),
    make_file(3, "05", ("x", 0, 10), ("w", 1, 11)),
    replace(make_file(4, "06"), period=(2, 2), scope=("a", "p")),
)
"""Restated days, a campaign that goes, a tie of two files, a day that is emptied."""


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_200_orders_of_arrival_and_splits_into_merges_give_one_master(mode: Mode) -> None:
    random = Random(14)
    expected = strip_origin(mode, expect_master(mode, FIXED))
    for number in range(200):
        merges = split(random, random.sample(FIXED, len(FIXED)))
        held = follow(mode, merges, f"order {number}")
        assert strip_origin(mode, held) == expected


@pytest.mark.slow
def test_of_100_keys_in_5_versions_the_newest_wins_in_all_orders() -> None:
    keys = [f"c{number}" for number in range(100)]
    # Versions 3 and 4 tie: files of one delivery, of which the larger hash wins, and in it the
    # last line.
    versions = [
        make_file(min(number, 3), f"{number:02}", *((key, 0, number) for key in keys))
        for number in range(5)
    ]
    last = versions[4]
    versions[4] = replace(last, lines=(*last.lines[:50], *reversed(last.lines), *last.lines[50:]))
    expected = expect_master("upsert", versions)
    assert {row.rank for row in expected.values()} == {(3, "k3")}
    assert {row.cents for row in expected.values()} == {4}
    for order, batch in product(permutations(versions), (1, 2)):
        lake = PlainLake("upsert")
        for start in range(0, len(order), batch):
            lake.merge(order[start : start + batch])
        assert lake.read() == expected, f"{[file.sha256 for file in order]} by {batch}"
