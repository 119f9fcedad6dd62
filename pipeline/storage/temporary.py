"""The folder for temporary files: its errors are this machine's, and no store is to blame."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import StorageError


def describe_folder(folder: Path) -> str:
    """A folder's name; of the one for temporary files also the variable that chooses it."""
    return f"{folder} (TMPDIR)" if str(folder) == tempfile.tempdir else str(folder)


@contextlib.contextmanager
def told_as_temporary() -> Iterator[None]:
    """Says of an error of the disk that it is one, and in which folder.

    Raises:
        StorageError: As said.
    """
    try:
        yield
    except (ConnectionError, TimeoutError):
        raise
    except OSError as error:
        folder = tempfile.tempdir or os.environ.get("TMPDIR", "")
        raise StorageError(
            f"the folder for temporary files {folder} (TMPDIR): {error.strerror or error}; make "
            f"room there, or let TMPDIR name another"
        ) from error
