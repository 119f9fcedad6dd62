"""One small cluster for the tests of a process, and what they send to it."""

from collections.abc import Iterator

import pytest

from pipeline.engine import open_engine
from pipeline.engine.cluster import DaskEngine


@pytest.fixture(scope="session")
def dask_engine() -> Iterator[DaskEngine]:
    """Two workers of one thread."""
    with open_engine("local:2", workers=1) as engine:
        assert isinstance(engine, DaskEngine)
        yield engine
