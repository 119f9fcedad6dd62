"""Reads the log of a table entry by entry, as files and not through Delta's library."""

from collections.abc import Iterator

from pipeline.care.finding import Finding
from pipeline.delta.checkpoints import find_wrong_checkpoints
from pipeline.delta.entry import LogEntry, parse_entry
from pipeline.delta.log import LOG, find_log_faults, is_entry, name_entry
from pipeline.delta.log_copy import list_log
from pipeline.engine import map_threads
from pipeline.errors import LakeError
from pipeline.lake import Lake

FIRST = name_entry(0).rpartition("/")[2]


def check_log(lake: Lake, table: str, *, workers: int) -> Iterator[Finding]:
    """What is wrong with a table's log: holes, damaged entries, and checkpoints unlike them."""
    sizes = list_log(lake.storage, table)
    faults = find_log_faults(sizes)
    for name, detail in faults:
        yield Finding(f"{table}/{LOG}/{name}", detail)
    empty = {fault.name for fault in faults}
    whole = sorted(name for name in sizes if is_entry(name) and name not in empty)

    def try_entry(name: str) -> Finding | None:
        path = f"{table}/{LOG}/{name}"
        try:
            parse_entry(lake.storage.fetch(path).read_bytes(), path)
        except LakeError as error:
            return Finding(path, str(error).removeprefix(f"{path} "))
        return None

    damaged = list(filter(None, map_threads(try_entry, whole, workers=workers)))
    yield from damaged
    if faults or damaged:
        return  # what the checkpoints have to be is not known
    try:
        for name, detail in find_wrong_checkpoints(lake.storage, table):
            yield Finding(f"{table}/{LOG}/{name}", detail)
    except LakeError as error:
        yield Finding(f"{table}/{LOG}", str(error))


def read_log(lake: Lake, table: str, *, workers: int) -> list[LogEntry]:
    """The entries of a table's log, in order of their versions, from 0 on.

    Raises:
        LakeError: An entry is damaged, or old ones were cleared away: what is needed is not known.
    """
    names = sorted(name for name in list_log(lake.storage, table) if is_entry(name))
    if not names or names[0] != FIRST:
        raise LakeError(
            f"{lake.locate(table)}/{LOG} does not reach back to {FIRST}: another tool has cleared "
            f"old entries away, so that nobody knows which files were the lake's"
        )
    paths = [f"{table}/{LOG}/{name}" for name in names]

    def read_entry(path: str) -> LogEntry:
        return parse_entry(lake.storage.read(path), path)

    return list(map_threads(read_entry, paths, workers=workers))
