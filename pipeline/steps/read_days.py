"""Reads generated days in batches that fit into memory."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.contracts import Contract
from pipeline.manifest import Manifest, day_folder
from pipeline.merge.delivery import Delivery
from pipeline.read.raw import DataPart
from pipeline.steps.ingest import Ingested
from pipeline.steps.ingest_days import RawTask, ingest_raw
from pipeline.steps.read_place import Place

BATCH_DAYS = 32
BATCH_ROWS = 1 << 16
"""So many rows of generated days are in memory at once in one batch, or those of one day."""


class NumberedDay(NamedTuple):
    """A generated day, its number among all that a transaction reads, and its manifest."""

    number: int
    delivery: Delivery
    manifest: Manifest


def group_days(days: Iterable[NumberedDay]) -> Iterator[list[NumberedDay]]:
    """Cuts generated days into batches that fit into memory, unless one day alone does not."""
    batch: list[NumberedDay] = []
    rows = 0
    for day in days:
        if batch and (len(batch) >= BATCH_DAYS or rows + day.manifest.rows > BATCH_ROWS):
            yield batch
            batch, rows = [], 0
        batch.append(day)
        rows += day.manifest.rows
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class DayReader:
    """Reads generated days.

    Attributes:
        place: Where to spool.
        contracts: All contracts, by name.
    """

    place: Place
    contracts: Mapping[str, Contract]

    def __call__(self, days: Sequence[NumberedDay]) -> list[Ingested]:
        """What was read of each."""
        tasks = [self._plan_day(day) for day in days]
        with self.place.open_spool() as spool:
            results = ingest_raw(tasks, spool / f"days-{days[0].number}.arrow")
            self.place.share(results)
            return results

    def _plan_day(self, day: NumberedDay) -> RawTask:
        folder = day_folder(day.manifest.date)
        read = self.place.lake.storage.read
        return RawTask(
            read_no=day.number,
            path=day.delivery.found.path,
            parts=[
                DataPart(
                    functools.partial(read, f"{folder}/{file.name}"),
                    file.name,
                    file.sha256,
                    file.rows,
                )
                for file in day.manifest.files
            ],
            contract=self.contracts[day.delivery.source],
            account=day.manifest.account,
            day=day.manifest.date,
            delivered_on=day.delivery.delivered_at.date(),
        )
