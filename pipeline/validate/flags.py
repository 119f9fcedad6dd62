"""Counts rows whose figures are worth a look and no reason to reject them.

All comparisons are exact: both sides are multiplied by the denominator and counted in 1e-6.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import polars as pl

from pipeline.contracts import Contract
from pipeline.contracts.model import Rule

_STEPS = 1_000_000
# Room for a product, twice itself and its sign.
_SAFE_IN_64_BITS = 2**61

Kind = type[pl.Int64] | type[pl.Int128]


def count_flags(rows: pl.DataFrame, contract: Contract) -> dict[str, int]:
    """How many rows are worth a look by the contract's rules that reject nothing.

    - `ctr_disagrees`: the stated ctr is further than 0.0001 + 1 / impressions from
      clicks / impressions.
    - `cpc_disagrees`: the stated cpc is further than 0.01 from cost / clicks.
    - `cost_without_clicks`.

    A missing figure or a denominator of 0 is never flagged.

    Args:
        rows: Accepted ones.
        contract: Whose rules count; one whose columns the rows lack is passed over.

    Returns:
        The counts above 0, by name.
    """
    rules = [
        (name, columns, make)
        for rule, (name, columns, make) in _FLAGS.items()
        if rule in contract.rules and set(columns) <= set(rows.columns)
    ]
    if not rules:
        return {}
    kind = _choose_kind(rows, sorted({column for _, columns, _ in rules for column in columns}))
    counts = rows.select(make(kind).sum().alias(name) for name, _, make in rules)
    return {name: count for name, count in counts.row(0, named=True).items() if count}


def _choose_kind(rows: pl.DataFrame, columns: Sequence[str]) -> Kind:
    """64 bits where no product can leave them, which is fast; else 128, which hold all of them."""
    sizes: dict[bool, int] = {True: _STEPS, False: 1}
    for name in columns:
        physical = rows[name].to_physical()
        is_decimal = rows[name].dtype == pl.Decimal
        for end in (physical.min(), physical.max()):
            if isinstance(end, int):
                sizes[is_decimal] = max(sizes[is_decimal], abs(end))
    return pl.Int64 if sizes[True] * sizes[False] < _SAFE_IN_64_BITS else pl.Int128


def _ctr_disagrees(kind: Kind) -> pl.Expr:
    ctr, clicks, impressions = (_take(n, kind) for n in ("reported_ctr", "clicks", "impressions"))
    apart = (ctr * impressions - clicks * pl.lit(_STEPS, kind)).abs()
    return (impressions > 0) & (apart > impressions * pl.lit(100, kind) + pl.lit(_STEPS, kind))


def _cpc_disagrees(kind: Kind) -> pl.Expr:
    cpc, cost, clicks = (_take(name, kind) for name in ("reported_cpc", "cost", "clicks"))
    return (clicks > 0) & ((cpc * clicks - cost).abs() > clicks * pl.lit(10_000, kind))


def _cost_without_clicks(kind: Kind) -> pl.Expr:
    return (_take("clicks", kind) == 0) & (_take("cost", kind) > 0)


def _take(name: str, kind: Kind) -> pl.Expr:
    """A count, or a decimal in steps of 1e-6."""
    return pl.col(name).to_physical().cast(kind)


_FLAGS: Final[Mapping[Rule, tuple[str, Sequence[str], Callable[[Kind], pl.Expr]]]] = {
    "ctr_agrees": ("ctr_disagrees", ("reported_ctr", "clicks", "impressions"), _ctr_disagrees),
    "cpc_agrees": ("cpc_disagrees", ("reported_cpc", "cost", "clicks"), _cpc_disagrees),
    "cost_has_clicks": ("cost_without_clicks", ("cost", "clicks"), _cost_without_clicks),
}
