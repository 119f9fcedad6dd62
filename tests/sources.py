"""Small sources of their own: a contract, and deliveries by it."""

from collections.abc import Iterable
from pathlib import Path

_CONTRACT = """
name = "{name}"
description = "a source of the tests"
source = "{name}"
formats = ["csv"]
mode = "{mode}"
{top}
[constants]
currency = "EUR"
platform = "P"

[columns.date]
type = "date"
required = true

[columns.campaign_name]
type = "text"
required = true
values = [{campaigns}]

[columns.account]
type = "text"
optional = true
required = true

[columns.cost]
type = "decimal"
required = true
minimum = 0
"""


def write_contract(
    folder: Path, *, mode: str, name: str = "shop", top: str = "", campaigns: Iterable[str] = ()
) -> None:
    """A contract of date, campaign_name, cost, and account where a file has it."""
    folder.mkdir(exist_ok=True)
    allowed = ", ".join(f'"{campaign}"' for campaign in campaigns)
    text = _CONTRACT.format(name=name, mode=mode, top=top, campaigns=allowed)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def write_delivery(
    lake: Path,
    day: int,
    rows: Iterable[str],
    *,
    header: str = "date,campaign_name,cost",
    folder: str = "shop",
    name: str = "a.csv",
) -> str:
    """A file that was delivered on a day of June 2024; returns its path in the lake."""
    path = f"landing/{folder}/delivered=2024-06-{day:02d}/{name}"
    file = lake / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path
