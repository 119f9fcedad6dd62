"""Moves a lake of an older format to the one that this adlake writes, one step at a time."""

from collections.abc import Callable, Mapping
from typing import Final

from pipeline.errors import EmptyLakeError
from pipeline.lake import FORMAT_VERSION, Lake

STEPS: Final[Mapping[int, Callable[[Lake], None]]] = {}
"""For each format but the newest, what moves a lake of it to the next; it may be run twice."""


def upgrade(lake: Lake, *, steps: Mapping[int, Callable[[Lake], None]] = STEPS) -> tuple[int, int]:
    """Takes the steps from the lake's format to the newest; each is noted when it is done.

    Args:
        lake: The lake.
        steps: By the format from which each one leads to the next.

    Returns:
        The format before and the one now; the same where there was nothing to do.

    Raises:
        EmptyLakeError: There is no lake.
        FormatError: The lake is newer than this adlake, or from before the first release.
        LakeError: lake.json cannot be read, or is gone.
    """
    if not lake.exists():
        lake.check_format()  # which tells a lake that lost lake.json from none
        raise EmptyLakeError(f"{lake.uri} holds no lake")
    before = lake.read_format()
    for number in range(before, FORMAT_VERSION):
        steps[number](lake)
        lake.write_format(number + 1)
    return before, FORMAT_VERSION
