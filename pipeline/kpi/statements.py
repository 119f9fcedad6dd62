"""Finds and reads the statements in sql/, one statement a file."""

from functools import cache
from pathlib import Path

from pipeline.errors import MissingError

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def find_sql_folder() -> Path:
    """The folder sql/: inside the package in a wheel, beside it in a checkout.

    Raises:
        MissingError: The installation lacks it.
    """
    for folder in (_PACKAGE / "sql", _PACKAGE.parent / "sql"):
        if folder.is_dir():
            return folder
    raise MissingError(f"{_PACKAGE / 'sql'}: there is no such folder; install adlake again")


@cache
def read_statement(name: str) -> str:
    """The text of a statement.

    Args:
        name: Its place below sql/ without the suffix, such as `kpi/platform`.
    """
    return (find_sql_folder() / f"{name}.sql").read_text(encoding="utf-8")


def list_statements(folder: str) -> tuple[str, ...]:
    """The names of the statements in a folder of sql/, sorted."""
    return tuple(sorted(file.stem for file in (find_sql_folder() / folder).glob("*.sql")))
