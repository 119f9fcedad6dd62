"""Puts files into landing/: recognised first, all of them, then copied under their own names."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.contracts import Contract, load_contracts
from pipeline.errors import BadFileError, ExistsError, UsageError
from pipeline.lake import LANDING, Lake
from pipeline.merge.delivery import (
    MAX_AHEAD,
    RESERVED_SOURCES,
    format_delivered,
    is_bad_name,
    is_unfinished,
    parse_delivered,
)
from pipeline.read.recognise import recognise
from pipeline.read.text import read_head
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class LandedFile:
    """A file that lies in landing/ now.

    Attributes:
        given: As the person named it.
        path: Its key in the lake.
        contract: The contract that its header is of.
    """

    given: Path
    path: str
    contract: str


def land(
    lake: Lake,
    given: Sequence[Path],
    *,
    settings: Settings,
    source: str | None = None,
    delivered: str | None = None,
) -> list[LandedFile]:
    """Lands files as one delivery a source; the next merge takes them in.

    Args:
        lake: The lake; made where there is none.
        given: Files, or folders whose files are meant.
        settings: Where further contracts are.
        source: Whose files they are; by default what their contract says.
        delivered: ISO time of the delivery; by default now, so that it outranks what is there.

    Raises:
        UsageError: There is no such file, or one is of no contract; nothing has been landed then.
        ExistsError: The delivery holds another file of the name.
    """
    if source is not None and not _is_source(source):
        raise UsageError(f"--source is {source!r}; expected a plain name of your own")
    files = _list_files(given)
    contracts = load_contracts(settings.contracts_dir)
    recognised = [(path, _recognise(path, contracts)) for path in files]
    folders = {
        name: _choose_folder(lake, name, delivered)
        for name in sorted({source or contract.source for _, contract in recognised})
    }
    lake.initialise()
    landed: list[LandedFile] = []
    with lake.storage.scratch() as scratch:
        for path, contract in recognised:
            key = f"{folders[source or contract.source]}/{path.name}"
            _copy(lake, path, key, scratch / "landing")
            landed.append(LandedFile(path, key, contract.name))
    return landed


def _list_files(given: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = [child for child in sorted(path.iterdir()) if _is_data(child)]
            if not inside:
                raise UsageError(f"{path} holds no file to land")
            files += inside
        elif path.is_file() and not _is_data(path):
            raise UsageError(f"{path} has the name of a hidden or unfinished file; rename it")
        elif path.is_file():
            files.append(path)
        else:
            raise UsageError(f"{path}: there is no such file")
    seen: dict[str, Path] = {}
    for path in files:
        if path.name in seen:
            raise UsageError(
                f"{seen[path.name]} and {path} have the same name; land them one after the other"
            )
        if is_bad_name(path.name):
            raise UsageError(f"{path.name!r} is a name with control characters; rename the file")
        seen[path.name] = path
    return files


def _is_source(name: str) -> bool:
    plain = name.isprintable() and not any(mark in name for mark in "/\\=")
    return plain and bool(name) and not name.startswith(".") and name not in RESERVED_SOURCES


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and not is_unfinished(path.name)


def _recognise(path: Path, contracts: Mapping[str, Contract]) -> Contract:
    try:
        return recognise(read_head(path), contracts.values())
    except BadFileError as error:
        raise UsageError(f"{path} cannot be landed ({error.rule}): {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _choose_folder(lake: Lake, source: str, delivered: str | None) -> str:
    if delivered is not None:
        try:
            moment = parse_delivered(delivered)
        except BadFileError as error:
            raise UsageError(f"--delivered is {delivered!r}: {error}") from error
        if moment > datetime.now(UTC) + MAX_AHEAD:
            raise UsageError(f"--delivered is {delivered!r}, more than a day ahead of the clock")
        return f"{LANDING}/{source}/{format_delivered(moment)}"
    moment = datetime.now(UTC)
    while lake.storage.list(folder := f"{LANDING}/{source}/{format_delivered(moment)}"):
        moment += timedelta(microseconds=1)
    return folder


def _copy(lake: Lake, path: Path, key: str, scratch: Path) -> None:
    try:
        shutil.copyfile(path, scratch)
    except OSError as error:
        raise UsageError(f"{path} cannot be copied: {error.strerror}") from error
    same = lake.storage.find(key) is not None and _same(lake, key, scratch)
    if same:
        return
    try:
        lake.storage.adopt(key, scratch)
    except ExistsError as error:
        raise ExistsError(
            f"{key} is there already with other content; "
            f"land {path} with another --delivered, or rename it"
        ) from error


def _same(lake: Lake, key: str, local: Path) -> bool:
    return local.read_bytes() == lake.storage.read(key)
