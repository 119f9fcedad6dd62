"""Which of several contracts that fit a file is taken, and what to say where none or two do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.contracts.model import Contract
from pipeline.errors import BadFileError
from pipeline.read.header import HeaderMiss
from pipeline.read.layout import Layout


class Miss(NamedTuple):
    """A contract that does not fit, and why."""

    contract: Contract
    miss: HeaderMiss


Fit = Callable[[Contract], Layout | Sequence[Miss]]
"""Lays a file out by one contract, or says in which ways it does not fit."""


def group_by_source(contracts: Iterable[Contract], source: str | None) -> Iterator[list[Contract]]:
    """The contracts of a source, then all others; groups without a contract are left out."""
    known = list(contracts)
    own = [contract for contract in known if contract.source == source]
    others = [contract for contract in known if contract.source != source]
    yield from (group for group in (own, others) if group)


def choose_layout(contracts: Iterable[Contract], fit: Fit, *, source: str | None) -> Layout:
    """The layout of a file by the one contract that fits it best.

    Those of `source` come first; then one that knows all names beats one that ignores some.

    Raises:
        BadFileError: `ambiguous_contract`, or why the nearest contract does not fit.
    """
    misses: list[Miss] = []
    for group in group_by_source(contracts, source):
        fits: list[Layout] = []
        for contract in group:
            found = fit(contract)
            if isinstance(found, Layout):
                fits.append(found)
            else:
                misses += found
        if fits:
            return _pick(fits)
    raise explain_misses(misses)


def explain_misses(misses: Sequence[Miss]) -> BadFileError:
    """The error for a header that no contract takes; it speaks of the nearest contract."""
    if not misses:
        return BadFileError("header_mismatch", "no contract reads files of this kind")
    contract, miss = find_nearest(misses)
    if miss.rule and (miss.known > miss.distance or not miss.distance):
        return BadFileError(miss.rule, f"{miss.detail} (contract {contract.name!r})")
    parts = [f"the header is of no contract; nearest is {contract.name!r}"]
    if miss.missing:
        parts.append("missing " + ", ".join(miss.missing[:5]))
    if miss.unknown:
        parts.append(f"{len(miss.unknown)} unknown, first {miss.unknown[0][:60]!r}")
    return BadFileError("header_mismatch", "; ".join(parts))


def find_nearest(misses: Sequence[Miss]) -> Miss:
    """Of some contracts, at least one, the one that fits best."""
    return min(misses, key=lambda one: (one.miss.distance, -one.miss.known))


def _pick(fits: Sequence[Layout]) -> Layout:
    best = [layout for layout in fits if not layout.ignored] or fits
    if len(best) == 1:
        return best[0]
    names = " and ".join(layout.contract.name for layout in best)
    sources = sorted({layout.contract.source for layout in best})
    advice = (
        "choose with " + " or ".join(f"--source {name}" for name in sources)
        if len(sources) == len(best)
        else "change the header of one"
    )
    raise BadFileError("ambiguous_contract", f"the header fits {names}; {advice}")
