"""Which version a reading command is about."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import EmptyLakeError, LakeError
from pipeline.lake import Lake
from pipeline.steps.pin import pin_snapshot
from tests.lakes import build_lake, commit_rows, make_row


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three versions: an empty one, and two in which January is replaced."""
    lake = build_lake(tmp_path, [make_row(cost=1)])
    first = lake.take_snapshot()
    commit_rows(lake, [make_row(cost=2)], replaces=first.files)
    return lake


def read_times(lake: Lake) -> list[datetime]:
    commits = lake.open_master().read_commits()[::-1]
    return [datetime.fromtimestamp(commit.at_ms / 1000, UTC) for commit in commits]


def test_a_time_means_the_version_that_was_the_newest_then(lake: Lake) -> None:
    times = read_times(lake)
    assert [pin_snapshot(lake, as_of=moment).version for moment in times] == [0, 1, 2]
    just_before = times[2] - timedelta(milliseconds=1)
    assert pin_snapshot(lake, as_of=just_before).version < 2
    assert pin_snapshot(lake, as_of=times[2] + timedelta(days=9)).version == 2
    assert pin_snapshot(lake).version == 2


def test_a_time_before_the_first_version_is_refused(lake: Lake) -> None:
    with pytest.raises(EmptyLakeError, match=r"had no version at 2020-01-01T00:00:00Z; its first"):
        pin_snapshot(lake, as_of=datetime(2020, 1, 1, tzinfo=UTC))


def test_a_vacuumed_version_is_refused_and_names_what_is_gone(lake: Lake) -> None:
    [gone] = pin_snapshot(lake, version=1).files
    Path(lake.locate(f"master/{gone.path}")).unlink()

    with pytest.raises(LakeError, match=rf"version 1 .* 1 of its 1 files .*{re.escape(gone.path)}"):
        pin_snapshot(lake, version=1)
    assert pin_snapshot(lake, version=2).version == 2
