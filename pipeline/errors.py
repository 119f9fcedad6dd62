"""Every error a person can meet, with the exit code it ends in.

    AdlakeError                  1  base; never raised itself
    ├── UsageError               2  an option or argument cannot be used; final
    ├── ContractError            2  a contract file is wrong; final
    ├── LakeError                1  the lake is not as it must be; final
    │   ├── EmptyLakeError       1  there is nothing to read yet
    │   ├── ChangedOutsideError  1  someone else committed to one of its tables
    │   └── FormatError          1  the lake was written by another adlake
    ├── CommitConflictError      1  another writer was faster; retried by the merge
    ├── BadFileError             1  a delivered file goes to quarantine whole; the run goes on
    ├── QualityError         1  a day's figures break a limit that stops the run
    ├── QueryError               2  a person's SQL cannot be run
    ├── ClusterError             1  a cluster cannot be reached, or lost a part too often
    └── StorageError             4  bytes cannot be listed, read or written
        ├── MissingError         4  no such file
        ├── ExistsError          4  a create-only write found the file there
        ├── ThrottledError       4  the store asked for fewer requests, to the end
        ├── DeniedError          4  the storage refused the right
        └── SetupError           4  credentials, bucket, region or clock are not right
            └── ExpiredError     4  the credentials were good once

`retryable` says whether the same call may succeed later without a person's help.
"""

from typing import ClassVar


class AdlakeError(Exception):
    """Base of all errors that adlake raises on purpose; its text is for the person who reads it."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False


class UsageError(AdlakeError):
    """An option, argument or setting cannot be used as given."""

    exit_code = 2


class ContractError(AdlakeError):
    """A contract file breaks the contract reference."""

    exit_code = 2


class LakeError(AdlakeError):
    """The lake is not in the state that the command needs."""


class EmptyLakeError(LakeError):
    """There is no master table or no such version of it."""


class ChangedOutsideError(LakeError):
    """The newest commit on the master or the ledger was not made by adlake."""


class FormatError(LakeError):
    """lake.json names a format that this version cannot write."""


class CommitConflictError(AdlakeError):
    """A commit was refused or its outcome is unknown: open the table again and decide."""

    retryable = True


class BadFileError(AdlakeError):
    """A delivered file cannot be read as its contract says.

    Attributes:
        rule: The reason's short name, as the quarantine lists it.
    """

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule

    def __reduce__(self) -> tuple[type["BadFileError"], tuple[str, str]]:
        return type(self), (self.rule, str(self))


class QualityError(AdlakeError):
    """A day's figures break a limit, and the run is to stop there."""


class QueryError(AdlakeError):
    """A SQL text is not one reading statement, or the engine refused it."""

    exit_code = 2


class ClusterError(AdlakeError):
    """The cluster cannot be reached or used, or it lost a part too often; it may be back."""

    retryable = True


class StorageError(AdlakeError):
    """The storage cannot list, read or write; it may be back in a minute."""

    exit_code = 4
    retryable = True


class MissingError(StorageError):
    """The file is not there."""

    retryable = False


class ExistsError(StorageError):
    """A create-only write found the file already there."""

    retryable = False


class DeniedError(StorageError):
    """The storage refused access."""

    retryable = False


class ThrottledError(StorageError):
    """The store asked for fewer requests, for as long as was tried."""


class SetupError(StorageError):
    """No request can succeed: credentials, bucket, region or clock are not as they must be."""

    retryable = False


class ExpiredError(SetupError):
    """The credentials were good once and could not be renewed."""
