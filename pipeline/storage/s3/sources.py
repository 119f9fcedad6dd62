"""Why the chain gives no credentials, in a person's words.

Botocore says what failed, such as "No such file", and seldom in whose setting, or for which role.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Final

import botocore.exceptions

from pipeline.answers import find_meaning, shorten
from pipeline.errors import ExpiredError, SetupError, StorageError

FAILURES: Final = (
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
    OSError,
    ValueError,
    RuntimeError,
    AttributeError,
    TypeError,
)
"""What botocore raises where it resolves the chain: it lets out what files and programs raise."""

_ON_THE_WAY: Final = (
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.ConnectionError,
)
_NO_OBJECT: Final = (json.JSONDecodeError, UnicodeDecodeError, AttributeError, TypeError)

_VARIABLES: Final = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")
_SETTINGS: Final = (
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "aws_access_key_id",
    "login_session",
    "credential_process",
)
_LAST_VARIABLES: Final = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""In the order in which botocore asks: variables, a profile's settings, variables of a machine."""

Profiles = Mapping[str, Mapping[str, Any]]


def explain_lack(session: Any, error: Exception) -> StorageError:
    """The error that says which setting, or which role, gave no credentials, and why.

    Args:
        session: Botocore's, whose region is set.
        error: One of `FAILURES`.

    Returns:
        One that may pass where the service that gives them was not reached, or asked to wait.
    """
    profiles = session.full_config.get("profiles", {})
    name = session.get_config_variable("profile") or "default"
    region = session.get_config_variable("region")
    start = "the AWS credentials cannot be had"
    if isinstance(error, botocore.exceptions.ClientError):
        told = error.response.get("Error", {})
        code = str(told.get("Code", ""))
        service = "sso" if error.operation_name == "GetRoleCredentials" else "sts"
        doing = f"{service}:{error.operation_name} of {_name_role(profiles, name)}"
        said = shorten(f"{code}: {told.get('Message', '')}")
        return _choose(code)(f"{start}: {doing} (region {region}): {said}{_advise(code)}")
    if isinstance(error, _ON_THE_WAY):
        doing = f"for {_name_role(profiles, name)} (region {region})"
        return StorageError(f"{start}: {doing}: {shorten(str(error))}")
    setting = _name_setting(profiles, name)
    return SetupError(f"{start}: {setting}: {_describe(error, setting)}")


def _choose(code: str) -> type[StorageError]:
    meaning = find_meaning(code)
    passes = meaning is not None and meaning.error.retryable
    return meaning.error if meaning and (passes or meaning.error is ExpiredError) else SetupError


def _advise(code: str) -> str:
    kind = _choose(code)
    if kind is ExpiredError:
        return "; what the role is asked for with has expired: renew it and run the command again"
    if code == "AccessDenied":
        return "; see to whom the role trusts, and to the rights of who asks for it"
    return ""


def _name_role(profiles: Profiles, name: str) -> str:
    """The role that is asked for, and where that is set."""
    settings = profiles.get(name, {})
    arn = os.environ.get("AWS_ROLE_ARN")
    if arn and os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and "source_profile" not in settings:
        return f"{arn} (AWS_ROLE_ARN)"
    source = settings.get("source_profile") or settings.get("credential_source")
    by = f", from {source!r}" if source else ""
    if arn := settings.get("role_arn"):
        return f"{arn} (role_arn of profile {name!r}{by})"
    if role := settings.get("sso_role_name"):
        return f"{role} (sso_role_name of profile {name!r})"
    return f"profile {name!r}"


def _name_setting(profiles: Profiles, name: str) -> str:
    """The setting that the chain comes to first, over the profiles that a role stands on."""
    seen: set[str] = set()
    while name not in seen and _stands_on_another(profiles.get(name, {})):
        seen.add(name)
        name = str(profiles[name]["source_profile"])
    settings = profiles.get(name, {})
    variables = () if seen else _VARIABLES
    named = next((one for one in variables if os.environ.get(one)), "") or next(
        (f"{one} of profile {name!r}" for one in _SETTINGS if one in settings), ""
    )
    machine = next((one for one in _LAST_VARIABLES if os.environ.get(one)), "")
    return named or machine or f"profile {name!r}"


def _stands_on_another(settings: Mapping[str, Any]) -> bool:
    return "source_profile" in settings and "web_identity_token_file" not in settings


def _describe(error: Exception, setting: str) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}"
    if setting.startswith("credential_process") and isinstance(error, _NO_OBJECT):
        # What it printed may hold the secret, so it is not shown.
        return (
            "its program printed something else than a JSON object; expected one with Version, "
            "AccessKeyId and SecretAccessKey"
        )
    if isinstance(error, botocore.exceptions.CredentialRetrievalError):
        return shorten(str(error.kwargs["error_msg"])) or "it failed and said nothing"
    return shorten(str(error))
