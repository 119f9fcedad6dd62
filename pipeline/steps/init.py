"""Begins a project: a settings file, a folder of contracts with an example, and the DAGs."""

import shlex
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.errors import MissingError, StorageError, UsageError
from pipeline.lake import FORMAT_FILE
from pipeline.settings import DEFAULT_LAKE
from pipeline.storage import open_storage

SETTINGS_FILE: Final = "adlake.env"

_PACKAGE: Final = Path(__file__).resolve().parents[1]

_SETTINGS: Final = """\
# The settings of adlake in this project. Take them into your shell with:  . ./{file}
# A line that begins with # is off. The README describes them under "Settings".

# The lake's root: a folder of this machine, or s3://bucket/prefix.
export ADLAKE_URI={lake}

# A bucket takes the standard AWS variables, profiles and roles. Keep secrets out of this file.
# export AWS_PROFILE=marketing
# export AWS_REGION=eu-west-1
# export AWS_ENDPOINT_URL=https://store.example    # a store that is not AWS

# Your own contracts, beside the shipped ones; `adlake contract list` lists them all.
export ADLAKE_CONTRACTS={contracts}

# How many parts are worked on at once [default: the processors this process may use].
# export ADLAKE_WORKERS=2

# How many seconds nobody may have written to a new file before it is taken [default: 2].
# export ADLAKE_QUIET=2

# A Dask cluster that works on the parts: tcp://host:port of its scheduler, or local:N processes.
# export ADLAKE_CLUSTER=tcp://127.0.0.1:8786
"""


class Begun(NamedTuple):
    """What became of one file of a new project.

    Attributes:
        path: Where it lies.
        written: Whether it is new; else it was there, and is as it was.
        purpose: What it is for, in some words.
    """

    path: Path
    written: bool
    purpose: str


def init(folder: Path, *, lake_uri: str) -> list[Begun]:
    """Writes the files of a new project; those that are there already stay as they are.

    Args:
        folder: Of the project; made where it is missing.
        lake_uri: The lake's root for the settings file; the default one is `lake` in the folder.

    Raises:
        UsageError: The folder is a file or a lake, or its name is no good for a lake in it.
        MissingError: The installation lacks the DAGs.
        StorageError: A file cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the project")
    if (folder / FORMAT_FILE).exists():
        raise UsageError(f"{folder} is a lake; name a folder for the project beside it")
    root = folder.resolve()
    uri = _make_absolute(lake_uri, root)
    if "://" not in uri:
        open_storage(uri)  # refuses a path that no lake may have, before anything is written
    settings = _SETTINGS.format(
        file=SETTINGS_FILE,
        lake=shlex.quote(uri),
        contracts=shlex.quote(str(root / "contracts")),
    )
    example = resources.files("pipeline.contracts") / "examples" / "example.toml"
    begun = [
        _begin(folder / SETTINGS_FILE, settings, "the settings"),
        _begin(
            folder / "contracts/example.toml", example.read_text("utf-8"), "a contract to change"
        ),
    ]
    for dag in sorted(_find_dags().glob("*.py")):
        text = dag.read_text("utf-8")
        begun.append(_begin(folder / "dags" / dag.name, text, "a DAG for Airflow"))
    return begun


def _make_absolute(lake_uri: str, root: Path) -> str:
    """The same root from wherever a command is started."""
    if "://" in lake_uri:
        return lake_uri
    return str(root / "lake" if lake_uri == DEFAULT_LAKE else Path(lake_uri).resolve())


def _find_dags() -> Path:
    """The folder dags/: inside the package in a wheel, beside it in a checkout."""
    for folder in (_PACKAGE / "dags", _PACKAGE.parent / "dags"):
        if folder.is_dir():
            return folder
    raise MissingError(f"{_PACKAGE / 'dags'}: there is no such folder; install adlake again")


def _begin(path: Path, text: str, purpose: str) -> Begun:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Begun(path, written=_write_new(path, text), purpose=purpose)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def _write_new(path: Path, text: str) -> bool:
    """Writes a file where there is none; whether it did."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    with file:
        try:
            file.write(text)
            file.flush()
        except OSError:
            path.unlink()  # on a full disk: the next attempt would keep half a file as a person's
            raise
    return True
