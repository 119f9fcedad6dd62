"""SQL on a bucket: it reads the lake's prefix and nothing else, and shows no secret."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from pipeline.errors import QueryError, StorageError
from pipeline.kpi import reach
from pipeline.kpi.connection import open_locked
from pipeline.kpi.query import fetch_result, run_query
from pipeline.storage.s3 import S3Storage
from tests.s3 import BUCKET, make_client


@pytest.fixture(params=["httpfs", "s3fs"])
def storage(
    request: pytest.FixtureRequest, s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> S3Storage:
    """A lake with one file, read by the extension or, as where there is none, by s3fs."""
    if request.param == "s3fs":
        monkeypatch.setattr(reach, "_PACKAGE", "an_extension_that_is_not_installed")
    storage = S3Storage(s3_uri)
    storage.create("a/b=1/x.csv", b"n\n42\n")
    return storage


@pytest.fixture
def locked(storage: S3Storage) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_locked(storage, workers=1) as connection:
        yield connection


def test_a_file_of_the_lake_is_read(storage: S3Storage, locked: duckdb.DuckDBPyConnection) -> None:
    found = fetch_result(locked, f"select n from read_csv('{storage.uri}/a/b=1/x.csv')")
    assert found.rows == ((42,),)


def test_what_lies_beside_the_lake_is_out_of_reach(
    storage: S3Storage, locked: duckdb.DuckDBPyConnection, s3_environ: dict[str, str]
) -> None:
    client: Any = make_client(s3_environ)
    beside = f"{storage.location.prefix}-beside/x.csv"
    client.put_object(Bucket=BUCKET, Key=beside, Body=b"n\n1\n")
    for uri in (
        f"s3://{BUCKET}/{beside}",
        f"s3://{BUCKET}/x.csv",
        "s3://another/x.csv",
        "/etc/passwd",
        "http://127.0.0.1:9/x.csv",
    ):
        with pytest.raises(QueryError, match="reads the files of this lake and nothing else"):
            run_query(locked, f"select * from read_csv('{uri}')")
    with pytest.raises((QueryError, StorageError)):  # to the store, `..` is a name like another
        run_query(locked, f"select * from read_csv('{storage.uri}/../x.csv')")


def test_no_statement_shows_the_secret(
    storage: S3Storage, locked: duckdb.DuckDBPyConnection
) -> None:
    secret = storage.client.chain.take().keys.secret
    for sql in (
        "select * from duckdb_secrets()",
        "select * from duckdb_settings()",
        "select * from which_secret('s3://lake/x', 's3')",
    ):
        assert secret not in str(run_query(locked, sql).rows)
