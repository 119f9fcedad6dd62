"""What other engines have to be told to reach a bucket: the one place that turns it into theirs."""

from urllib.parse import urlsplit

from pipeline.storage.base import SqlAccess
from pipeline.storage.s3.credentials import Chain
from pipeline.storage.s3.location import Location


def make_sql_access(chain: Chain, location: Location) -> SqlAccess:
    """What DuckDB takes; holds secrets."""
    keys = chain.take().keys
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
