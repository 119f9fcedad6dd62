"""Puts files into landing/: recognised first, all of them, then copied under their own names."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from pipeline.contracts import Contract, load_contracts
from pipeline.errors import BadFileError, EmptyLakeError, ExistsError, UsageError
from pipeline.lake import Lake
from pipeline.merge.delivery import pick_judged
from pipeline.merge.place import (
    format_delivered,
    is_bad_name,
    is_control_file,
    is_lock,
    is_unfinished,
    read_labels,
    read_place,
)
from pipeline.read.lay_out import lay_out
from pipeline.read.layout import Layout
from pipeline.settings import Settings
from pipeline.steps.label import Label, advise_contract
from pipeline.steps.ledger import read_ledger

_MAX_PART_BYTES = 255
"""Of a folder or file name: more no common file system takes."""


@dataclass(frozen=True, slots=True)
class LandedFile:
    """A file that lies in landing/ now.

    Attributes:
        given: As the person named it.
        path: Its key in the lake.
        contract: The contract that its header is of.
        why: How it was recognised.
        lacks_account: Whether nobody says which account it is of, though it matters.
    """

    given: Path
    path: str
    contract: str
    why: str
    lacks_account: bool


def land(
    lake: Lake, given: Sequence[Path], *, settings: Settings, label: Label | None = None
) -> list[LandedFile]:
    """Lands files as one delivery a source; the next merge takes them in.

    Args:
        lake: The lake; made where there is none.
        given: Files, or folders whose files are meant.
        settings: Where further contracts are.
        label: What a person says of them.

    Raises:
        UsageError: There is no such file, or one is of no contract, or was withdrawn from this
            very delivery; nothing has been landed then.
        ExistsError: The delivery holds another file of the name; likewise.
    """
    label = label or Label()
    label.check()
    delivered = label.read_delivered()
    files = _list_files(given)
    contracts = load_contracts(settings.contracts_dir)
    others = len(files) - 1
    layouts = [(path, _recognise(path, contracts, label, settings, others)) for path in files]
    folders = sorted({label.name_folder(layout.contract) for _, layout in layouts})
    moments = {folder: _choose_folder(lake, folder, delivered) for folder in folders}
    keys = [
        f"{moments[label.name_folder(layout.contract)]}/{path.name}" for path, layout in layouts
    ]
    for path, key in zip(files, keys, strict=True):
        _refuse_key(lake, path, key)
    if delivered is not None:
        _refuse_withdrawn(lake, files, keys)
    lake.initialise()
    landed: list[LandedFile] = []
    with lake.storage.scratch() as scratch:
        for (path, layout), key in zip(layouts, keys, strict=True):
            _copy(lake, path, key, scratch / "landing")
            lacks = _lacks_account(layout, label)
            landed.append(LandedFile(path, key, layout.contract.name, layout.why, lacks))
    lake.storage.persist(keys)  # whoever gave the files may delete them now
    return landed


def _lacks_account(layout: Layout, label: Label) -> bool:
    """Whether files of two accounts would replace each other."""
    contract = layout.contract
    known = label.account or "account" in layout.positions or contract.constants.get("account")
    return contract.mode == "replace_window" and not known


def _list_files(given: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = [child for child in sorted(path.iterdir()) if _is_data(child)]
            if not inside:
                raise UsageError(f"{path} holds no file to land")
            files += inside
        elif path.is_file() and is_lock(path.name):
            raise UsageError(
                f"{path} is the mark of a spreadsheet program that has a file open: close the file "
                f"there, and land the file itself"
            )
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


def _is_data(path: Path) -> bool:
    hidden = path.name.startswith(".") or is_control_file(path.name)
    return path.is_file() and not hidden and not is_unfinished(path.name)


def _recognise(
    path: Path, contracts: Mapping[str, Contract], label: Label, settings: Settings, others: int
) -> Layout:
    """How a file is laid out; all that a merge needs to know of it is known then."""
    try:
        with tempfile.TemporaryDirectory(prefix="adlake-") as scratch:
            layout, _ = lay_out(
                path,
                contracts.values(),
                source=label.source,
                scratch=Path(scratch),
                name=path.name,
            )
        label.find_context(path, layout)
    except BadFileError as error:
        advice = advise_contract(path, error, settings)
        if others:
            advice += (
                f"; the others ({others}) were not landed either: move away what is none to land"
            )
        raise UsageError(f"{path} cannot be landed ({error.rule}): {error}{advice}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    return layout


def _choose_folder(lake: Lake, folder: str, delivered: datetime | None) -> str:
    if delivered is not None:
        return f"{folder}/{format_delivered(delivered)}"
    moment = datetime.now(UTC)
    while lake.storage.list(taken := f"{folder}/{format_delivered(moment)}"):
        moment += timedelta(microseconds=1)
    return taken


def _refuse_key(lake: Lake, path: Path, key: str) -> None:
    """Refuses a place before anything is copied: too long a name, or one that is taken.

    Raises:
        UsageError: No merge would open a file of this name.
        ExistsError: Another file is there.
    """
    parts = (len(part.encode()) for part in key.split("/"))
    if is_bad_name(key) or max(parts) > _MAX_PART_BYTES:
        raise UsageError(
            f"{path} would land under a name of {len(key)} characters; choose a shorter --source, "
            f"--account or file name"
        )
    try:
        taken = lake.storage.find(key) is not None and not _same(lake, key, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if taken:
        raise _make_conflict(path, key)


def _refuse_withdrawn(lake: Lake, files: Sequence[Path], keys: Sequence[str]) -> None:
    """Refuses files that were withdrawn from the very delivery: no merge would look at them.

    Raises:
        UsageError: As said.
    """
    try:
        snapshot = lake.take_snapshot()
    except EmptyLakeError:
        return
    judged = pick_judged(read_ledger(lake, snapshot.ledger))
    withdrawn, merged = (_list_known(judged.filter(outcome=one)) for one in ("withdrawn", "merged"))
    for path, key in zip(files, keys, strict=True):
        place = read_place(key)
        identity = (place.source, place.delivered, _hash(path), read_labels(key))
        if identity in withdrawn.keys() - merged.keys():
            raise UsageError(
                f"{path} was withdrawn from this very delivery ({withdrawn[identity]}), and stays "
                f"so; to bring it back, land it with a later --delivered, or without one"
            )


def _list_known(judged: pl.DataFrame) -> dict[tuple[object, ...], str]:
    """The paths of files by what a merge knows them by.

    The same bytes that are said to be of another account, currency or period are another file.
    """
    names = ["source", "delivery_id", "sha256", "path"]
    return {
        (*known, read_labels(path)): path
        for *known, path in judged.select(names).sort("path").iter_rows()
    }


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_conflict(path: Path, key: str) -> ExistsError:
    return ExistsError(
        f"{key} is there already with other content; "
        f"land {path} with another --delivered, or rename it"
    )


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
        raise _make_conflict(path, key) from error


def _same(lake: Lake, key: str, local: Path) -> bool:
    return local.read_bytes() == lake.storage.read(key)
