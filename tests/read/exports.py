"""A contract with everything that platforms' exports have, and files of it."""

from pathlib import Path
from typing import Any

from pipeline.contracts.load import read_contract
from pipeline.contracts.model import Contract
from pipeline.read.layout import Layout
from pipeline.read.recognise import recognise
from pipeline.read.text import read_rows

EXPORT = """
name = "export"
description = "all that exports can have"
source = "export"
formats = ["csv"]
mode = "replace_window"
extra_columns = "ignore"
repeated_columns = true

[dialect]
null_words = ["", "--"]

[[dialect.variants]]
languages = ["en"]
encodings = ["utf-8", "utf-16", "windows-1252"]

[[dialect.variants]]
languages = ["es"]
encodings = ["utf-8", "utf-16", "windows-1252"]
delimiter = ";"
decimal = ","
date_formats = ["dd/mm/yyyy"]

[preamble]
lines = 3
period_formats = ["month d, yyyy", "d de month de yyyy", "yyyy-mm-dd"]

[totals]
position = "last"
empty = ["date"]
labels = ["Total"]

[dates.end_headers]
en = ["Ends"]
es = ["Fin"]

[columns.campaign_name]
headers = { en = ["Campaign"], es = ["Campaña"] }
type = "text"
required = true

[columns.date]
headers = { en = ["Day"], es = ["Día"] }
type = "date"
required = true

[columns.clicks]
headers = { en = ["Clicks"], es = ["Clics"] }
type = "integer"
optional = true

[columns.cost]
headers = { en = ["Cost ({currency})", "Spend ({currency})"], es = ["Coste ({currency})"] }
type = "decimal"

[breakdowns]
age = { en = ["Age"], es = ["Edad"] }
gender = { en = ["Gender"], es = ["Sexo"] }

[fold]
en = ["Hour"]
"""


def make_contract(*changes: tuple[str, str], name: str = "export") -> Contract:
    """The contract with some of its text replaced."""
    text = EXPORT.replace('name = "export"', f'name = "{name}"')
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return read_contract(f"{name}.toml", text.encode())


def save(folder: Path, text: str, *, encoding: str = "utf-8", name: str = "report.csv") -> Path:
    """A file of this text."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, contract: Contract, *, block: int = 1 << 20) -> dict[str, list[Any]]:
    """All that a file holds, whatever its blocks."""
    layout: Layout = recognise(path, [contract])
    rows: list[tuple[object, ...]] = []
    lines: list[int] = []
    bad: list[tuple[int, str, str]] = []
    totals: list[tuple[object, ...]] = []
    for records in read_rows(path, layout, block_bytes=block):
        rows += records.cells.rows()
        lines += records.lines.tolist()
        bad += [(one.line, one.fault.rule, one.raw) for one in records.bad]
        totals += records.totals.rows()
    return {"rows": rows, "lines": lines, "bad": sorted(bad), "totals": totals}
