"""How much memory this process may use, as far as Linux' control groups say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.errors import LakeError

LEAST_BYTES: Final = 320 * 1024 * 1024
"""What a merge needs: its libraries take half of it, and the rest is for a few rows."""

_GROUPS: Final = Path("/proc/self/cgroup")
_MOUNTS: Final = Path("/sys/fs/cgroup")


def refuse_too_little(groups: Path = _GROUPS, mounts: Path = _MOUNTS) -> None:
    """Refuses to begin where the kernel would kill the process, which could then say nothing.

    Args:
        groups: What groups the process is in, as proc(5) describes it.
        mounts: Where the groups are mounted.

    Raises:
        LakeError: The process may use less than `LEAST_BYTES`.
    """
    limit = find_limit(groups, mounts)
    if limit is not None and limit < LEAST_BYTES:
        raise LakeError(
            f"this process may use {limit >> 20:,} MB of memory; expected at least "
            f"{LEAST_BYTES >> 20:,} MB: raise the limit of its container or control group"
        )


def find_limit(groups: Path = _GROUPS, mounts: Path = _MOUNTS) -> int | None:
    """Bytes that this process and its children may use together; None where nothing limits them."""
    try:
        lines = groups.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None  # another system than Linux
    return min(
        (limit for line in lines for limit in _list_limits(line, mounts)),
        default=None,
    )


def _list_limits(line: str, mounts: Path) -> Iterator[int]:
    """The limits of a group and of those that hold it."""
    match line.split(":", 2):
        case [_, "", path]:
            root, name = mounts, "memory.max"
        case [_, controllers, path] if "memory" in controllers.split(","):
            root, name = mounts / "memory", "memory.limit_in_bytes"
        case _:
            return
    group = root / path.lstrip("/")
    for folder in (group, *group.parents):
        if not folder.is_relative_to(root):
            return
        try:
            text = (folder / name).read_text().strip()
        except OSError:
            continue  # the root has no limit, and a container does not see whose it is
        if text.isdecimal():  # no limit is another word, or a number above all memory
            yield int(text)
