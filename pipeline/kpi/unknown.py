"""Which names and days that a selection asks for no row has of those that KPIs count."""

import logging
from datetime import date
from typing import Final

import duckdb

from pipeline.kpi.query import fetch_result
from pipeline.kpi.selection import Selection

_log = logging.getLogger(__name__)

_HOLDERS: Final = {
    "platform": "select platform as name from primary_rollup",
    "audience": "select target_audience as name from primary_rollup",
    "campaign": "select unnest([campaign_id, campaign_name]) as name from campaign_rollup",
    "source": "select source as name from primary_rollup union all select source from ledger",
}
"""Where the names of each filter are; a source may have nothing but refused files."""

_NEAR: Final = 0.8
"""So alike, of 1, is a name that was meant, such as one with a letter too few."""

_SHOWN: Final = 3


def warn_of_unknown(connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
    """Warns of what `find_unknown` finds; for whoever has an empty answer."""
    for line in find_unknown(connection, selection):
        _log.warning("%s", line)


def find_unknown(connection: duckdb.DuckDBPyConnection, selection: Selection) -> list[str]:
    """Says which filters of an empty answer can never match, and what could have been meant.

    Args:
        connection: One of `open_kpi_connection`.
        selection: What the answer was about.

    Returns:
        A line for each name, and for a first or last day, that no row has of those that KPIs of
        the version count, whatever its other filters; none where these have them all.
    """
    asked = {name: getattr(selection, name) for name in _HOLDERS}
    lines = (
        _look_for(connection, option, name) for option, name in asked.items() if name is not None
    )
    return [*(line for line in lines if line), *_look_for_days(connection, selection)]


def _look_for_days(connection: duckdb.DuckDBPyConnection, selection: Selection) -> list[str]:
    [(first, last)] = fetch_result(
        connection, "select min(date), max(date) from primary_rollup"
    ).rows
    if not (isinstance(first, date) and isinstance(last, date)):  # there is no row at all
        return []
    lines = []
    if selection.start is not None and selection.start > last:
        lines.append(f"--start is {selection.start}, and the rows of this version end with {last}")
    if selection.end is not None and selection.end < first:
        lines.append(f"--end is {selection.end}, and the rows of this version begin with {first}")
    return lines


def _look_for(connection: duckdb.DuckDBPyConnection, option: str, name: str) -> str:
    # The names of the relations are constants of this module.
    ranked = fetch_result(
        connection,
        "select name, jaro_winkler_similarity(lower(name), lower($name)) as likeness, "  # noqa: S608
        "likeness >= $near as is_near, count(*) over () as names "
        f"from (select distinct name from ({_HOLDERS[option]})) "
        "where name is not null order by name = $name desc, likeness desc, name limit $shown",
        {"name": name, "near": _NEAR, "shown": _SHOWN},
    ).to_dicts()
    if ranked and ranked[0]["name"] == name:
        return ""
    near = [repr(row["name"]) for row in ranked if row["is_near"]]
    count = ranked[0]["names"] if ranked else 0
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif ranked:
        hint = f"there are {count:,}, such as {', '.join(repr(row['name']) for row in ranked)}"
    else:
        hint = "there is none at all"
    return f"--{option} is {name!r}, which no row that counts in this version has: {hint}"
