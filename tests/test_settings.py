"""Settings come from the environment; what is wrong there is said without its value."""

import pytest

from pipeline.errors import UsageError
from pipeline.settings import NAMES, Settings

CANARY = "AKIAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ADLAKE_URL", r"^ADLAKE_URL is no setting of adlake \(did you mean ADLAKE_URI\?\)"),
        (
            "ADLAKE_SECRET_ACCESS_KEY",
            r"^ADLAKE_SECRET_ACCESS_KEY is no setting of adlake; expected",
        ),
    ],
)
def test_a_name_that_is_no_setting_is_refused_and_its_value_not_shown(
    name: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Settings.from_env({name: CANARY})
    assert CANARY not in str(caught.value)


def test_what_belongs_to_others_is_left_alone() -> None:
    others = {
        "AWS_PROFILE": "x",
        "AIRFLOW_CONN_ADLAKE_AWS": "{}",
        "_ADLAKE_COMPLETE": "x",
        "HOME": "",
    }
    assert Settings.from_env(others | {"ADLAKE_WORKERS": "3"}).workers == 3


def test_every_setting_is_taken() -> None:
    values = ["s3://b/p", "3", "7", "mine", "local:2"]
    settings = Settings.from_env(dict(zip(NAMES, values, strict=True)))
    assert (settings.lake_uri, settings.workers, settings.quiet_seconds) == ("s3://b/p", 3, 7)
    assert (str(settings.contracts_dir), settings.cluster) == ("mine", "local:2")


@pytest.mark.parametrize("wrong", ["0", "257", "-1", "two", "1.5", "\u0663", "9" * 5000])
def test_a_number_of_workers_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match=r"ADLAKE_WORKERS is .*; expected a whole number from 1"):
        Settings.from_env({"ADLAKE_WORKERS": wrong})
