"""What a check finds wrong."""

from typing import NamedTuple


class Finding(NamedTuple):
    """Something that is not as adlake left it.

    Attributes:
        path: Of the file it is about, below the lake's root.
        detail: What is wrong with it: what was found, and what was expected.
    """

    path: str
    detail: str
