"""What `adlake --version` tells: all that decides how a lake is read and written."""

import platform
from importlib import metadata
from typing import Final

from pipeline import __version__

DELTA_PROTOCOL: Final = (1, 2)
"""What a reader and a writer of the tables has to know, as their logs say."""

_ENGINES: Final = ("deltalake", "duckdb", "polars", "pyarrow")


def describe_versions() -> str:
    """The versions of adlake, the lakes that it makes, and the engines, in lines."""
    from pipeline.lake import FORMAT_VERSION

    reader, writer = DELTA_PROTOCOL
    engines = ", ".join(f"{name} {metadata.version(name)}" for name in _ENGINES)
    return (
        f"adlake {__version__}\n"
        f"lake format {FORMAT_VERSION}, Delta protocol {reader} to read and {writer} to write\n"
        f"Python {platform.python_version()}, {engines}"
    )
