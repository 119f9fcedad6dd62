"""Whatever the order of arrival, the master holds what a plain model says of the set of files."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipeline.contracts import Contract, load_contracts
from pipeline.merge.coverage import Window
from pipeline.merge.delivery import Delivery, Found, find_grown
from pipeline.merge.resolve import FILE_NO, Resolved
from pipeline.schema import AD_DAY, LEDGER
from pipeline.steps.accounting import account_for, count_lost
from pipeline.steps.batch import gather_batch
from pipeline.steps.ingest import Ingested
from pipeline.steps.refuse import settle_repeats
from pipeline.steps.resolve_parts import decide
from tests.steps.histories import File, Mode, Place, expect_rows, make_history

HISTORIES = 2_000
LONG_HISTORIES = 60_000
CHUNKS = 8
FIRST_DAY = date(2024, 1, 1)
SOURCE = "s"
_ROWS = pl.Schema({**pl.Schema(AD_DAY), FILE_NO: pl.Int32()})
_LEDGER = pl.Schema(LEDGER)


class PlainLake:
    """The decisions of a merge, on frames instead of files."""

    def __init__(self, mode: Mode) -> None:
        self.contract = make_contract(mode)
        self.folds = mode == "folding"
        self.master = pl.DataFrame(schema=pl.Schema(AD_DAY))
        self.ledger = pl.DataFrame(schema=_LEDGER)
        self.files: dict[str, File] = {}

    def merge(self, files: Sequence[File]) -> None:
        contracts = {self.contract.name: self.contract}
        new = [self._deliver(file) for file in files]
        deliveries = sorted(
            [*new, *find_grown(new, self.ledger, contracts)],
            key=lambda delivery: (delivery.rank, delivery.sha256),
        )
        results = [
            self._ingest(number, self.files[delivery.found.path])
            for number, delivery in enumerate(deliveries)
        ]
        settle_repeats(deliveries, results, contracts, self.ledger)
        batch = gather_batch(deliveries, results, contracts, self.ledger)
        numbers = sorted({span.file_no for span in batch.spans})
        read = [
            make_rows(self.files[deliveries[number].found.path], deliveries[number], number)
            for number in numbers
        ]
        incoming = pl.concat([pl.DataFrame(schema=_ROWS), *read])
        resolved = decide(self.master, incoming, source=SOURCE, numbers=numbers, batch=batch)
        assert resolved.rows.height == self.master.height + resolved.added - resolved.removed
        self.master = resolved.rows.select(AD_DAY.names)
        self._account(batch.list_fresh(), resolved)

    def _deliver(self, file: File) -> Delivery:
        path = f"landing/{SOURCE}/delivered={make_time(file.rank).isoformat()}/{file.sha256}.csv"
        self.files[path] = file
        return Delivery(
            found=Found(path, 1, file.sha256, make_time(file.rank)),
            kind="file",
            source=SOURCE,
            delivered_at=make_time(file.rank),
            delivery_id=f"d{file.rank}",
            sha256=file.sha256,
        )

    def _ingest(self, number: int, file: File) -> Ingested:
        result = Ingested(number, self.contract.name, valid=len(file.rows), folds=self.folds)
        result.coverage = [
            Window(
                account,
                None,
                file.breakdown,
                FIRST_DAY + timedelta(days=first),
                FIRST_DAY + timedelta(days=last),
            )
            for account, (first, last) in file.list_windows().items()
        ]
        return result

    def _account(self, fresh: Sequence[tuple[Delivery, Ingested]], resolved: Resolved) -> None:
        lost = count_lost(resolved.lost)
        contracts = {self.contract.name: self.contract}
        n = 1 + (self.ledger["n"].max() or 0)  # type: ignore[operator]  # an integer column
        rows = []
        for delivery, result in fresh:
            account = account_for(delivery, result, contracts, lost)
            assert account.accepted >= 0, account
            assert account.rows_in == len(self.files[delivery.found.path].rows), account
            rows.append(account.to_ledger_row(n=n, recorded_at=make_time(0)))
        self.ledger = pl.concat([self.ledger, pl.DataFrame(rows, schema=_LEDGER, orient="row")])

    def read(self) -> dict[Place, int]:
        found = {name_place(row): int(row["cost"] * 100) for row in self.master.to_dicts()}
        assert len(found) == self.master.height, "two rows of one place"
        return found


def name_place(row: dict[str, Any]) -> Place:
    by_name = f"name:{row['campaign_name']}"
    campaign = f"id:{row['campaign_id']}" if row["campaign_id"] else by_name
    return row["account"], row["breakdown"], campaign, (row["date"] - FIRST_DAY).days


def make_contract(mode: Mode) -> Contract:
    plain = load_contracts()["canonical"]
    if mode == "upsert":
        return plain
    return replace(plain, mode="append" if mode == "append" else "replace_window", key=())


def make_time(rank: int) -> datetime:
    return datetime(2024, 6, 1, tzinfo=UTC) + timedelta(hours=rank)


def make_rows(file: File, delivery: Delivery, number: int) -> pl.DataFrame:
    rows = [
        {
            **dict.fromkeys(AD_DAY.names),
            "source": SOURCE,
            "account": row.account,
            "breakdown": file.breakdown,
            "segment": "",
            "platform": "p",
            "campaign_id": row.campaign[3:] if row.campaign.startswith("id:") else None,
            "campaign_name": row.campaign.partition(":")[2],
            "date": FIRST_DAY + timedelta(days=row.day),
            "cost": Decimal(row.cents) / 100,
            "delivered_at": delivery.delivered_at,
            "delivery_id": delivery.delivery_id,
            "line": line,
            FILE_NO: number,
        }
        for line, row in enumerate(file.rows, start=2)
    ]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def follow(seed: int) -> None:
    mode, merges = make_history(seed)
    lake = PlainLake(mode)
    seen: list[File] = []
    for files in merges:
        lake.merge(files)
        seen += files
        assert lake.read() == expect_rows(mode, seen), f"history {seed} ({mode}): {merges}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_master_is_what_the_model_says_after_each_merge(chunk: int) -> None:
    for seed in range(chunk, HISTORIES, CHUNKS):
        follow(seed)


@pytest.mark.soak
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_master_is_what_the_model_says_in_many_more_histories(chunk: int) -> None:
    for seed in range(HISTORIES + chunk, HISTORIES + LONG_HISTORIES, CHUNKS):
        follow(seed)
