"""What a person says of files that do not say it themselves, when landing or checking them."""

import re
import shlex
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import available_timezones

from pipeline.contracts import Contract
from pipeline.errors import BadFileError, UsageError
from pipeline.lake import LANDING
from pipeline.merge.delivery import MAX_AHEAD
from pipeline.merge.place import RESERVED_SOURCES, ZONE_MARK, parse_delivered, parse_period
from pipeline.read.layout import Layout
from pipeline.read.open import open_delivery
from pipeline.read.sample import take_sample
from pipeline.settings import Settings
from pipeline.steps.context import Context, find_context
from pipeline.zones import is_zone, may_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person says of the files that are landed.

    Attributes:
        source: Whose files they are; by default what their contract says.
        account: Of which account, where the files do not say it.
        currency: In which currency, likewise.
        period: For which dates they speak, likewise: `2024-01-01..2024-01-31` or a day.
        time_zone: In which zone their days are meant, likewise: an IANA name.
        delivered: ISO time of the delivery; by default now, so that it outranks what is there.
    """

    source: str | None = None
    account: str | None = None
    currency: str | None = None
    period: str | None = None
    time_zone: str | None = None
    delivered: str | None = None

    def check(self) -> None:
        """Refuses what can be no part of a path.

        Raises:
            UsageError: As said.
        """
        if self.source is not None and not is_source(self.source):
            raise UsageError(f"--source is {self.source!r}; expected a plain name of your own")
        if self.account is not None and not _is_plain(self.account):
            raise UsageError(
                f"--account is {self.account!r}; expected a name without / or = or outer blanks"
            )
        if self.currency is not None and not re.fullmatch("[A-Z]{3}", self.currency):
            raise UsageError(f"--currency is {self.currency!r}; expected a code such as EUR")
        if self.period is not None:
            _check_period(self.period)
        if self.time_zone is not None:
            _check_zone(self.time_zone)

    def read_delivered(self) -> datetime | None:
        """The time of the delivery, UTC; None where nobody says it.

        Raises:
            UsageError: It is none, or more than a day ahead of the clock.
        """
        if self.delivered is None:
            return None
        try:
            moment = parse_delivered(self.delivered)
        except BadFileError as error:
            raise UsageError(f"--delivered is {self.delivered!r}: {error}") from error
        if moment > datetime.now(UTC) + MAX_AHEAD:
            raise UsageError(
                f"--delivered is {self.delivered!r}, more than a day ahead of the clock"
            )
        return moment

    def find_context(self, path: Path, layout: Layout) -> Context:
        """What is known of a file beside its rows.

        Args:
            path: The file, for messages.
            layout: How it lies before us.

        Raises:
            UsageError: The file says itself what a person says of it.
            BadFileError: As for `context.find_context`.
        """
        for name in ("account", "currency"):
            if getattr(self, name) is not None and name in layout.positions:
                raise UsageError(f"{path} says its {name} itself; leave --{name} out")
        if self.currency is not None and layout.currency not in {None, self.currency}:
            raise UsageError(
                f"{path} says in its header that it is in {layout.currency}, and --currency is "
                f"{self.currency!r}"
            )
        period = parse_period(self.period) if self.period is not None else None
        if layout.period is not None and period not in {None, layout.period}:
            first, last = layout.period
            raise UsageError(
                f"{path} says that it is of {first} to {last}, and --period is {self.period!r}"
            )
        words, names = layout.time_zone, layout.contract.preamble.zones
        if self.time_zone and words and not may_mean(words, self.time_zone, names):
            raise UsageError(
                f"{path} says itself that its days are meant in {words}, and --time-zone is "
                f"{self.time_zone!r}; leave it out"
            )
        return find_context(
            layout,
            account=self.account,
            currency=self.currency,
            period=period,
            time_zone=self.time_zone,
        )

    def name_folder(self, contract: Contract) -> str:
        """The folder of a file in landing/, without its delivery."""
        zone = self.time_zone and self.time_zone.replace("/", ZONE_MARK)
        said = {
            "account": self.account,
            "currency": self.currency,
            "period": self.period,
            "timezone": zone,
        }
        parts = [f"{name}={value}" for name, value in said.items() if value is not None]
        return "/".join([LANDING, self.source or contract.source, *parts])


def is_source(name: str) -> bool:
    """Whether a source of one's own, or a contract and its file, may have a name."""
    return _is_plain(name) and not name.startswith(".") and name not in RESERVED_SOURCES


def _is_plain(name: str) -> bool:
    """Whether a name can be a folder's, or stand in one."""
    clean = name.isprintable() and name == name.strip()
    return bool(name) and clean and not any(mark in name for mark in "/\\=")


def _check_period(text: str) -> None:
    try:
        first, last = parse_period(text)
    except BadFileError as error:
        raise UsageError(f"--period: {error}") from error
    expected = {f"{first}..{last}", *([f"{first}"] if first == last else [])}
    if text not in expected:  # Python reads other ISO forms as well
        raise UsageError(f"--period is {text!r}; expected {min(expected, key=len)}")


def _check_zone(name: str) -> None:
    if not is_zone(name):
        like = get_close_matches(name, sorted(available_timezones()), n=1) or ["Europe/Madrid"]
        raise UsageError(f"--time-zone is {name!r}; expected an IANA name such as {like[0]}")


def advise_contract(path: Path, error: BadFileError, settings: Settings) -> str:
    """What to do about a file that no contract fits, to stand behind the error."""
    if error.rule != "header_mismatch" or not _can_be_drafted(path):
        return ""
    own = "" if settings.contracts_dir else "ADLAKE_CONTRACTS names no contracts of your own, and "
    return f"; {own}`adlake contract new {shlex.quote(str(path))}` drafts a contract for it"


def _can_be_drafted(path: Path) -> bool:
    """Whether `adlake contract new` can read the file: text with a header, gzipped or not."""
    try:
        with tempfile.TemporaryDirectory(prefix="adlake-") as folder:
            opened = open_delivery(path, Path(folder))
            if opened.format != "parquet":
                take_sample(opened.path)
            return opened.format != "parquet"
    except BadFileError:
        return False
