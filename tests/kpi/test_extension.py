"""DuckDB's httpfs comes in a package of somebody else: only DuckDB's own binary is loaded."""

from importlib import metadata
from pathlib import Path

import duckdb
import pytest

PACKAGE = "duckdb-extension-httpfs"


def find_binary() -> Path:
    files = metadata.files(PACKAGE) or []
    [binary] = [file for file in files if file.name.endswith(".duckdb_extension")]
    return Path(str(binary.locate()))


def test_a_changed_binary_is_refused(tmp_path: Path) -> None:
    binary = bytearray(find_binary().read_bytes())
    # In folders of their own, as its name must stay; what is loaded is never written to again.
    copy, changed = (tmp_path / name / find_binary().name for name in ("copy", "changed"))
    copy.parent.mkdir()
    copy.write_bytes(binary)
    changed.parent.mkdir()
    binary[len(binary) // 2] ^= 1
    changed.write_bytes(binary)
    with duckdb.connect() as connection:
        connection.load_extension(str(copy))
    with (
        duckdb.connect() as connection,
        pytest.raises(duckdb.IOException, match="signature is either missing or invalid"),
    ):
        connection.load_extension(str(changed))


def test_the_package_holds_the_binary_and_no_code() -> None:
    files = metadata.files(PACKAGE) or []
    code = [file for file in files if file.suffix == ".py" and Path(file.locate()).stat().st_size]
    assert code == []
