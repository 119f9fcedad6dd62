"""The files that workers leave for each other."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from pipeline.lake import Lake
from pipeline.staging import fetch_spooled, share_file
from pipeline.storage import open_storage

ROWS = 10_000


def test_a_shared_file_has_the_same_rows_in_fewer_bytes(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "name": ["Spring sale"] * ROWS,
            "line": range(ROWS),
            "cost": [Decimal("1.25"), None] * (ROWS // 2),
            "at": [datetime(2024, 1, 1, tzinfo=UTC)] * ROWS,
        }
    )
    local = tmp_path / "rows"
    rows.write_ipc(local)
    size = local.stat().st_size
    shared = share_file(Lake(open_storage(str(tmp_path / "lake"))), ".scratch-cluster/run", local)
    [path] = fetch_spooled([shared])
    assert path.stat().st_size < size / 2
    assert_frame_equal(pl.read_ipc(path), rows)
    assert not local.exists()
