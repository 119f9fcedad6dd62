"""What other engines have to be told to reach a bucket: the one place that turns it into theirs."""

from typing import Final
from urllib.parse import urlsplit

from pipeline.storage.base import SqlAccess
from pipeline.storage.s3.client import PATIENCE_SECONDS, TRIES
from pipeline.storage.s3.credentials import Chain
from pipeline.storage.s3.location import Location

_MOST_SECONDS_BETWEEN: Final = 10


def make_table_options(chain: Chain, location: Location) -> dict[str, str]:
    """What deltalake takes beside a URI; holds secrets."""
    keys = chain.read_keys()
    options = {
        "aws_access_key_id": keys.key_id,
        "aws_secret_access_key": keys.secret,
        "aws_region": chain.region,
        "aws_conditional_put": "etag",
        "max_retries": str(TRIES - 1),
        "retry_timeout": f"{PATIENCE_SECONDS}s",
        "backoff_config.init_backoff": "50ms",
        "backoff_config.max_backoff": f"{_MOST_SECONDS_BETWEEN}s",
    }
    if keys.token:
        options["aws_session_token"] = keys.token
    if not chain.path_style:
        options["aws_virtual_hosted_style_request"] = "true"
    if chain.endpoint:
        parts = urlsplit(chain.endpoint)
        host = parts.netloc if chain.path_style else f"{location.bucket}.{parts.netloc}"
        options["aws_endpoint_url"] = f"{parts.scheme}://{host}{parts.path}"
        options["aws_allow_http"] = str(parts.scheme == "http").lower()
    return options


def make_sql_access(chain: Chain, location: Location) -> SqlAccess:
    """What DuckDB takes; holds secrets."""
    keys = chain.read_keys()
    parts = urlsplit(chain.endpoint)
    return SqlAccess(
        scope=f"{location.uri}/",
        key_id=keys.key_id,
        secret=keys.secret,
        token=keys.token,
        region=chain.region,
        endpoint=f"{parts.netloc}{parts.path}",
        encrypted=parts.scheme != "http",
        path_style=chain.path_style,
    )
