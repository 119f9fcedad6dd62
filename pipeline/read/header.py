"""Matches the names of a file's header with a contract's columns. Pure: names in, places out."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from pipeline.contracts.model import Contract, Headers

_CURRENCY: Final = "{currency}"
_BLANKS: Final = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})

Kind = Literal["column", "breakdown", "end", "fold", "mark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMatch:
    """A header that a contract knows.

    Attributes:
        width: How many cells it has.
        positions: The places of each canonical column, from 0, in the contract's order.
        breakdowns: The place of each breakdown, in the contract's order; of several names that
            the file has for one, the place of the one that the contract has first.
        end_position: The place of the column with a row's last day.
        fold_positions: The places of the columns of the contract's `fold`, and of the other names
            of its breakdowns: a thing's name beside its id splits no further, or is added up.
        ignored: The names that the contract does not know and ignores.
        ignored_positions: Their places.
        currency: From a name with `{currency}`, upper case.
    """

    width: int
    positions: Mapping[str, tuple[int, ...]]
    breakdowns: Mapping[str, int]
    end_position: int | None
    fold_positions: tuple[int, ...]
    ignored: tuple[str, ...]
    ignored_positions: tuple[int, ...]
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMiss:
    """A header that a contract does not take.

    Attributes:
        known: How many of its names the contract knows.
        missing: Names that a file must have and this one lacks, as the contract writes them.
        unknown: Its names that the contract neither knows nor ignores.
        rule: The reason's name, where it lies not only in missing and unknown names:
            `duplicate_column` or `currency_mismatch`; else ''.
        detail: For the person, likewise.
    """

    known: int
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    rule: str = ""
    detail: str = ""

    @property
    def distance(self) -> int:
        """How many names are wrong."""
        return len(self.missing) + len(self.unknown)


class _Meaning(NamedTuple):
    kind: Kind
    name: str


@dataclass(slots=True)
class _Found:
    places: dict[_Meaning, list[int]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unknown_places: list[int] = field(default_factory=list)
    currencies: dict[str, str] = field(default_factory=dict)


def read_names(line: str, delimiter: str) -> list[str]:
    """The cells of one line that may be a header; none where it is no line of CSV.

    Any line may be asked, and the parser refuses a lone CR and cells of more than 128 KiB.
    """
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def normalise_name(name: str) -> str:
    """A header's name as it is compared: composed, without outer blanks, BOM and case."""
    composed = unicodedata.normalize("NFC", name).translate(_BLANKS)
    # Casefolding can decompose again, so the composed form is taken twice.
    return unicodedata.normalize("NFC", composed.strip().removeprefix("\ufeff").strip().casefold())


def match_header(
    names: Sequence[str], contract: Contract, languages: Sequence[str] = ()
) -> HeaderMatch | HeaderMiss:
    """Finds each column of a contract among the names of a header.

    Args:
        names: As they stand in the file.
        contract: Whose names are looked for.
        languages: Which of them count; empty: all.

    Returns:
        The places of the columns, or what is wrong. Where a name is missing or not known, that
        a column is named twice is told too, for that is often the very reason.
    """
    found = _find(names, _Dictionary(contract, languages))
    missing = [
        _say_names(column.headers, languages, column.name)
        for column in contract.columns
        if not column.optional and _Meaning("column", column.name) not in found.places
    ]
    missing += [
        name for name in contract.recognised_by if _Meaning("mark", name) not in found.places
    ]
    refused = [] if contract.extra_columns == "ignore" else found.unknown
    rule, detail = _find_problem(found, names, contract)
    if missing or refused or rule:
        return HeaderMiss(
            known=sum(map(len, found.places.values())),
            missing=tuple(missing),
            unknown=tuple(refused),
            rule=rule,
            detail=detail,
        )
    places = found.places
    split = _rank_breakdowns(found, names, contract)
    ends = places.get(_Meaning("end", ""))
    return HeaderMatch(
        width=len(names),
        positions={
            column.name: tuple(places[_Meaning("column", column.name)])
            for column in contract.columns
            if _Meaning("column", column.name) in places
        },
        breakdowns={name: first for name, (first, *_) in split.items()},
        end_position=ends[0] if ends else None,
        fold_positions=(
            *places.get(_Meaning("fold", ""), ()),
            *(place for _, *others in split.values() for place in others),
        ),
        ignored=tuple(found.unknown),
        ignored_positions=tuple(found.unknown_places),
        currency=next(iter(found.currencies), None),
    )


def has_one_of(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a header has any of some names, as `normalise_name` compares them."""
    return not {normalise_name(name) for name in wanted}.isdisjoint(map(normalise_name, names))


class _Dictionary:
    """What each name means in one contract."""

    def __init__(self, contract: Contract, languages: Sequence[str]) -> None:
        self._words: dict[str, _Meaning] = {}
        self._forms: list[tuple[re.Pattern[str], _Meaning]] = []
        for column in contract.columns:
            self._add(column.headers, languages, _Meaning("column", column.name))
        for name, headers in contract.breakdowns.items():
            self._add(headers, languages, _Meaning("breakdown", name))
        self._add(contract.dates.end_headers, languages, _Meaning("end", ""))
        self._add(contract.fold, languages, _Meaning("fold", ""))
        for name in contract.recognised_by:
            self._words[normalise_name(name)] = _Meaning("mark", name)

    def look_up(self, name: str) -> tuple[_Meaning | None, str | None]:
        """A name's meaning, and the currency in it."""
        if meaning := self._words.get(name):
            return meaning, None
        for form, meaning in self._forms:
            if match := form.fullmatch(name):
                return meaning, match.group(1).upper()
        return None, None

    def _add(self, headers: Headers, languages: Sequence[str], meaning: _Meaning) -> None:
        for name in headers.list_names(languages):
            if _CURRENCY in name:
                self._forms.append((compile_form(name), meaning))
            else:
                self._words[normalise_name(name)] = meaning


@lru_cache(maxsize=256)
def compile_form(name: str) -> re.Pattern[str]:
    """The pattern of normalised names that a name with `{currency}` stands for."""
    before, after = normalise_name(name).split(_CURRENCY)
    return re.compile(re.escape(before) + "([a-z]{3})" + re.escape(after))


def _find(names: Iterable[str], dictionary: _Dictionary) -> _Found:
    found = _Found()
    for place, name in enumerate(names):
        meaning, currency = dictionary.look_up(normalise_name(name))
        if meaning is None:
            found.unknown.append(name.strip())
            found.unknown_places.append(place)
            continue
        found.places.setdefault(meaning, []).append(place)
        if currency is not None:
            found.currencies.setdefault(currency, name.strip())
    return found


def _rank_breakdowns(
    found: _Found, names: Sequence[str], contract: Contract
) -> dict[str, list[int]]:
    """The places of each breakdown that the file has, in the order of the contract's names."""
    ranked: dict[str, list[int]] = {}
    for name, headers in contract.breakdowns.items():
        order = {normalise_name(one): rank for rank, one in enumerate(headers.list_names())}
        if places := found.places.get(_Meaning("breakdown", name)):
            words = {place: normalise_name(names[place]) for place in places}
            ranked[name] = sorted(places, key=lambda one: order.get(words[one], len(order)))
    return ranked


def _find_problem(found: _Found, names: Sequence[str], contract: Contract) -> tuple[str, str]:
    added = {_Meaning("column", column.name) for column in contract.columns if column.add_up}
    for meaning, places in found.places.items():
        free = meaning.kind in {"fold", "mark"} or (
            meaning.kind == "column" and contract.repeated_columns
        )
        # Under other names only: the same twice would be added twice.
        if meaning in added or meaning.kind == "breakdown":
            free = len({normalise_name(names[place]) for place in places}) == len(places)
        if len(places) > 1 and not free:
            first, second = (names[place].strip() for place in places[:2])
            what = f"names {first!r} more than once"
            if normalise_name(first) != normalise_name(second):
                what = f"names one column as {first!r} and as {second!r}"
            return "duplicate_column", f"the header {what}; remove one of the two"
    if contract.extra_columns == "refuse" and (twice := _find_twice(found.unknown)):
        return "duplicate_column", f"the header names {twice!r} more than once; remove one"
    if len(found.currencies) > 1:
        parts = " and ".join(
            f"{currency} ({name!r})" for currency, name in list(found.currencies.items())[:2]
        )
        return "currency_mismatch", f"the header names {parts}; expected one currency a file"
    return "", ""


def _find_twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        word = normalise_name(name)
        if word and word in seen:
            return name
        seen.add(word)
    return None


def _say_names(headers: Headers, languages: Sequence[str], default: str) -> str:
    return next(iter(headers.list_names(languages)), default)
