"""Guesses what the columns of an unknown file are, by the names that the contracts know. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pipeline.contracts import Column, Contract
from pipeline.contracts.model import ColumnType, Unit
from pipeline.read.header import compile_form, normalise_name

CURRENCY: Final = "{currency}"
"""Stands in a column's name for any currency's code."""

_EVERYDAY: Final[Mapping[str, str]] = {
    "day": "date",
    "fecha": "date",
    "canal": "platform",
    "segmento": "target_audience",
    "público": "target_audience",
    "inversión": "cost",
    "gasto": "cost",
    "ventas": "revenue",
    "campaign": "campaign_name",
    "network": "platform",
    "channel": "platform",
    "publisher": "platform",
    "audience": "target_audience",
    "spend": "cost",
    "spent": "cost",
    "amount": "cost",
    "sales": "revenue",
    "orders": "conversions",
}
"""Names that no shipped contract needs, and the canonical columns that they mostly mean."""


class Guess(NamedTuple):
    """What a column of the file probably is.

    Attributes:
        header: Its name in the file, with `{currency}` where a code stands in it.
        name: The canonical column.
        type: Likewise, as in a contract.
        unit: Likewise.
        minimum: Likewise.
        identifier: Likewise.
    """

    header: str
    name: str
    type: ColumnType
    unit: Unit
    minimum: int | None
    identifier: bool


def guess_columns(
    names: Sequence[str], contracts: Sequence[Contract]
) -> tuple[dict[int, Guess], list[str]]:
    """What each column probably is, by place; and the names of those that nobody knows."""
    guesses: dict[int, Guess] = {}
    unread: list[str] = []
    for place, name in enumerate(names):
        guess = None if set("{}") & set(name) else _guess(name, contracts)
        taken = {one.name for one in guesses.values()}
        if guess is None or guess.name in taken:
            unread.append(name.strip())
        else:
            guesses[place] = guess
    return guesses, unread


def _guess(name: str, contracts: Sequence[Contract]) -> Guess | None:
    votes: Counter[Guess] = Counter()
    wanted = normalise_name(name)
    for contract in contracts:
        for column in contract.columns:
            for header in column.headers.list_names():
                if _is_named(wanted, header):
                    shown = header if CURRENCY in header else name.strip()
                    votes[_make_guess(shown, column)] += 1
    if votes:
        return votes.most_common(1)[0][0]
    everyday = _EVERYDAY.get(wanted)
    columns = [one for contract in contracts for one in contract.columns if one.name == everyday]
    return _make_guess(name.strip(), columns[0])._replace(unit="one") if columns else None


def _make_guess(header: str, column: Column) -> Guess:
    return Guess(header, column.name, column.type, column.unit, column.minimum, column.identifier)


def _is_named(wanted: str, header: str) -> bool:
    if CURRENCY in header:
        return compile_form(header).fullmatch(wanted) is not None
    return normalise_name(header) == wanted
