"""The lake, the day and the credentials of a run."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.lake import Lake
    from pipeline.settings import Settings

AWS_CONNECTION = "adlake_aws"
"""Its login, password and extra are the credentials of a lake on S3, where it is defined."""

_EXTRAS = {
    "aws_session_token": "AWS_SESSION_TOKEN",
    "region_name": "AWS_REGION",
    "endpoint_url": "AWS_ENDPOINT_URL",
}
_TOKENS = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """What a task works with.

    Attributes:
        lake: Opened; nothing is made by opening it.
        settings: From the worker's environment, with the lake of the run's params.
        params: Of the run.
        ds: The logical date, YYYY-MM-DD; a run by hand need not have one.
    """

    lake: "Lake"
    settings: "Settings"
    params: Mapping[str, Any]
    ds: str | None

    @property
    def day(self) -> date:
        """The day that the run is about: its logical date, or what its param `day` says.

        Raises:
            UsageError: There is neither, or they contradict each other.
        """
        return find_day(self.ds, self.params.get("day"))


def open_run(context: Mapping[str, Any]) -> Run:
    """Opens the lake that a run's params name, else that of the worker's environment.

    Args:
        context: What Airflow gives a task.

    Raises:
        UsageError: The environment, the AWS connection or the lake's URI cannot be used.
        StorageError: The lake cannot be reached.
    """
    from pipeline.lake import Lake  # noqa: PLC0415 - see the package
    from pipeline.settings import Settings  # noqa: PLC0415 - likewise
    from pipeline.storage import open_storage  # noqa: PLC0415 - likewise

    params = context["params"]
    settings = Settings.from_env(os.environ)
    if params["lake"]:
        settings = replace(settings, lake_uri=params["lake"])
    if settings.lake_uri.startswith("s3://"):
        _use_aws_connection()
    return Run(Lake(open_storage(settings.lake_uri)), settings, params, context.get("ds"))


def find_day(ds: str | None, said: str | None) -> date:
    """The day of a run.

    Args:
        ds: The logical date.
        said: The param `day`.

    Raises:
        UsageError: There is neither, or they contradict each other.
    """
    if ds is None and said is None:
        raise UsageError(
            "this run has no logical date, so it is not known which day it is about: trigger it "
            'with a logical date, or with the param day, such as {"day": "2024-03-05"}'
        )
    if ds is not None and said not in {None, ds}:
        raise UsageError(
            f"this run's logical date is {ds}, but its param day says {said}: trigger it again "
            f"with one of them"
        )
    return date.fromisoformat(ds or str(said))


def log_summary(event: str, **facts: Any) -> None:
    """Writes one line that a log collector can read: the event, a space, and a JSON object."""
    _log.info("%s %s", event, json.dumps(facts, default=str, sort_keys=True))


def read_aws_connection() -> dict[str, str]:
    """The AWS variables of the connection `adlake_aws`; none where it is not defined.

    Raises:
        UsageError: It says more than adlake can do, such as to assume a role.
    """
    try:
        connection = Connection.get(AWS_CONNECTION)
    except AirflowNotFoundException:
        return {}
    extra = connection.extra_dejson
    if unknown := sorted(extra.keys() - _EXTRAS):
        raise UsageError(
            f"the extra of the connection {AWS_CONNECTION} holds {', '.join(unknown)}, which "
            f"adlake does not read; expected only {', '.join(_EXTRAS)}: remove it, and the "
            f"connection where a profile or role of the worker is to be used"
        )
    found = {
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
        **{variable: extra.get(name) for name, variable in _EXTRAS.items()},
    }
    return {name: str(value) for name, value in found.items() if value}


def _use_aws_connection() -> None:
    """Puts the connection into the environment, in which a task is alone."""
    found = read_aws_connection()
    if "AWS_ACCESS_KEY_ID" in found:
        for name in _TOKENS:  # one of the worker's would belong to other keys
            os.environ.pop(name, None)
    os.environ.update(found)
    for name in ("AWS_SECRET_ACCESS_KEY", *_TOKENS):
        mask_secret(os.environ.get(name))
