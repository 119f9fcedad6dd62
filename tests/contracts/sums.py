"""What a file adds up to, as its contract reads it."""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipeline.read.layout import Layout
from pipeline.read.text import read_rows
from pipeline.validate import validate_texts
from tests.exports import TOTALS

DELIVERED_ON = date(2024, 6, 1)


def read_sums(path: Path, layout: Layout) -> tuple[dict[str, Decimal], Counter[str]]:
    """The sums of accepted rows, and how many rows broke which rule."""
    sums: dict[str, Decimal] = {}
    faults: Counter[str] = Counter()
    for records in read_rows(path, layout):
        verdict = validate_texts(
            records.cells,
            layout.contract,
            layout.dialect,
            delivered_on=DELIVERED_ON,
            period=layout.period,
        )
        faults.update(fault.rule for fault in verdict.faults.values())
        faults.update(record.fault.rule for record in records.bad)
        for name in TOTALS:
            if name in verdict.accepted.columns:
                block = Decimal(str(verdict.accepted[name].sum()))
                sums[name] = sums.get(name, Decimal()) + block
    return sums, faults
