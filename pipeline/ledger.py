"""How the ledger follows the master: which of its files tell what became of delivered files.

Each commit on the master names a ledger file; the ledger table takes it in afterwards. So the
ledger is read together with the master's log, which alone decides: up to the master's transaction,
and with the files that its commits name and that the ledger lacks still. Every file that is read is
a request, so from time to time the ledger's files are joined; rows say by their `n` which
transaction they are of, and names of files say nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.delta.log import Commit, DataFile, name_entry
from pipeline.delta.table import Table
from pipeline.errors import ChangedOutsideError, CommitConflictError

FILES_AT_MOST = 4
"""A merge that finds so many files in the ledger joins them."""


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """What the ledger says up to a transaction.

    Attributes:
        uris: Full names of files.
        last: The transaction; rows of later ones do not count.
    """

    uris: tuple[str, ...] = ()
    last: int = 0


def pick_part(master: Table, ledger: Table) -> LedgerPart:
    """What the ledger says up to the master's transaction.

    A merge that was stopped right after its commit has written its ledger file but not yet added it
    to the ledger table; the commit names it, so a reader adds it.

    Args:
        master: The master.
        ledger: On a handle that was opened after it.
    """
    files = list_part(master, ledger)
    return LedgerPart(tuple(ledger.locate(files)), master.transaction)


def list_part(master: Table, ledger: Table) -> list[DataFile]:
    """The files of `pick_part`."""
    unlisted = find_unlisted(master, after=ledger.transaction)
    return [*ledger.list_files(), *map(describe_ledger_file, unlisted)]


def find_unlisted(master: Table, *, after: int) -> list[Commit]:
    """Our commits on the master after a transaction, oldest first: each names a ledger file."""
    unlisted: list[Commit] = []
    if after >= master.transaction:
        return unlisted  # the handle is older than the ledger
    for commit in master.walk_commits():
        n = commit.metadata.get("n")
        if n is not None and n <= after:
            break
        if n is not None:  # else it is a vacuum's or another's
            unlisted.append(commit)
    return unlisted[::-1]


def describe_ledger_file(commit: Commit) -> DataFile:
    """The ledger file that a commit on the master names."""
    named = commit.metadata["ledger"]
    return DataFile(path=named["path"], size=named["size"], rows=named["rows"], partition={})


def append(
    master: Table,
    ledger: Table,
    file: DataFile,
    *,
    number: int,
    version: int,
    joins: Sequence[DataFile] = (),
) -> None:
    """Appends to the ledger what a commit on the master decided.

    What the ledger holds is on the disk before it holds it: a power cut leaves either no trace of a
    commit or all of it.

    Args:
        master: On any handle.
        ledger: On a handle that holds all before the commit.
        file: The ledger file that the commit names, or one that also has the rows of others.
        number: Of the commit.
        version: Delta version of the master that it made.
        joins: The files whose rows the new one has as well.

    Raises:
        CommitConflictError, StorageError: As `Table.commit`.
    """
    master.storage.persist([f"{master.folder}/{name_entry(version)}"])
    ledger.commit(adds=[file], removes=joins, transaction=number, metadata={"n": number})


def refuse_foreign_commit(ledger: Table) -> None:
    """Stops where someone else made the newest change of the ledger, which nothing can make anew.

    Raises:
        ChangedOutsideError: As said.
    """
    newest = ledger.find_foreign_commit()
    if newest is not None:
        raise ChangedOutsideError(
            f"{ledger.uri} was changed outside adlake at version {newest.version} by "
            f"{newest.operation}, and it alone says what was merged, withdrawn and let pass: move "
            f"its {name_entry(newest.version)} away, which undoes the change, or restore "
            f"the folder from a backup; then run adlake fsck, which says whether all is there"
        )


def catch_up(master: Table, open_ledger: Callable[[], Table]) -> Table:
    """Appends to the ledger what the master's commits name and it does not hold yet.

    A merge appends its own ledger file right after its commit; one that was stopped between the two
    leaves it to the next writing command. Two that do it at once are no harm: the slower one is
    refused and looks again.

    Returns:
        The ledger on a handle that holds what the master's commits name.

    Raises:
        ChangedOutsideError: Someone else made the ledger's newest change.
    """
    while True:
        ledger = open_ledger()
        refuse_foreign_commit(ledger)
        missing = find_unlisted(master, after=ledger.transaction)
        if not missing:
            return ledger
        number, file = missing[0].metadata["n"], describe_ledger_file(missing[0])
        try:
            append(master, ledger, file, number=number, version=missing[0].version)
        except CommitConflictError:
            if open_ledger().transaction < number:
                raise  # nobody was faster: the ledger cannot be written
