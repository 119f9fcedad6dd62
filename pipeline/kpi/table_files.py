"""Warns of a statement that reads a table by the names of its files, and so no version of it."""

import logging
import re
from typing import Final

from pipeline.lake import LEDGER_TABLE, MASTER_TABLE, QUARANTINE, ROLLUP

_log = logging.getLogger(__name__)

_VIEWS: Final = {
    MASTER_TABLE: "ad_day",
    LEDGER_TABLE: "ledger",
    QUARANTINE: "rejects",
    ROLLUP: "rollup",
}
_LITERAL: Final = re.compile("'((?:[^']|'')*)'")
_FILES: Final = re.compile(rf"(?:^|/)({'|'.join(_VIEWS)})/(?:.*\*|.*\.parquet$)")


def warn_of_table_files(sql: str) -> None:
    """Warns of what `find_table_files` finds."""
    for table in find_table_files(sql):
        _log.warning(
            "the statement names files below %s/, where those of earlier versions lie as well: "
            "only the view %s has the rows of one version, each once",
            table,
            _VIEWS[table],
        )


def find_table_files(sql: str) -> list[str]:
    """The tables whose Parquet files a statement names in its texts, by name or by a pattern.

    >>> find_table_files("select count(*) from 'lake/master/**/*.parquet'")
    ['master']
    >>> find_table_files("select count(*) from ledger where path = 'landing/lots/a.csv'")
    []
    """
    texts = (match[1] for match in _LITERAL.finditer(sql))
    found = {match[1] for text in texts if (match := _FILES.search(text))}
    return [table for table in _VIEWS if table in found]
