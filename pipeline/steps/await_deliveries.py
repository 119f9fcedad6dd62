"""Looks whether the deliveries that a day's run waits for have come."""

from collections.abc import Collection, Iterator
from datetime import date

import polars as pl

from pipeline.errors import BadFileError, EmptyLakeError
from pipeline.lake import LANDING, Lake
from pipeline.ledger import LedgerPart
from pipeline.merge.delivery import Found, leave_known_out, pick_judged
from pipeline.merge.place import is_control_file, is_unfinished, read_place, spell_path
from pipeline.steps.ledger import read_ledger


def list_missing(lake: Lake, sources: Collection[str], *, day: date) -> list[str]:
    """The sources that a day's run still has to wait for.

    A source has come when landing/ holds a file of it that no merge has decided on yet, or when a
    merged file of it speaks for the day. So a run that is repeated does not wait again.

    Args:
        lake: The lake; it need not be there yet.
        sources: Folders below landing/; may be empty.
        day: The run's day.

    Returns:
        Names among `sources`, sorted; none when all have come.
    """
    if not sources:
        return []
    ledger = _read_ledger(lake)
    come = {*_list_new_sources(lake, ledger), *_list_covering_sources(ledger, day)}
    return sorted(set(sources) - come)


def _read_ledger(lake: Lake) -> pl.DataFrame:
    try:
        return read_ledger(lake, lake.pick_ledger(lake.open_master()))
    except EmptyLakeError:
        return read_ledger(lake, LedgerPart())


def _list_new_sources(lake: Lake, ledger: pl.DataFrame) -> Iterator[str]:
    listed = (
        Found(spell_path(entry.path), *entry[1:4])
        for entry in lake.storage.list(LANDING)
        if not is_unfinished(entry.path) and not is_control_file(entry.path)
    )
    for found in leave_known_out(listed, ledger):
        try:
            yield read_place(found.path).source
        except BadFileError:
            continue  # the merge will refuse it, whoever sent it


def _list_covering_sources(ledger: pl.DataFrame, day: date) -> list[str]:
    windows = (
        pick_judged(ledger)
        .filter(outcome="merged")
        .select("source", "coverage")
        .explode("coverage")
        .drop_nulls()
        .unnest("coverage")
    )
    speaking = windows.filter(pl.lit(day).is_between("first_date", "last_date"))
    return speaking["source"].unique().to_list()
