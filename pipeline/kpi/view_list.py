"""Which views a version of the lake has, as SQL text, each after those that it reads.

Base relations name files and come from here, and so do the rollups, which are joined alike; the
views over them come from sql/.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from pipeline.kpi.macros import FORMULAS, LEDGER_MACRO, RELATIONS, read_macro
from pipeline.kpi.rates import Rates
from pipeline.kpi.raw import RawFile
from pipeline.kpi.raw_views import select_raw_files, select_raw_rows
from pipeline.kpi.relations import quote_text, select_files
from pipeline.kpi.rollup import CAMPAIGN, DAILY, KINDS, Kind, RollupPlan
from pipeline.kpi.statements import list_statements, read_statement
from pipeline.lake import Lake, Snapshot
from pipeline.schema import AD_DAY, LEDGER, REJECTS

_STORED: Final = {DAILY: "stored_rollup", CAMPAIGN: "stored_campaigns"}
_COMPUTED: Final = {DAILY: "computed_rollup", CAMPAIGN: "computed_campaigns"}
_UNROLLED: Final = {DAILY: "unrolled_rows", CAMPAIGN: "unrolled_campaigns"}
_WORD: Final = re.compile(r"\w+")


class View(NamedTuple):
    """A view, or a macro, of a version.

    Attributes:
        name: Of the view or macro.
        text: The select that a view stands for, or the statement that makes a macro.
        is_macro: Which of the two.
        in_memory: Whether a connection keeps the rows, as it will read them more than once.
    """

    name: str
    text: str
    is_macro: bool = False
    in_memory: bool = False

    def write(self) -> str:
        """The statement that makes it, in a form that may be run again."""
        if self.is_macro:
            return self.text.strip()
        return f"create or replace view {self.name} as\n{self.text.strip()}"


def list_first_views(snapshot: Snapshot) -> Iterator[View]:
    """The formulas, and the views of the ledger, on which the files of the others depend."""
    for name in FORMULAS:
        yield View(name, read_macro(name), is_macro=True)
    rows = select_files(snapshot.ledger.uris, LEDGER)
    upto = f"\nwhere n <= {snapshot.ledger.last}" if snapshot.ledger.uris else ""
    yield View("ledger_rows", rows + upto)
    yield View("ledger", read_statement("views/ledger"))
    yield View(LEDGER_MACRO, read_macro(LEDGER_MACRO), is_macro=True)
    for name in ("account", "preferred_breakdown"):
        yield View(name, read_statement(f"views/{name}"))


def list_other_views(
    lake: Lake,
    plans: Mapping[Kind, RollupPlan],
    *,
    master: Sequence[str],
    rejects: Sequence[str],
    stored: Mapping[Kind, Sequence[str]],
    kept: Collection[Kind],
    rates: Rates | None = None,
) -> Iterator[View]:
    """All others, but for `raw`.

    Args:
        lake: The lake.
        plans: Which partitions of a kind have no rollup file that is used.
        master: The full names of the files of `ad_day`.
        rejects: Keys of the files of the view `quarantine`.
        stored: The full names of the files that have the rows of the others.
        kept: The kinds of which a connection keeps all rows in memory.
        rates: By which all money is converted, for rollups of which no file is used; the view
            `rates` has them. None: it stays as it was delivered.
    """
    yield View("master_rows", select_files(master, AD_DAY))
    if rates is None:
        yield View("ad_day", read_statement("views/ad_day"))
    else:
        yield from _list_converted_views(rates)
    for kind in KINDS:
        yield View(_STORED[kind], select_files(stored[kind], kind.schema))
        unrolled = [lake.locate(path) for path in plans[kind].unrolled]
        rows = select_files(unrolled, AD_DAY) if rates is None else "select * from ad_day"
        yield View(_UNROLLED[kind], rows)
        yield View(_COMPUTED[kind], read_statement(kind.statement))
        yield View(kind.view, _select_rollup(kind), in_memory=kind in kept)
        after = ("chosen_breakdown", "primary_rollup", "stated") if kind is DAILY else ()
        for name in after:
            yield View(name, read_statement(f"views/{name}"), in_memory=kind in kept)
    for name in ("primary_day", "campaign_day"):
        yield View(name, read_statement(f"views/{name}"))
    for name in RELATIONS:
        yield View(name, read_macro(name), is_macro=True)
    yield View("reject_rows", select_files([lake.locate(key) for key in rejects], REJECTS))
    yield View("quarantine", read_statement("views/quarantine"))


def list_raw_views(lake: Lake, raw_files: Sequence[RawFile]) -> Iterator[View]:
    """`raw` and what it is made from: it has no versions."""
    yield View("raw_files", select_raw_files(lake, raw_files))
    yield View("raw_rows", select_raw_rows(lake, raw_files))
    yield View("raw", read_statement("views/raw"))


def _select_rollup(kind: Kind) -> str:
    """All rows of a kind: of its files, and computed where a partition has none."""
    return f"from {_STORED[kind]}\nunion all by name\nfrom {_COMPUTED[kind]}"


def _list_converted_views(rates: Rates) -> Iterator[View]:
    """`ad_day` with its money converted, and what it is made from."""
    yield View("native_day", read_statement("views/ad_day"))
    yield View("conversion", _select_conversion(rates))
    yield View("daily_rates", read_statement("currency/daily_rates"), in_memory=True)
    yield View("ad_day", read_statement("currency/ad_day"))


def _select_conversion(rates: Rates) -> str:
    days = {"first_day": rates.start, "last_day": rates.end}
    columns = (
        f"cast({quote_text(str(day)) if day else 'null'} as date) as {name}"
        for name, day in days.items()
    )
    return f"select {quote_text(rates.currency)} as currency, {', '.join(columns)}"


def find_kinds(sql: str) -> tuple[Kind, ...]:
    """The kinds of rollup that a statement names, or that a view or macro reads which it names.

    >>> [kind.name for kind in find_kinds("select sum(cost) from ad_day")]
    []
    >>> [kind.name for kind in find_kinds("from Facts(null, null, null, null, null, null)")]
    ['daily']
    """
    named = _find_words(sql)
    texts = _read_texts()
    while more := {word for name in named & texts.keys() for word in texts[name]} - named:
        named |= more
    return tuple(kind for kind in KINDS if kind.view in named)


@cache
def _read_texts() -> dict[str, set[str]]:
    """The words of each view and macro over a version."""
    texts = {name: read_statement(f"views/{name}") for name in list_statements("views")}
    texts |= {name: read_macro(name) for name in RELATIONS}
    texts |= {kind.view: _select_rollup(kind) for kind in KINDS}
    texts |= {_COMPUTED[kind]: read_statement(kind.statement) for kind in KINDS}
    return {name: _find_words(text) for name, text in texts.items()}


def _find_words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
