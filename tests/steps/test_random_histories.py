"""Whatever happens to a lake, in whatever order: it holds what was delivered, once."""

import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline.errors import EmptyLakeError, StorageError
from pipeline.export.run import export_csv
from pipeline.export.target import FolderTarget
from pipeline.lake import Lake
from pipeline.schema import AD_DAY
from pipeline.settings import Settings
from pipeline.steps.compact import compact
from pipeline.steps.fsck import fsck
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import merge
from pipeline.steps.rebuild import rebuild
from pipeline.steps.vacuum import vacuum
from pipeline.storage import LocalStorage, Storage
from pipeline.storage.s3 import S3Storage
from tests.lakes import commit_files, write_master_file
from tests.lots import HEADER, make_line

pytestmark = pytest.mark.faults

SETTINGS = Settings(workers=1, quiet_seconds=0)
FIRST_DAY = date(2024, 1, 28)
MOMENTS = 6
"""Of delivery: so few that some are shared, and many a file comes after a newer one."""


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product catches it."""


class Stop:
    """Ends a run at one of its writes, before or after it.

    Attributes:
        at: The number of the write, from 1 on; 0: never.
        after: Whether the write is still made.
        error: What is raised.
    """

    def __init__(self) -> None:
        self.at = 0
        self.after = False
        self.error: BaseException = Killed()

    def around(self, write: Callable[[], None]) -> None:
        self.at -= 1
        stops = self.at == 0
        if stops and not self.after:
            raise self.error
        write()
        if stops:
            raise self.error


class StoppableFolder(LocalStorage):
    """A folder; its writes can be stopped, and the forcing that stands around each commit."""

    def __init__(self, root: Path, stop: Stop) -> None:
        super().__init__(root)
        self.stop = stop

    def create(self, path: str, data: bytes) -> None:
        self.stop.around(lambda: LocalStorage.create(self, path, data))

    def adopt(self, path: str, local: Path) -> None:
        self.stop.around(lambda: LocalStorage.adopt(self, path, local))

    def delete(self, path: str) -> None:
        self.stop.around(lambda: LocalStorage.delete(self, path))

    def persist(self, paths: Iterable[str]) -> None:
        self.stop.around(lambda: LocalStorage.persist(self, paths))


class StoppableBucket(S3Storage):
    """A bucket, likewise."""

    def __init__(self, uri: str, stop: Stop) -> None:
        super().__init__(uri)
        self.stop = stop

    def create(self, path: str, data: bytes) -> None:
        self.stop.around(lambda: S3Storage.create(self, path, data))

    def adopt(self, path: str, local: Path) -> None:
        self.stop.around(lambda: S3Storage.adopt(self, path, local))

    def delete(self, path: str) -> None:
        self.stop.around(lambda: S3Storage.delete(self, path))

    def persist(self, paths: Iterable[str]) -> None:
        self.stop.around(lambda: S3Storage.persist(self, paths))


class Row(NamedTuple):
    """A row of a delivery; a wrong one is rejected."""

    campaign: str
    date: str
    cents: int
    wrong: bool


Place = tuple[str, str]
ROWS = st.lists(
    st.builds(
        Row,
        campaign=st.sampled_from("abc"),
        date=st.integers(0, 6).map(lambda number: str(FIRST_DAY + timedelta(days=number))),
        cents=st.integers(0, 999),
        wrong=st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=5,
)


class Delivery(NamedTuple):
    """A file that was delivered, and its rows from line 2 on; none where it cannot be read."""

    path: str
    moment: int
    sha256: str
    rows: tuple[Row, ...]


class Histories(RuleBasedStateMachine):
    """One lake, and what it must hold."""

    def __init__(self, open_lake: Callable[[Stop], Storage]) -> None:
        super().__init__()
        self.stop = Stop()
        self.lake = Lake(open_lake(self.stop))
        self.delivered: list[Delivery] = []
        self.decided: list[Delivery] = []
        self.transaction = 0

    @rule(rows=ROWS, moment=st.integers(0, MOMENTS - 1))
    def deliver(self, rows: list[Row], moment: int) -> None:
        lines = [
            make_line(
                campaign_id=row.campaign,
                date=row.date,
                costo_total=f"{row.cents / 100:.2f}",
                clicks=5_000 if row.wrong else 20,
            )
            for row in rows
        ]
        self._put(moment, "\n".join([HEADER, *lines, ""]).encode(), rows)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data(), moment=st.integers(0, MOMENTS - 1))
    def deliver_again(self, data: st.DataObject, moment: int) -> None:
        """The same bytes under another name, at the same moment or another one."""
        again = data.draw(st.sampled_from(self.delivered))
        self._put(moment, self.lake.storage.read(again.path), again.rows)

    @rule(moment=st.integers(0, MOMENTS - 1), body=st.sampled_from([b"", b"a,b\n1,2\n", b"\0"]))
    def deliver_what_nobody_can_read(self, moment: int, body: bytes) -> None:
        self._put(moment, body, [])

    @precondition(lambda self: self.delivered)
    @rule()
    def merge(self) -> None:
        outcome = merge(self.lake, settings=SETTINGS)
        assert list(outcome.unfinished) == []
        self.decided = list(self.delivered)
        self.transaction = outcome.transaction or self.transaction

    @precondition(lambda self: self.delivered)
    @rule(at=st.integers(1, 14), after=st.booleans())
    def merge_and_kill(self, at: int, after: bool) -> None:
        self._stop(at, after, Killed(), lambda: merge(self.lake, settings=SETTINGS))

    @precondition(lambda self: self.delivered)
    @rule(at=st.integers(1, 14), after=st.booleans())
    def merge_on_a_failing_disk(self, at: int, after: bool) -> None:
        error = StorageError("the disk is full")
        self._stop(at, after, error, lambda: merge(self.lake, settings=SETTINGS))

    @precondition(lambda self: self.transaction)
    @rule(at=st.integers(0, 12), after=st.booleans())
    def compact(self, at: int, after: bool) -> None:
        self._split_files()
        self._stop(at, after, Killed(), lambda: compact(self.lake, settings=SETTINGS))

    @precondition(lambda self: self.transaction)
    @rule(at=st.integers(0, 8), after=st.booleans())
    def vacuum(self, at: int, after: bool) -> None:
        clear = functools.partial(vacuum, settings=SETTINGS, retention=timedelta(0), force=True)
        self._stop(at, after, Killed(), lambda: clear(self.lake))

    @precondition(lambda self: self.transaction)
    @rule(at=st.integers(0, 14), after=st.booleans())
    def rebuild(self, at: int, after: bool) -> None:
        self._stop(at, after, Killed(), lambda: rebuild(self.lake, settings=SETTINGS))

    @precondition(lambda self: self.transaction)
    @rule()
    def export(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            snapshot = self.lake.take_snapshot()
            export_csv(self.lake, snapshot, targets=[FolderTarget(Path(folder))])
            rows = pl.read_csv(Path(folder) / "marketing_master_dataset.csv")
        assert rows.height == len(self._expect())

    @invariant()
    def the_master_holds_what_was_merged(self) -> None:
        try:
            snapshot = self.lake.take_snapshot()
        except EmptyLakeError:
            assert not self.decided
            return
        expected = self._expect()
        assert self._read_master(snapshot.file_uris) == expected
        assert snapshot.rows == len(expected)
        ledger = read_ledger(self.lake, snapshot.ledger)
        newest = ledger.sort("n").unique("path", keep="last")
        assert ledger.height == ledger.unique(["n", "path"]).height
        assert sorted(newest["path"]) == sorted(one.path for one in self.decided)
        fates = ledger.select("accepted", "quarantined", "duplicates", "superseded")
        assert fates.sum_horizontal().equals(ledger["rows_in"], check_names=False)
        readable = newest.filter(pl.col("outcome") != "quarantined")
        assert readable["rows_in"].sum() == sum(len(one.rows) for one in self.decided)

    def teardown(self) -> None:
        self.stop.at = 0
        if self.delivered:
            self.merge()
            self.the_master_holds_what_was_merged()
            was_split = self._split_files()
            outcome = compact(self.lake, settings=SETTINGS)
            assert outcome.transaction or not was_split
            self.the_master_holds_what_was_merged()
            months = [tuple(file.partition.values()) for file in self.lake.take_snapshot().files]
            assert len(months) == len(set(months))
            assert self.lake.open_ledger().transaction == self.lake.open_master().transaction
            assert fsck(self.lake, settings=SETTINGS).findings == []

    def _put(self, moment: int, body: bytes, rows: Iterable[Row]) -> None:
        folder = f"landing/lots/delivered=2024-06-01T0{moment}:00:00Z"
        path = f"{folder}/{len(self.delivered):03d}.csv"
        self.stop.at = 0
        self.lake.storage.create(path, body)
        sha256 = hashlib.sha256(body).hexdigest()
        self.delivered.append(Delivery(path, moment, sha256, tuple(rows)))

    def _split_files(self) -> bool:
        """Makes two files of each, so that a compaction has work; whether there were any.

        Merges join small files themselves and leave it none.
        """
        master = self.lake.open_master()
        files = [file for file in master.list_files() if file.rows > 1]
        halves = []
        for local, file in zip(self.lake.fetch(master.locate(files)), files, strict=True):
            rows = pq.read_table(local, partitioning=None).cast(AD_DAY)
            middle = file.rows // 2
            halves += [write_master_file(self.lake, rows[:middle])]
            halves += [write_master_file(self.lake, rows[middle:])]
        if files:
            commit_files(self.lake, halves, replaces=files)
            self.transaction = self.lake.open_master().transaction
        return bool(files)

    def _stop(self, at: int, after: bool, error: BaseException, run: Callable[[], object]) -> None:
        """Runs a command that may be stopped; whether it was true by then, only the log says."""
        self.stop.at, self.stop.after, self.stop.error = at, after, error
        try:
            run()
        except (Killed, StorageError) as raised:
            if raised is not error:
                raise
        finally:
            self.stop.at = 0
        try:
            master = self.lake.open_master()
        except EmptyLakeError:
            return
        if master.transaction > self.transaction:
            self.transaction = master.transaction
            if master.read_newest_commit().metadata["command"] == "merge":
                self.decided = list(self.delivered)

    def _expect(self) -> dict[Place, Decimal]:
        """Of each place the row of the newest delivery; in one delivery that of the last file."""
        ranked = sorted(
            (one.moment, one.sha256, line, row)
            for one in self.decided
            for line, row in enumerate(one.rows)
            if not row.wrong
        )
        return {(row.campaign, row.date): Decimal(row.cents) / 100 for *_, row in ranked}

    def _read_master(self, uris: Iterable[str]) -> dict[Place, Decimal]:
        files = self.lake.fetch(uris)
        if not files:
            return {}
        rows = pl.read_parquet(files, glob=False, hive_partitioning=False)
        assert rows.height == rows.unique(["campaign_id", "date"]).height
        told = rows.select("campaign_id", pl.col("date").cast(pl.String), "cost").iter_rows()
        return {(campaign, day): cost for campaign, day, cost in told}


def run_histories(open_lake: Callable[[Stop], Storage], *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: Histories(open_lake),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


@pytest.mark.parametrize(
    ("examples", "steps"), [(30, 20), pytest.param(300, 30, marks=pytest.mark.soak)]
)
def test_any_history_in_a_folder_ends_right(tmp_path: Path, examples: int, steps: int) -> None:
    def open_lake(stop: Stop) -> Storage:
        root = tmp_path / "lake"
        shutil.rmtree(root, ignore_errors=True)
        return StoppableFolder(root, stop)

    run_histories(open_lake, examples=examples, steps=steps)


@pytest.mark.parametrize(
    ("examples", "steps"), [(4, 15), pytest.param(60, 30, marks=pytest.mark.soak)]
)
def test_any_history_in_a_bucket_ends_right(s3_uri: str, examples: int, steps: int) -> None:
    def open_lake(stop: Stop) -> Storage:
        return StoppableBucket(f"{s3_uri}-{os.urandom(6).hex()}", stop)

    run_histories(open_lake, examples=examples, steps=steps)
