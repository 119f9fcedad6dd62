"""The same storage on a folder and on a real S3 server."""

from pathlib import Path

import pytest

from pipeline.storage import LocalStorage, Storage, open_storage


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return LocalStorage(tmp_path / "lake")
    return open_storage(request.getfixturevalue("s3_uri"))
