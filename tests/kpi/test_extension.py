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
    changed = bytearray(find_binary().read_bytes())
    changed[len(changed) // 2] ^= 1
    copy = tmp_path / find_binary().name
    with duckdb.connect() as connection:
        copy.write_bytes(find_binary().read_bytes())
        connection.load_extension(str(copy))
    with duckdb.connect() as connection:
        copy.write_bytes(changed)
        with pytest.raises(duckdb.IOException, match="signature is either missing or invalid"):
            connection.load_extension(str(copy))


def test_the_package_holds_the_binary_and_no_code() -> None:
    files = metadata.files(PACKAGE) or []
    code = [file for file in files if file.suffix == ".py" and file.locate().stat().st_size]
    assert code == []
