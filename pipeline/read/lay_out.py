"""How any delivered file lies before us: text, gzip or Parquet."""

from collections.abc import Iterable
from pathlib import Path

from pipeline.contracts import Contract
from pipeline.read.layout import Layout
from pipeline.read.open import open_delivery
from pipeline.read.parquet import lay_out_parquet
from pipeline.read.recognise import recognise


def lay_out(
    path: Path, contracts: Iterable[Contract], *, source: str | None, scratch: Path, name: str
) -> tuple[Layout, Path]:
    """Tells how a file is laid out, and where its plain bytes are.

    Args:
        path: A local file.
        contracts: To choose from.
        source: Whose it is; its contracts are tried first.
        scratch: A folder for what is unpacked.
        name: Its name as delivered.

    Raises:
        BadFileError: It cannot be read, or is of no contract, or of more than one.
    """
    opened = open_delivery(path, scratch, name=name)
    if opened.format == "parquet":
        return lay_out_parquet(opened.path, contracts, source=source), opened.path
    return recognise(opened.path, contracts, source=source, scratch=scratch), opened.path
