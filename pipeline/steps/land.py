"""Puts files into landing/: recognised first, all of them, then copied under their own names."""

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.contracts import Contract, load_contracts
from pipeline.errors import BadFileError, ExistsError, UsageError
from pipeline.lake import LANDING, Lake
from pipeline.merge.delivery import MAX_AHEAD
from pipeline.merge.place import (
    RESERVED_SOURCES,
    format_delivered,
    is_bad_name,
    is_control_file,
    is_unfinished,
    parse_delivered,
    parse_period,
)
from pipeline.read.lay_out import lay_out
from pipeline.read.layout import Layout
from pipeline.settings import Settings
from pipeline.steps.context import Context, find_context


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person says of the files that are landed.

    Attributes:
        source: Whose files they are; by default what their contract says.
        account: Of which account, where the files do not say it.
        currency: In which currency, likewise.
        period: For which dates they speak, likewise: `2024-01-01..2024-01-31` or a day.
        delivered: ISO time of the delivery; by default now, so that it outranks what is there.
    """

    source: str | None = None
    account: str | None = None
    currency: str | None = None
    period: str | None = None
    delivered: str | None = None

    def check(self) -> None:
        """Refuses what can be no part of a path.

        Raises:
            UsageError: As said.
        """
        if self.source is not None and not _is_source(self.source):
            raise UsageError(f"--source is {self.source!r}; expected a plain name of your own")
        if self.account is not None and not _is_plain(self.account):
            raise UsageError(f"--account is {self.account!r}; expected a name without / or =")
        if self.currency is not None and not re.fullmatch("[A-Z]{3}", self.currency):
            raise UsageError(f"--currency is {self.currency!r}; expected a code such as EUR")
        if self.period is not None:
            try:
                parse_period(self.period)
            except BadFileError as error:
                raise UsageError(f"--period: {error}") from error

    def find_context(self, layout: Layout) -> Context:
        """What is known of a file beside its rows.

        Raises:
            UsageError: The file says itself what a person says of it.
            BadFileError: As for `context.find_context`.
        """
        for name in ("account", "currency"):
            if getattr(self, name) is not None and name in layout.positions:
                raise UsageError(f"the file says its {name} itself; leave --{name} out")
        period = parse_period(self.period) if self.period is not None else None
        return find_context(layout, account=self.account, currency=self.currency, period=period)

    def name_folder(self, contract: Contract) -> str:
        """The folder of a file in landing/, without its delivery."""
        said = {"account": self.account, "currency": self.currency, "period": self.period}
        parts = [f"{name}={value}" for name, value in said.items() if value is not None]
        return "/".join([LANDING, self.source or contract.source, *parts])


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
        UsageError: There is no such file, or one is of no contract; nothing has been landed then.
        ExistsError: The delivery holds another file of the name.
    """
    label = label or Label()
    label.check()
    files = _list_files(given)
    contracts = load_contracts(settings.contracts_dir)
    layouts = [(path, _recognise(path, contracts, label)) for path in files]
    folders = sorted({label.name_folder(layout.contract) for _, layout in layouts})
    moments = {folder: _choose_folder(lake, folder, label.delivered) for folder in folders}
    lake.initialise()
    landed: list[LandedFile] = []
    with lake.storage.scratch() as scratch:
        for path, layout in layouts:
            key = f"{moments[label.name_folder(layout.contract)]}/{path.name}"
            _copy(lake, path, key, scratch / "landing")
            lacks = _lacks_account(layout, label)
            landed.append(LandedFile(path, key, layout.contract.name, layout.why, lacks))
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
    return _is_plain(name) and not name.startswith(".") and name not in RESERVED_SOURCES


def _is_plain(name: str) -> bool:
    """Whether a name can be a folder's, or stand in one."""
    return bool(name) and name.isprintable() and not any(mark in name for mark in "/\\=")


def _is_data(path: Path) -> bool:
    hidden = path.name.startswith(".") or is_control_file(path.name)
    return path.is_file() and not hidden and not is_unfinished(path.name)


def _recognise(path: Path, contracts: Mapping[str, Contract], label: Label) -> Layout:
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
        label.find_context(layout)
    except BadFileError as error:
        raise UsageError(f"{path} cannot be landed ({error.rule}): {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    return layout


def _choose_folder(lake: Lake, folder: str, delivered: str | None) -> str:
    if delivered is not None:
        try:
            moment = parse_delivered(delivered)
        except BadFileError as error:
            raise UsageError(f"--delivered is {delivered!r}: {error}") from error
        if moment > datetime.now(UTC) + MAX_AHEAD:
            raise UsageError(f"--delivered is {delivered!r}, more than a day ahead of the clock")
        return f"{folder}/{format_delivered(moment)}"
    moment = datetime.now(UTC)
    while lake.storage.list(taken := f"{folder}/{format_delivered(moment)}"):
        moment += timedelta(microseconds=1)
    return taken


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
