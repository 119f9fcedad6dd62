"""Reads the files of a merge in parallel and keeps what was read for a second attempt."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from pipeline.contracts import Contract
from pipeline.lake import Lake
from pipeline.manifest import Manifest
from pipeline.merge.delivery import Delivery
from pipeline.staging import Staging
from pipeline.steps.ingest import Ingested
from pipeline.steps.read_days import DayReader, NumberedDay, group_days
from pipeline.steps.read_files import FileReader, Numbered, group_files
from pipeline.steps.read_place import Place

BATCHES_AT_ONCE = 4


@dataclass(slots=True)
class Reader:
    """Reads deliveries of a lake; what it has read once it does not read again.

    Attributes:
        lake: The lake.
        contracts: All contracts, by name.
        spool: Folder for accepted rows, where they stay on this machine.
        staging: What reads, and where accepted rows go where it is a cluster.
        on_file: Called with how many more files have been read.
    """

    lake: Lake
    contracts: Mapping[str, Contract]
    spool: Path
    staging: Staging
    on_file: Callable[[int], None] | None = None
    _done: dict[Delivery, Ingested] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def read(
        self, deliveries: Sequence[Delivery], manifests: Mapping[str, Manifest]
    ) -> list[Ingested]:
        """What the deliveries hold, in their order; the caller's own, to set aside what it will.

        Several of them may lie in one spooled file, of which a later attempt leaves some out and
        orders the others anew. So their rows bear a number that no other delivery ever has.
        """
        fresh = [(next(self._numbers), one) for one in deliveries if one not in self._done]
        files = [item for item in fresh if item[1].kind == "file"]
        days = [
            NumberedDay(number, delivery, manifests[delivery.found.path])
            for number, delivery in fresh
            if delivery.kind == "raw"
        ]
        spool = None if self.staging.engine.is_remote else self.spool
        place = Place(self.lake, self.staging.folder, spool)
        self._read_days(days, place)
        self._read_files(files, place)
        return [copy.copy(self._done[delivery]) for delivery in deliveries]

    def _read_files(self, items: Sequence[Numbered], place: Place) -> None:
        engine = self.staging.engine
        groups = group_files(items) if engine.is_remote else [items] if items else []
        reader = FileReader(place, self.contracts, 1 if engine.is_remote else engine.workers)
        read = self.staging.map(reader, groups, label=lambda group: _name(group[0][1]))
        for group, results in zip(groups, read, strict=True):
            self._keep([delivery for _, delivery in group], results)

    def _read_days(self, days: Sequence[NumberedDay], place: Place) -> None:
        ordered = sorted(days, key=lambda day: day.delivery.found.path)
        batches = list(group_days(ordered))
        reader = DayReader(place, self.contracts)
        # More of them wait for a store than work; but each holds its rows in memory.
        lanes = min(BATCHES_AT_ONCE, self.lake.storage.lanes)
        read = self.staging.map(
            reader, batches, label=lambda batch: _name(batch[0].delivery), lanes=lanes
        )
        for batch, results in zip(batches, read, strict=True):
            self._keep([day.delivery for day in batch], results)

    def _keep(self, deliveries: Sequence[Delivery], results: Sequence[Ingested]) -> None:
        self._done.update(zip(deliveries, results, strict=True))
        if self.on_file is not None:
            self.on_file(len(deliveries))


def _name(delivery: Delivery) -> str:
    """What a group of files is called in messages: after its first one."""
    return f"read {delivery.found.path}"
