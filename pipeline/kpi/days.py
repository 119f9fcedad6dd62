"""Which days of the master a statement reads, and the files that have rows of them.

DuckDB opens every file that a view names before it looks at what the file holds, and in a bucket
each is requests. The master's log says of each file from which to which day it has rows.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import duckdb

from pipeline.delta.log import DataFile
from pipeline.kpi.relations import quote_text
from pipeline.lake import Snapshot
from pipeline.schema import AD_DAY

Span = tuple[int, int]
"""The first and the last of some days, as their number since 1970-01-01."""

_EPOCH: Final = date(1970, 1, 1).toordinal()
_FIRST: Final = date.min.toordinal() - _EPOCH
_LAST: Final = date.max.toordinal() - _EPOCH
_EVERY: Final[list[Span]] = [(_FIRST, _LAST)]
_DATE: Final = "date"


def keep_days(snapshot: Snapshot, spans: Sequence[Span]) -> list[str]:
    """The full names of the master's files that may have rows of some days.

    Args:
        snapshot: The version.
        spans: The days; a file of which the log does not say its days is kept in any case.
    """
    apart = _merge(spans)
    return [
        uri
        for file, uri in zip(snapshot.files, snapshot.file_uris, strict=True)
        if any(_overlaps(file, span) for span in apart)
    ]


def make_span(start: date | None, end: date | None) -> Span:
    """The days from one to another, both included; None takes all."""
    first = _FIRST if start is None else start.toordinal() - _EPOCH
    return first, _LAST if end is None else end.toordinal() - _EPOCH


def _merge(spans: Iterable[Span]) -> list[Span]:
    """The same days in as few spans as there can be."""
    apart: list[Span] = []
    for first, last in sorted(spans):
        if apart and first <= apart[-1][1] + 1:
            apart[-1] = (apart[-1][0], max(apart[-1][1], last))
        else:
            apart.append((first, last))
    return apart


def _overlaps(file: DataFile, span: Span) -> bool:
    first, last = make_span(file.first_date, file.last_date)
    return first <= span[1] and span[0] <= last


def find_days(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Span]:
    """The days of the master without which a statement gives the same rows.

    These are all days where the statement is wrong, which is for others to say, or where the
    engine's plan of it does not say by which days it reads the master. Nothing is run.

    Args:
        connection: One of `open_reading_connection`.
        sql: The statement.
    """
    # Not bound: to look at a value that is, DuckDB imports pandas, where that is installed.
    plan = f"select json_serialize_plan({quote_text(sql)}, optimize := true)"
    try:
        [(text,)] = connection.execute(plan).fetchall()
    except (duckdb.Error, UnicodeEncodeError):
        return _EVERY
    try:
        return find_spans(json.loads(text))
    except (LookupError, TypeError, ValueError, RecursionError):
        return _EVERY  # a plan of another shape than is known here costs speed and no rows


def find_spans(plan: Mapping[str, Any]) -> list[Span]:
    """The days that a plan's scans of the master need; pure.

    Args:
        plan: What DuckDB's json_serialize_plan says of a statement.

    Returns:
        Spans that together hold all days that any of its scans needs; every day where one of them
        takes all, or where there is no plan or no scan in it.
    """
    if plan.get("error", True):
        return _EVERY
    # Those that have all columns that `ad_day` takes from a file, whatever else is in it.
    scans = [scan for scan in _list_scans(plan) if {*AD_DAY.names} <= {*scan.get("names", ())}]
    return [span for scan in scans for span in _read_scan(scan)] if scans else _EVERY


def _list_scans(node: object) -> Iterator[Mapping[str, Any]]:
    """All scans of files in a plan."""
    if isinstance(node, dict):
        if node.get("type") == "LOGICAL_GET":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _list_scans(child)


def _read_scan(scan: Mapping[str, Any]) -> list[Span]:
    spans = _EVERY
    names = scan["names"]
    for one in scan["table_filters"]["filters"]:
        # Beyond the last column are those that the engine adds, such as a file's name.
        if one["key"] < len(names) and names[one["key"]] == _DATE:
            spans = _intersect(spans, _read_filter(one["value"]))
    return spans


def _read_filter(one: Mapping[str, Any]) -> list[Span]:
    """The days that pass a filter; every one where it is of a kind that is not known here."""
    match one["filter_type"]:
        case "CONSTANT_COMPARISON":
            return _read_comparison(one["comparison_type"], one["constant"])
        case "IN_FILTER":
            return _join(_read_comparison("COMPARE_EQUAL", value) for value in one["values"])
        case "CONJUNCTION_OR":
            return _join(map(_read_filter, one["child_filters"]))
        case "CONJUNCTION_AND":
            spans = _EVERY
            for child in one["child_filters"]:
                spans = _intersect(spans, _read_filter(child))
            return spans
        case "OPTIONAL_FILTER":  # which others imply
            return _read_filter(one["child_filter"]) if one.get("child_filter") else _EVERY
        case _:
            return _EVERY


def _read_comparison(comparison: str, constant: Mapping[str, Any]) -> list[Span]:
    if constant["type"]["id"] != "DATE" or constant["is_null"]:
        return _EVERY
    day = int(constant["value"])
    spans = {
        "COMPARE_EQUAL": (day, day),
        "COMPARE_GREATERTHAN": (day + 1, _LAST),
        "COMPARE_GREATERTHANOREQUALTO": (day, _LAST),
        "COMPARE_LESSTHAN": (_FIRST, day - 1),
        "COMPARE_LESSTHANOREQUALTO": (_FIRST, day),
    }
    return [spans[comparison]] if comparison in spans else _EVERY


def _join(parts: Iterable[list[Span]]) -> list[Span]:
    return [span for part in parts for span in part]


def _intersect(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    both = [(max(a[0], b[0]), min(a[1], b[1])) for a in some for b in others]
    return [span for span in both if span[0] <= span[1]]
