"""What Linux' control groups say of the memory that a process may use."""

from pathlib import Path

import pytest

from pipeline.errors import LakeError
from pipeline.memory import LEAST_BYTES, find_limit, refuse_too_little

SECOND_KIND = "0::/user.slice/job\n"
FIRST_KIND = "9:cpu,cpuacct:/job\n4:memory:/job\n0::/\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    return tmp_path / "mounts"


@pytest.mark.parametrize(
    ("lines", "limits", "found"),
    [
        pytest.param(SECOND_KIND, {}, None, id="a container sees no folder of its group"),
        pytest.param(SECOND_KIND, {"user.slice/job/memory.max": "max"}, None, id="no limit"),
        pytest.param(SECOND_KIND, {"user.slice/job/memory.max": "7"}, 7, id="its own"),
        pytest.param(
            SECOND_KIND,
            {"user.slice/job/memory.max": "max", "user.slice/memory.max": "5"},
            5,
            id="that of the group around it",
        ),
        pytest.param(SECOND_KIND, {"memory.max": "3"}, 3, id="that of the container"),
        pytest.param(FIRST_KIND, {"memory/job/memory.limit_in_bytes": "9"}, 9, id="first kind"),
        pytest.param(
            FIRST_KIND,
            {"memory/job/memory.limit_in_bytes": "9", "memory/memory.limit_in_bytes": "8"},
            8,
            id="first kind, around it",
        ),
        pytest.param("", {"memory.max": "3"}, None, id="in no group"),
        pytest.param("\n7\n0::/é\n", {"é/memory.max": "3"}, 3, id="what nobody expects"),
    ],
)
def test_the_lowest_limit_of_a_group_and_those_around_it_counts(
    groups: Path, mounts: Path, lines: str, limits: dict[str, str], found: int | None
) -> None:
    groups.write_text(lines)
    for name, text in limits.items():
        write(mounts / name, f"{text}\n")
    assert find_limit(groups, mounts) == found


def test_another_system_has_no_groups(groups: Path, mounts: Path) -> None:
    assert find_limit(groups, mounts) is None


def test_less_than_a_merge_needs_is_refused(groups: Path, mounts: Path) -> None:
    groups.write_text(SECOND_KIND)
    limit = mounts / "memory.max"
    write(limit, str(LEAST_BYTES))
    refuse_too_little(groups, mounts)
    write(limit, str(LEAST_BYTES - 1))
    with pytest.raises(
        LakeError, match=r"may use 319 MB of memory; expected at least 320 MB: raise the limit"
    ):
        refuse_too_little(groups, mounts)
