"""Checks a whole lake: its logs, its files, its account of rows, and what is derived from them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from pipeline.care.account import check_commits, check_ledger
from pipeline.care.finding import Finding
from pipeline.delta.log import LOG, DataFile
from pipeline.errors import ChangedOutsideError, EmptyLakeError, LakeError
from pipeline.lake import (
    FORMAT_FILE,
    LEDGER_TABLE,
    MASTER_TABLE,
    QUARANTINE,
    ROLLUP,
    Lake,
    Snapshot,
)
from pipeline.ledger import list_part, refuse_foreign_commit
from pipeline.settings import Settings
from pipeline.steps.check_deliveries import check_deliveries
from pipeline.steps.check_files import Expected, check_files
from pipeline.steps.check_rows import check_places, check_rollups
from pipeline.steps.check_statistics import check_statistics
from pipeline.steps.ledger import read_ledger
from pipeline.steps.needs import find_garbage, list_contents
from pipeline.steps.read_log import check_log

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Checkup:
    """What a check of a lake found.

    Attributes:
        version: Of the master; None where its log is too damaged to tell.
        findings: What is wrong.
        checked: How many files of each place were checked.
        orphans: How many files of each place no version ever named: no error, `vacuum` clears them.
        gone: How many delivered files that were merged are gone or changed since: no error, but a
            rebuild or a withdrawal that needs them cannot be done.
    """

    version: int | None = None
    findings: list[Finding] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)
    orphans: Mapping[str, int] = field(default_factory=dict)
    gone: int = 0


def fsck(lake: Lake, *, settings: Settings) -> Checkup:
    """Reads all of a lake and compares it with itself.

    Where the log of a table is damaged, nothing else is checked: it says what belongs to the lake.
    Where files of the ledger are, only the master's are beside them; and of a master with damaged
    files neither its places nor its rollups are computed.

    Raises:
        EmptyLakeError: There is no lake.
        StorageError: The lake cannot be listed or read.
    """
    if not lake.exists() and not lake.storage.list(f"{MASTER_TABLE}/{LOG}"):
        raise EmptyLakeError(f"{lake.uri} holds no lake")
    checkup = Checkup()
    workers = settings.workers
    try:
        lake.check_format()
    except LakeError as error:
        checkup.findings.append(Finding(FORMAT_FILE, str(error)))
        return checkup
    for table in (MASTER_TABLE, LEDGER_TABLE):
        checkup.findings += check_log(lake, table, workers=workers)
    if not checkup.findings:
        try:
            snapshot = lake.take_snapshot()
        except LakeError as error:
            checkup.findings.append(Finding(f"{MASTER_TABLE}/{LOG}", str(error)))
        else:
            checkup.version = snapshot.version
            _check_snapshot(checkup, lake, snapshot, workers=workers)
    return checkup


def _check_snapshot(checkup: Checkup, lake: Lake, snapshot: Snapshot, *, workers: int) -> None:
    contents = list_contents(lake)  # after the snapshot, so that it holds all the snapshot's files
    for place, files in _list_files(lake, snapshot).items():
        expected = [Expected(f"{place}/{file.path}", file.size) for file in files]
        damaged = check_files(lake, expected, contents.find(place), workers=workers)
        paths = {finding.path for finding in damaged}
        whole = [file for file in files if f"{place}/{file.path}" not in paths]
        checkup.findings += [*damaged, *check_statistics(lake, place, whole, workers=workers)]
        checkup.checked[place] = len(files)
    if any(finding.path.startswith(f"{LEDGER_TABLE}/") for finding in checkup.findings):
        return  # it says which other files there are
    is_whole = not checkup.findings
    ledger = read_ledger(lake, snapshot.ledger)
    rejects = [Expected(path) for path in ledger["reject_path"].drop_nulls().unique().sort()]
    checkup.findings += check_files(lake, rejects, contents.find(QUARANTINE), workers=workers)
    checkup.checked[QUARANTINE] = len(rejects)
    checkup.findings += _check_story(lake, snapshot, ledger)
    if is_whole:  # what is computed from damaged files would only say it again
        checkup.findings += check_places(lake, snapshot, workers=workers)
        checkup.checked[ROLLUP], damaged = check_rollups(lake, snapshot, workers=workers)
        checkup.findings += damaged
    deliveries = check_deliveries(lake, ledger, workers=workers)
    checkup.findings += deliveries.findings
    checkup.checked |= deliveries.checked
    checkup.gone = deliveries.gone
    garbage = find_garbage(lake, contents, since=_EPOCH, before=datetime.now(UTC), workers=workers)
    checkup.orphans = {place: len(paths) for place, paths in garbage.items()}


def _list_files(lake: Lake, snapshot: Snapshot) -> dict[str, Sequence[DataFile]]:
    """The files that make up the snapshot's two tables, with what the commits say of them."""
    master = lake.open_master(snapshot.version)
    return {
        MASTER_TABLE: snapshot.files,
        LEDGER_TABLE: list_part(master, lake.open_ledger()),
    }


def _check_story(lake: Lake, snapshot: Snapshot, ledger: pl.DataFrame) -> Iterator[Finding]:
    """Compares what the commits, the files and the ledger say."""
    master = lake.open_master(snapshot.version)
    commits = master.read_commits()[::-1]
    for place, refuse in (
        (MASTER_TABLE, master.refuse_foreign_commit),
        (LEDGER_TABLE, lambda: refuse_foreign_commit(lake.open_ledger())),
    ):
        try:
            refuse()
        except ChangedOutsideError as error:
            yield Finding(place, str(error))
    yield from check_commits(commits, rows=snapshot.rows, folder=MASTER_TABLE)
    yield from check_ledger(ledger, commits, folder=LEDGER_TABLE)
