"""Holds deliveries back that would replace more than a person should learn of afterwards."""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import polars as pl

from pipeline.contracts import Contract
from pipeline.delta.table import Table
from pipeline.lake import Lake
from pipeline.merge.delivery import Delivery, Rank
from pipeline.merge.holds import STANDING, Claim, find_holds
from pipeline.merge.resolve import RANK
from pipeline.merge.windows import read_contracts, read_windows
from pipeline.schema import AD_DAY
from pipeline.staging import fetch_spooled
from pipeline.steps.batch import describe_windows
from pipeline.steps.ingest import Ingested
from pipeline.steps.relabel import advise_relabel, list_nameless

_GROUP = [name for name in STANDING if name not in {"contract", "rows", "cost"}]
_Item = tuple[Delivery, Ingested]


def hold_back(
    deliveries: Sequence[Delivery],
    results: Sequence[Ingested],
    contracts: Mapping[str, Contract],
    ledger: pl.DataFrame,
    lake: Lake,
    master: Table,
) -> None:
    """Sets new files aside that have to wait for a person.

    Args:
        deliveries: What was read; generated days are meant to replace, whatever they bring.
        results: What was read of each.
        contracts: By name.
        ledger: Up to the master's transaction.
        lake: The lake.
        master: What they would replace.
    """
    groups: dict[tuple[str, Rank], list[_Item]] = defaultdict(list)
    for delivery, result in zip(deliveries, results, strict=True):
        if (
            delivery.kind == "file"
            and delivery.is_fresh
            and result.coverage
            and _replaces(contracts[result.contract])
        ):
            groups[delivery.source, delivery.rank].append((delivery, result))
    judged = {
        key: items for key, items in groups.items() if not any(one.accepted for one, _ in items)
    }
    if not judged:
        return
    claims = [_make_claim(key, items, contracts) for key, items in groups.items()]
    sources = sorted({source for source, _ in groups})
    standing = _read_standing(
        lake,
        master,
        {source: _find_scope(groups, contracts, source) for source in sources},
        read_contracts(ledger, sources),
        _find_span(item for items in groups.values() for item in items),
    )
    accepted = groups.keys() - judged.keys()
    held = find_holds(claims, standing, read_windows(ledger, sources), accepted=accepted)
    passing = [item for key, items in groups.items() if key not in held for item in items]
    for key, reason in held.items():
        detail = reason.detail
        span = _find_span(groups[key])
        if reason.relabel and (files := list_nameless(ledger, passing, key[0], span)):
            said = advise_relabel(files, key[0], account=reason.relabel, contracts=contracts)
            detail = f"{detail}; {said}"
        for delivery, result in groups[key]:
            path = shlex.quote(delivery.found.path)
            result.hold(reason.rule, f"{detail}; to let it pass: adlake merge --accept {path}")


def _find_span(items: Iterable[_Item]) -> tuple[date, date]:
    """First and last date that some files speak for, of which there is one at least."""
    spans = [span for _, result in items if (span := result.span)]
    return min(first for first, _ in spans), max(last for _, last in spans)


def _replaces(contract: Contract) -> bool:
    return contract.mode == "replace_window"


def _make_claim(
    key: tuple[str, Rank], items: Sequence[_Item], contracts: Mapping[str, Contract]
) -> Claim:
    contract = contracts[items[0][1].contract]
    deliveries, results = zip(*items, strict=True)
    return Claim(
        source=key[0],
        rank=key[1],
        holds=contract.holds,
        windows=describe_windows(deliveries, results, contracts),
        brings=pl.concat(
            [
                pl.DataFrame(schema=STANDING),
                *(_shape(_add_up(_load(*item), contract.scope, ["contract"])) for item in items),
            ]
        ),
        rows_in=sum(result.valid + result.quarantined for result in results),
        quarantined=sum(result.quarantined for result in results),
        has_account=all(result.constants.get("account") != "" for result in results),
    )


def _load(delivery: Delivery, result: Ingested) -> pl.LazyFrame:
    """The accepted rows of a file, as far as they matter here."""
    schema = pl.Schema(AD_DAY)
    if not result.spooled:
        return pl.LazyFrame(schema={**schema, "contract": pl.String()})
    rows = pl.scan_ipc(fetch_spooled(result.spooled), glob=False, hive_partitioning=False)
    present = rows.collect_schema().names()
    constants = {**result.constants, "source": delivery.source}
    return rows.with_columns(
        pl.lit(constants.get(name), dtype).alias(name)
        for name, dtype in schema.items()
        if name not in present
    ).with_columns(contract=pl.lit(result.contract))


def _add_up(rows: pl.LazyFrame, scope: Sequence[str], by: Sequence[str]) -> pl.LazyFrame:
    """Rows and cost of each campaign in each register, apart by some further columns."""
    if "platform" not in scope:
        rows = rows.with_columns(pl.lit(None, pl.String).alias("platform"))
    return rows.group_by(*_GROUP, *by).agg(
        rows=pl.len().cast(pl.Int64), cost=pl.col("cost").sum().cast(STANDING["cost"])
    )


def _find_scope(
    groups: Mapping[tuple[str, Rank], Sequence[_Item]],
    contracts: Mapping[str, Contract],
    source: str,
) -> Sequence[str]:
    return next(
        contracts[items[0][1].contract].scope for key, items in groups.items() if key[0] == source
    )


def _read_standing(
    lake: Lake,
    master: Table,
    scopes: Mapping[str, Sequence[str]],
    contracts: pl.DataFrame,
    span: tuple[date, date],
) -> pl.DataFrame:
    """What the master holds of some sources between two dates; columns `STANDING`.

    By which contract a row was read, the ledger knows of its delivery (`read_contracts`).
    """
    first, last = span
    files = [
        file
        for file in master.list_files()
        if file.first_date is None
        or file.last_date is None
        or (file.first_date <= last and first <= file.last_date)
    ]
    if not files:
        return pl.DataFrame(schema=STANDING)
    local = lake.fetch(master.locate(files))
    rows = pl.scan_parquet(local, glob=False, hive_partitioning=False)
    within = rows.filter(pl.col("date").is_between(first, last))
    key = [name for name in contracts.columns if name != "contract"]
    return pl.concat(
        _shape(
            _add_up(within.filter(pl.col("source") == source), scope, RANK)
            .join(contracts.lazy(), on=key, how="left")
            .group_by(*_GROUP, "contract")
            .agg(pl.col("rows", "cost").sum())
        )
        for source, scope in sorted(scopes.items())
    )


def _shape(sums: pl.LazyFrame) -> pl.DataFrame:
    return sums.select(list(STANDING)).cast(STANDING).collect()
