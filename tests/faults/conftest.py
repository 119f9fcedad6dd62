"""A lake in a bucket behind a proxy that breaks requests by rule."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import pytest

from pipeline.lake import Lake
from pipeline.settings import Settings
from pipeline.steps.fsck import fsck
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import MergeOutcome, merge
from pipeline.storage import open_storage
from tests.fault_proxy import Proxy, start_proxy
from tests.lakes import commit_rows, make_ledger_row, make_row
from tests.lots import HEADER, make_line
from tests.s3 import BUCKET, Server, make_client

SETTINGS = Settings(workers=2)
PROVENANCE = ("delivered_at", "delivery_id")


@dataclass
class Harbour:
    """A lake, reached through the proxy or past it.

    Attributes:
        uri: Of the lake.
        proxy: Before the server.
        server: Itself.
        monkeypatch: Of the test.
    """

    uri: str
    proxy: Proxy
    server: Server
    monkeypatch: pytest.MonkeyPatch

    def open(self, *, endpoint: str | None = None) -> Lake:
        """The lake through the proxy, or through another endpoint."""
        self.monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint or self.proxy.endpoint)
        return Lake(open_storage(self.uri))

    def open_directly(self) -> Lake:
        return self.open(endpoint=self.server.endpoint)

    def deliver(self, name: str, campaigns: Sequence[str], *, cost: float = 2.0) -> str:
        """Puts a lot of one row a campaign there, past the proxy."""
        path = f"landing/lots/{name}"
        lines = [make_line(campaign_id=one, costo_total=cost) for one in campaigns]
        key = f"{self.uri.removeprefix(f's3://{BUCKET}/')}/{path}"
        body = "\n".join([HEADER, *lines, ""]).encode()
        self.make_client().put_object(Bucket=BUCKET, Key=key, Body=body)
        return path

    def commit(self, name: str) -> None:
        """Commits one row in a file of its own, as no merge does: a compaction can join such."""
        row = make_row(campaign_id=name, date=date(2024, 3, 1), cost=2)
        entry = make_ledger_row(
            path=f"landing/lots/{name}.csv",
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            rows_in=1,
            accepted=1,
        )
        commit_rows(self.open_directly(), [row], ledger=[entry])

    def make_client(self) -> Any:
        return make_client(self.server.describe())

    def merge(self, lake: Lake) -> MergeOutcome:
        return merge(lake, settings=SETTINGS)

    def read_master(self) -> pl.DataFrame:
        lake = self.open_directly()
        rows = pl.read_parquet(lake.fetch(lake.take_snapshot().file_uris))
        return rows.drop(PROVENANCE).sort("campaign_id")

    def check(self, campaigns: Sequence[str]) -> None:
        """Each row once, each file judged once in each way, and nothing damaged."""
        assert self.read_master()["campaign_id"].to_list() == sorted(campaigns)
        lake = self.open_directly()
        ledger = read_ledger(lake, lake.take_snapshot().ledger)
        assert ledger.unique(["path", "outcome"]).height == ledger.height
        newest = ledger.sort("n").unique("path", keep="last")
        assert newest["accepted"].sum() == len(campaigns)
        assert lake.open_ledger().transaction == lake.open_master().transaction
        assert fsck(lake, settings=SETTINGS).findings == []


@pytest.fixture(scope="session")
def proxy(s3_server: Server) -> Iterator[Proxy]:
    with start_proxy(s3_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def harbour(
    proxy: Proxy, s3_server: Server, s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> Harbour:
    proxy.break_by()
    return Harbour(s3_uri, proxy, s3_server, monkeypatch)
