"""What the environment decides, read once at the start of a command."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.errors import UsageError

PREFIX = "ADLAKE_"
NAMES = ("ADLAKE_URI", "ADLAKE_WORKERS", "ADLAKE_QUIET", "ADLAKE_CONTRACTS", "ADLAKE_CLUSTER")
DEFAULT_LAKE = "./lake"
MOST_WORKERS = 256
DEFAULT_QUIET = 2
LONGEST_QUIET = 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one command.

    Attributes:
        lake_uri: Root of the lake, a local path or `s3://bucket/prefix` (`ADLAKE_URI`).
        workers: How many parts are worked on at once, at least 1 (`ADLAKE_WORKERS`, by default
            the processors this process may use).
        quiet_seconds: How long nobody may have written to a new file in a folder before it is
            taken; 0: it is taken as it is (`ADLAKE_QUIET`).
        contracts_dir: A folder of contracts beside the shipped ones (`ADLAKE_CONTRACTS`).
        cluster: A Dask cluster that works on parts, `tcp://host:port` or `local:N`; None: this
            machine does (`ADLAKE_CLUSTER`).
    """

    lake_uri: str = DEFAULT_LAKE
    workers: int = 1
    quiet_seconds: float = 0
    contracts_dir: Path | None = None
    cluster: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Reads the `ADLAKE_*` variables.

        Raises:
            UsageError: A variable has a value that cannot be used, or a name that is no setting's.
        """
        _refuse_unknown(environ)
        contracts = environ.get("ADLAKE_CONTRACTS")
        return cls(
            lake_uri=environ.get("ADLAKE_URI") or DEFAULT_LAKE,
            workers=_read_workers(environ.get("ADLAKE_WORKERS")),
            quiet_seconds=_read_quiet(environ.get("ADLAKE_QUIET")),
            contracts_dir=Path(contracts) if contracts else None,
            cluster=environ.get("ADLAKE_CLUSTER") or None,
        )


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    """Refuses a misspelt setting, which would mean the default; a value may be a secret."""
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in NAMES)
    if unknown:
        near = difflib.get_close_matches(unknown[0], NAMES, n=1, cutoff=0.8)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(
            f"{unknown[0]} is no setting of adlake{hint}; expected one of {', '.join(NAMES)}: "
            f"unset or rename it"
        )


def _read_workers(text: str | None) -> int:
    if not text:
        return _usable_processors()
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_WORKERS:
        raise UsageError(
            f"ADLAKE_WORKERS is {text!r}; expected a whole number from 1 to {MOST_WORKERS}"
        )
    return int(text)


def _read_quiet(text: str | None) -> float:
    if not text:
        return DEFAULT_QUIET
    if not text.isascii() or not text.isdigit() or int(text[:9]) > LONGEST_QUIET:
        raise UsageError(
            f"ADLAKE_QUIET is {text!r}; expected a whole number from 0 to {LONGEST_QUIET}"
        )
    return int(text)


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
