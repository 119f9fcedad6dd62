"""What all tests share; an S3 server for those that ask for one, in each test process its own."""

import secrets
import signal
from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings

from tests.s3 import BUCKET, Server, clean_environ, start_server

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("adlake", deadline=None)
settings.load_profile("adlake")
# For `make mutants`: the same examples each time, and no smaller ones where one fails.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)

# A shell that starts the tests in its background makes them ignore Ctrl-C, and so would all that
# they start; some of them press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3_environ(s3_server: Server) -> dict[str, str]:
    """The environment of a command that works on the server."""
    return clean_environ() | s3_server.describe()


@pytest.fixture
def s3_uri(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty lake's URI, which this process can reach too."""
    for name, value in s3_server.describe().items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{secrets.token_hex(6)}"
