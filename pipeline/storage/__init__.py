"""The bytes of a lake, behind one interface.

base       the interface: listing, reading, and three kinds of atomic write
local      a folder of this machine
s3         a bucket, of AWS or of any store that speaks S3 and knows conditional writes
temporary  the folder for temporary files, whose errors are no store's
"""

from pathlib import Path

from pipeline.errors import UsageError
from pipeline.storage.base import Entry, Probe, SqlAccess, Storage
from pipeline.storage.local import LocalStorage

__all__ = ["Entry", "LocalStorage", "Probe", "SqlAccess", "Storage", "open_storage"]

_LAKE_FILE = "lake.json"
_NOT_IN_A_ROOT = "?#%\\"
"""Delta's library takes a table's root for a URL, in which these mean something else."""


def open_storage(uri: str) -> Storage:
    """Opens the storage behind a lake's URI.

    Raises:
        UsageError: The scheme is not one that adlake reads, the path is no good for a table, is a
            file, a link to nothing or lies in a lake, or the settings of AWS cannot be used.
        SetupError: It is a bucket, and there are no credentials.
    """
    scheme, separator, path = uri.partition("://")
    if separator and scheme == "s3":
        from pipeline.storage.s3 import S3Storage  # noqa: PLC0415 - takes half a second

        return S3Storage(uri)
    if uri.startswith("s3:") and not separator:
        raise UsageError(f"the lake {uri!r} is no bucket's; expected s3://bucket/prefix")
    if separator and scheme != "file":
        raise UsageError(
            f"the lake {uri!r} is of the kind {scheme!r}; expected a local path or "
            f"s3://bucket/prefix"
        )
    storage = LocalStorage(Path(path if separator else uri))
    if found := [mark for mark in storage.uri if mark in _NOT_IN_A_ROOT or not mark.isprintable()]:
        raise UsageError(f"the lake's path {storage.uri!r} holds {found[0]!r}; choose another")
    root = Path(storage.uri)
    if root.is_file():
        raise UsageError(f"the lake {uri} is a file; name the folder of a lake, or a new one")
    if root.is_symlink() and not root.exists():
        raise UsageError(
            f"the lake {uri} is a link to {root.readlink()}, and nothing is there: is a disk not "
            f"mounted? Else make that folder, or name another"
        )
    around = [folder for folder in root.parents if (folder / _LAKE_FILE).is_file()]
    # One that is a lake itself is meant, even where somebody made another around it.
    if around and not (root / _LAKE_FILE).is_file():
        raise UsageError(f"{uri} lies in the lake {around[0]}; name the lake itself")
    return storage
