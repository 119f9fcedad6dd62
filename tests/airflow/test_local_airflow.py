"""What `make airflow` does beside running Airflow."""

import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.airflow_local import LocalAirflow, find_free_port

pytestmark = pytest.mark.airflow


@pytest.fixture
def local(tmp_path: Path) -> LocalAirflow:
    return LocalAirflow(tmp_path, lake="lake", port=find_free_port())


def test_a_home_that_is_in_use_is_refused(local: LocalAirflow) -> None:
    with local._lock() as lock:
        lock.write("4242")
        lock.flush()
        with pytest.raises(SystemExit, match=r"already \(processes 4242\): end it, or choose"):
            local.__enter__()
    with local._lock():
        pass


def test_the_password_is_made_once_and_is_the_user_s_alone(local: LocalAirflow) -> None:
    password = local._make_password()
    assert password == local.read_password()
    assert local._make_password() is None
    assert stat.S_IMODE(local.password_file.stat().st_mode) == 0o600


def test_a_port_that_is_taken_is_replaced() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert find_free_port(taken) not in {0, taken}


def test_what_does_not_heed_a_request_is_killed_with_all_that_it_started(
    local: LocalAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.airflow_local.STOP_SECONDS", 0)
    code = (
        "import os, signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "child = subprocess.Popen(['sleep', '600'], process_group=0); "
        "print(child.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    ) as leader:
        assert leader.stdout is not None
        child = int(leader.stdout.readline())
        local.processes["scheduler"] = leader
        local.stop()
        assert leader.returncode == -signal.SIGKILL
    status = Path(f"/proc/{child}/status")
    assert not status.exists() or "zombie" in status.read_text()
