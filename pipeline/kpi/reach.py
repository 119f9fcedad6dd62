"""Lets DuckDB read one bucket: by its own httpfs extension, else through s3fs.

The extension is installed with adlake and never downloaded. It is made for some systems only, and
loads only into the very DuckDB release that it was built for; s3fs is slower and works everywhere.
"""

import importlib.util
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import duckdb

from pipeline.answers import explain_refusal
from pipeline.errors import MissingError, StorageError
from pipeline.kpi.relations import quote_text
from pipeline.storage import SqlAccess

_PACKAGE: Final = "duckdb_extension_httpfs"
_FROM_ENVIRONMENT: Final = ("s3_access_key_id", "s3_secret_access_key", "s3_session_token")
"""Settings that the extension fills from AWS_* variables, for every statement to read."""

RETRIES: Final = 8
_URL: Final = re.compile(r"'(https?://[^']+)'")
_REGION: Final = re.compile(r" in region '([^']+)'")

_BLOCK_BYTES: Final = 8 << 20


def reach_bucket(connection: duckdb.DuckDBPyConnection, access: SqlAccess) -> None:
    """Makes URIs below `access.scope` readable; before the connection is locked."""
    extension = find_extension()
    if extension is None:
        _register_s3fs(connection, access)
        return
    connection.execute(f"load {quote_text(str(extension))}")
    for name in _FROM_ENVIRONMENT:
        connection.execute(f"set global {name} = ''")
    # Files of a lake are never changed, so what is known of one stays true.
    connection.execute("set enable_http_metadata_cache = true")
    connection.execute("set validate_external_file_cache = 'NO_VALIDATION'")
    # Refusals are tried again like everything else: httpfs has no setting for which.
    connection.execute(f"set http_retries = {RETRIES}")
    connection.execute("set http_retry_wait_ms = 50")
    connection.execute("set http_retry_backoff = 2")
    connection.execute(_make_secret(access))


def explain_failure(error: Exception) -> StorageError | None:
    """What a store's refusal comes to; None where the engine failed for another reason.

    A missing file is none: whether it ought to be there is for the caller to know.
    """
    text, _, _ = str(error).partition("\n\nLINE ")  # the statement is none of the store's
    if not isinstance(error, duckdb.HTTPException) and " for HTTP " not in text:
        return None
    url, region = _URL.search(text), _REGION.search(text)
    doing = "s3:GetObject by SQL"
    doing += f" on {unquote(url[1])}" if url else ""
    doing += f" (region {region[1]})" if region else ""
    explained = explain_refusal(text, doing=doing)
    return None if isinstance(explained, MissingError) else explained


def find_extension() -> Path | None:
    """The installed httpfs of this very DuckDB; None where there is none for this system."""
    found = importlib.util.find_spec(_PACKAGE)
    folders = found.submodule_search_locations if found is not None else None
    name = f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
    paths = [Path(folder) / name for folder in folders or ()]
    return next((path for path in paths if path.is_file()), None)


def _make_secret(access: SqlAccess) -> str:
    values = {
        "type": "s3",
        "scope": quote_text(access.scope),
        "key_id": quote_text(access.key_id),
        "secret": quote_text(access.secret),
        "region": quote_text(access.region),
        "url_style": quote_text("path" if access.path_style else "vhost"),
        "use_ssl": str(access.encrypted).lower(),
    }
    if access.token:
        values["session_token"] = quote_text(access.token)
    if access.endpoint:
        values["endpoint"] = quote_text(access.endpoint)
    pairs = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"create secret lake ({pairs})"


def _register_s3fs(connection: duckdb.DuckDBPyConnection, access: SqlAccess) -> None:
    import s3fs  # noqa: PLC0415 - takes most of a second, and hardly anybody needs it

    scheme = "https" if access.encrypted else "http"
    files = s3fs.S3FileSystem(
        key=access.key_id,
        secret=access.secret,
        token=access.token or None,
        client_kwargs={
            "region_name": access.region,
            "endpoint_url": f"{scheme}://{access.endpoint}" if access.endpoint else None,
        },
        config_kwargs={"s3": {"addressing_style": "path" if access.path_style else "virtual"}},
        default_block_size=_BLOCK_BYTES,
        default_cache_type="readahead",
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    connection.register_filesystem(files)
