"""Shows how a file would be read, without taking it anywhere."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.contracts import load_contracts
from pipeline.errors import BadFileError, UsageError
from pipeline.merge.place import Period
from pipeline.read.lay_out import lay_out
from pipeline.read.layout import Layout
from pipeline.schema import PART_CELL, REST_CELL
from pipeline.settings import Settings
from pipeline.steps.blocks import judge_block, list_blocks, list_rejects, refuse_split
from pipeline.steps.context import Context, check_claims
from pipeline.steps.label import Label, advise_contract
from pipeline.steps.other_notation import refuse_other_notation
from pipeline.steps.totals import Checksum

SHOWN_ROWS = 5
SHOWN_REJECTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How a file would be read.

    Attributes:
        contract: Name of the contract that it is of.
        why: How it was recognised.
        dialect: What is said of how it is written, by name.
        mapping: canonical column, where in the file it stands, unit.
        ignored: Columns that nobody reads.
        period: The dates that it declares.
        time_zone: In which its days are meant.
        breakdown: By what its spend is split further.
        rows: The first rows as they would be merged.
        accepted: How many rows pass.
        rejected: How many rows break each rule.
        rejects: The first of them: line, rule, column, value, expected, raw.
        totals: What does not agree with its totals row; '' where nothing.
    """

    contract: str
    why: str
    dialect: dict[str, str]
    mapping: Sequence[dict[str, Any]]
    ignored: Sequence[str]
    period: Period | None
    time_zone: str
    breakdown: str
    rows: Sequence[dict[str, Any]]
    accepted: int
    rejected: dict[str, int]
    rejects: Sequence[dict[str, Any]]
    totals: str


@dataclass(slots=True)
class _Seen:
    rows: list[dict[str, Any]] = field(default_factory=list)
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    totals: str = ""


def check_file(
    path: Path,
    *,
    settings: Settings,
    today: date,
    label: Label,
) -> Checked:
    """Reads a file as a merge would and says what comes out.

    Args:
        path: A local file.
        settings: Where further contracts are.
        today: The day on which it would be delivered, where the label does not say it.
        label: What a person would say of it when landing it.

    Raises:
        UsageError: It cannot be read, or is of no contract.
    """
    label.check()
    delivered = label.read_delivered()
    delivered_on = today if delivered is None else delivered.date()
    contracts = load_contracts(settings.contracts_dir)
    try:
        with tempfile.TemporaryDirectory(prefix="adlake-") as folder:
            scratch = Path(folder)
            layout, plain = lay_out(
                path, contracts.values(), source=label.source, scratch=scratch, name=path.name
            )
            context = label.find_context(path, layout)
            seen = _look_through(plain, layout, context, delivered_on, scratch)
    except BadFileError as error:
        advice = advise_contract(path, error, settings)
        raise UsageError(f"{path} would be refused ({error.rule}): {error}{advice}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    constants = {name: value for name, value in context.constants.items() if value}
    return Checked(
        contract=layout.contract.name,
        why=layout.why,
        dialect=_describe_dialect(layout),
        mapping=_list_mapping(layout, constants),
        ignored=layout.ignored,
        period=context.period,
        time_zone=context.time_zone,
        breakdown=layout.breakdown,
        rows=seen.rows,
        accepted=seen.accepted,
        rejected=dict(sorted(seen.rejected.items())),
        rejects=seen.rejects,
        totals=seen.totals,
    )


def _look_through(
    plain: Path, layout: Layout, context: Context, delivered_on: date, scratch: Path
) -> _Seen:
    """Judges all blocks of a file as a merge does; see `lay_out` and `refuse_split`."""
    checksum = Checksum(layout.contract, context.dialect)
    seen = _Seen()
    spooled: list[Path] = []
    columns: list[str] = []
    for block in list_blocks(plain, layout, scratch):
        verdict = judge_block(block, context, delivered_on=delivered_on)
        refuse_other_notation(block, verdict, context)
        check_claims(verdict.accepted, context.claims)
        checksum.add(block.totals, verdict.accepted)
        _look_at(seen, verdict.accepted, list_rejects(block, verdict))
        if len(verdict.accepted):
            columns = verdict.accepted.columns
            spooled.append(scratch / f"rows-{len(spooled)}")
            kept = block.lines.filter(verdict.kept)
            verdict.accepted.with_columns(kept).write_ipc(spooled[-1])
    refuse_split(layout, columns, spooled)
    seen.totals = checksum.compare()
    return seen


def _look_at(seen: _Seen, accepted: pl.DataFrame, rejects: pl.DataFrame) -> None:
    shown = accepted.head(SHOWN_ROWS - len(seen.rows))
    seen.rows += shown.drop(PART_CELL, REST_CELL, strict=False).to_dicts()
    seen.accepted += len(accepted)
    seen.rejected.update(rejects["rule"].to_list())
    first = rejects.sort("line").head(SHOWN_REJECTS - len(seen.rejects))
    seen.rejects += first.to_dicts()


def _describe_dialect(layout: Layout) -> dict[str, str]:
    if layout.format == "parquet":
        return {"format": "parquet"}
    dialect = layout.dialect
    described = {
        "format": "csv",
        "encoding": layout.encoding,
        "delimiter": {"\t": "tab"}.get(dialect.delimiter, dialect.delimiter),
        "languages": ", ".join(dialect.languages) or "any",
        "decimal mark": dialect.decimal,
        "thousands marks": " ".join(dialect.thousands) or "none",
        "dates": ", ".join(dialect.date_formats),
        "header on line": str(layout.header_line),
    }
    if layout.contract.preamble.period_formats and layout.period is None:
        described["period"] = "no line before the header says one"
    return described


def _list_mapping(layout: Layout, constants: dict[str, str]) -> list[dict[str, Any]]:
    units = {column.name: column.unit for column in layout.contract.columns}
    read = [
        {
            "column": name,
            "from": "column " + " and ".join(str(place + 1) for place in places),
            "unit": units[name],
        }
        for name, places in layout.positions.items()
    ]
    split = [
        {"column": "segment", "from": f"column {place + 1} ({name})", "unit": "one"}
        for name, place in layout.breakdowns.items()
    ]
    fixed = [
        {"column": name, "from": f"constant {value}", "unit": "one"}
        for name, value in sorted(constants.items())
    ]
    return [*read, *split, *fixed]
