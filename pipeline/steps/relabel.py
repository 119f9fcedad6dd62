"""By which commands files that name no account come back with one."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import polars as pl

from pipeline.contracts import Contract
from pipeline.merge.delivery import Delivery, pick_judged
from pipeline.merge.place import read_place
from pipeline.steps.ingest import Ingested

Spoken = tuple[datetime, str, str]
"""When a file was delivered, its path, and the contract by which it was read."""


def list_nameless(
    ledger: pl.DataFrame,
    read: Iterable[tuple[Delivery, Ingested]],
    source: str,
    span: tuple[date, date],
) -> list[Spoken]:
    """The files of a source that speak for no account in a span, the oldest first.

    Args:
        ledger: Columns of schema.LEDGER.
        read: Files that this merge takes beside those.
        source: Whose files they are.
        span: First and last day, both included.
    """
    merged = pick_judged(ledger.filter(source=source)).filter(outcome="merged")
    windows = merged.select("delivered_at", "path", "contract", "coverage")
    known = windows.explode("coverage", empty_as_null=False).unnest("coverage").filter(account="")
    near = known.filter(pl.col("first_date") <= span[1], pl.col("last_date") >= span[0])
    new = {
        (delivery.delivered_at, delivery.found.path, result.contract)
        for delivery, result in read
        if delivery.source == source
        for window in result.coverage
        if not window.account and window.first_date <= span[1] and window.last_date >= span[0]
    }
    return sorted(new.union(near.select("delivered_at", "path", "contract").rows()))


def advise_relabel(
    files: Sequence[Spoken], source: str, *, account: str, contracts: Mapping[str, Contract]
) -> str:
    """How many files there are, and the commands that bring the first back with an account.

    Args:
        files: One at least.
        source: Whose files they are.
        account: Of which account they are.
        contracts: By name.
    """
    delivered_at, path, contract = files[0]
    place, known = read_place(path), contracts.get(contract)
    options = {
        "source": None if known and source == known.source else source,
        "account": account,
        "currency": place.currency,
        "period": place.period and "..".join(map(str, place.period)),
        "time-zone": place.time_zone,
        "delivered": delivered_at.isoformat().replace("+00:00", "Z"),
    }
    said = [text for name, value in options.items() if value for text in (f"--{name}", value)]
    name = path.rpartition("/")[2]
    number = f"{len(files):,} file" if len(files) == 1 else f"{len(files):,} files, of the oldest"
    commands = (["withdraw", path], ["land", name, *said])
    withdraw, land = (shlex.join(["adlake", *words]) for words in commands)
    return f"{number}: {withdraw}, then {land}"
