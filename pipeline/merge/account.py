"""The account of a merge: one ledger row a file, and the sums that a person sees. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.contracts import Holds
from pipeline.merge.coverage import Window
from pipeline.merge.delivery import Delivery, Found


@dataclass(slots=True, kw_only=True)
class FileAccount:
    """What became of one file.

    Attributes:
        found: The file.
        outcome: `merged`, `no_rows`, `duplicate`, `quarantined`, `held` or `withdrawn`.
        delivery: Its identity, where it got that far.
        contract: Name of its contract, '' where none was found.
        contract_sha256: Of the contract's file.
        time_zone: In which its days are meant, as it says itself, or its place, or its contract.
        holds: Of the contract: from which share of rejected rows on a person should know.
        reason: Why the whole file was set aside or is a duplicate.
        detail: The same in words.
        control: Blank lines, preamble and totals; not among `rows_in`.
        accepted: Rows in the master after the merge.
        quarantined: Rows rejected.
        duplicates: Rows that say what another row of the same key says, which won.
        superseded: Rows that lost to a newer one.
        remarks: Counts of what was taken but is worth a look.
        coverage: For what it speaks.
        reject_path: The file with its rejected rows.
        same_as: Path of the file whose bytes it repeats.
    """

    found: Found
    outcome: str
    delivery: Delivery | None = None
    contract: str = ""
    contract_sha256: str = ""
    time_zone: str = ""
    holds: Holds = field(default_factory=Holds)
    reason: str = ""
    detail: str = ""
    control: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    superseded: int = 0
    remarks: Mapping[str, int] = field(default_factory=dict)
    coverage: Sequence[Window] = ()
    reject_path: str | None = None
    same_as: str = ""

    @property
    def rows_in(self) -> int:
        """Rows of data in the file: each is accounted for exactly once."""
        return self.accepted + self.quarantined + self.duplicates + self.superseded

    @property
    def needs_a_look(self) -> bool:
        """Whether it, or so many of its rows, were refused that a person should know."""
        refused = self.outcome in {"quarantined", "held"} or self.rows_in == self.quarantined > 0
        return refused or self.has_many_rejects or "totals_mismatch" in self.remarks

    @property
    def has_many_rejects(self) -> bool:
        """Whether it is above the share of rejected rows."""
        return self.holds.are_many(self.quarantined, self.rows_in)

    def to_ledger_row(self, *, n: int, recorded_at: datetime) -> dict[str, Any]:
        """The file's row in the ledger; columns of schema.LEDGER."""
        delivery = self.delivery
        return {
            "n": n,
            "recorded_at": recorded_at,
            **self.found._asdict(),
            "sha256": delivery.sha256 if delivery else None,
            "source": delivery.source if delivery else None,
            "contract": self.contract or None,
            "contract_sha256": self.contract_sha256 or None,
            "time_zone": self.time_zone or None,
            "delivered_at": delivery.delivered_at if delivery else None,
            "delivery_id": delivery.delivery_id if delivery else None,
            "outcome": self.outcome,
            "reason": self.reason or None,
            "detail": self.detail or None,
            "rows_in": self.rows_in,
            "control": self.control,
            "accepted": self.accepted,
            "quarantined": self.quarantined,
            "duplicates": self.duplicates,
            "superseded": self.superseded,
            "remarks": json.dumps(dict(sorted(self.remarks.items()))) if self.remarks else None,
            "coverage": [window._asdict() for window in self.coverage],
            "reject_path": self.reject_path,
        }
