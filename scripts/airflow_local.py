"""Runs adlake's DAGs on this machine: Airflow's three processes, reachable from it alone.

    python scripts/airflow_local.py [--lake URI] [--home DIR] [--port N]

Airflow's own `standalone` listens on every interface and leaves children behind when it is killed;
here each process has a session of its own, and all that is in it is ended with it.
"""

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final, Self

import httpx
import psutil

DAGS: Final = Path(__file__).resolve().parents[1] / "dags"
DAG_ID: Final = "marketing_pipeline_v1"
HOST: Final = "127.0.0.1"
USER: Final = "admin"
COMMANDS: Final = (("api-server",), ("scheduler", "--skip-serve-logs"), ("dag-processor",))
READY_SECONDS: Final = 300
STOP_SECONDS: Final = 20


class LocalAirflow:
    """Airflow on loopback, for as long as the context is open.

    Attributes:
        url: Of its web page and REST interface.
        environment: Of its processes, and of any `airflow` command that is to work on it.
        password: Of the user `admin`; None where an earlier start made it.
        processes: The leaders of the sessions, by the first word of their command.
    """

    def __init__(self, home: Path, *, lake: str, port: int) -> None:
        self.home = home.absolute()
        self.url = f"http://{HOST}:{port}"
        self.environment = os.environ | _configure(self.home, self.url, port, lake)
        self.password: str | None = None
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        with self._lock() as lock:
            self.password = self._make_password()
            self.run("db", "migrate")
            try:
                for command in COMMANDS:
                    self._start(*command, lock=lock)
                lock.write(" ".join(str(one.pid) for one in self.processes.values()))
                lock.flush()
                self._wait_until_ready()
            except BaseException:
                self.stop()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, *arguments: str) -> str:
        """Runs an `airflow` command to its end and returns what it prints.

        Raises:
            SystemExit: It failed; the message is what it printed.
        """
        done = subprocess.run(
            [_find_airflow(), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"airflow {' '.join(arguments)} failed:\n{done.stdout[-4000:]}")
        return done.stdout

    def read_password(self) -> str:
        """The password of `admin`."""
        passwords: dict[str, str] = json.loads(self.password_file.read_text(encoding="utf-8"))
        return passwords[USER]

    @contextlib.contextmanager
    def log_in(self) -> Iterator[httpx.Client]:
        """A client of the REST interface with the rights of `admin`.

        Raises:
            httpx.HTTPError: There is no answer, or not the right one.
        """
        with httpx.Client(base_url=self.url, timeout=60) as client:
            name = {"username": USER, "password": self.read_password()}
            token = client.post("/auth/token", json=name).raise_for_status().json()
            client.headers["Authorization"] = f"Bearer {token['access_token']}"
            yield client

    def check_alive(self) -> None:
        """Raises SystemExit, with the end of its log, where a process is gone."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                log = self._log_file(name).read_text(encoding="utf-8", errors="replace")
                sys.exit(f"airflow {name} ended by itself ({process.returncode}):\n{log[-4000:]}")

    def stop(self) -> None:
        """Ends all processes: asks first, and kills what is left after a while or an interrupt."""
        try:
            for process in self.processes.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            for process in self.processes.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(0, deadline - time.monotonic()))
        finally:
            for process in self.processes.values():
                _kill_session(process.pid)
                process.wait()
            self.processes.clear()

    @property
    def password_file(self) -> Path:
        """Where the password stands."""
        return self.home / "passwords.json"

    @contextlib.contextmanager
    def _lock(self) -> Iterator[IO[str]]:
        """Takes the home, which the processes that inherit the file then hold.

        Raises:
            SystemExit: Others hold it: two schedulers on one database would disturb each other.
        """
        with (self.home / "lock").open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                sys.exit(
                    f"Airflow runs in {self.home} already (processes {lock.read() or 'starting'}): "
                    f"end it, or choose another place with --home"
                )
            lock.truncate(0)
            yield lock

    def _make_password(self) -> str | None:
        if self.password_file.exists():
            return None
        password = secrets.token_urlsafe(12)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(json.dumps({USER: password}), encoding="utf-8")
        return password

    def _log_file(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _start(self, name: str, *arguments: str, lock: IO[str]) -> None:
        with self._log_file(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [_find_airflow(), name, *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno()],
            )

    def _wait_until_ready(self) -> None:
        """Waits until the REST interface answers and knows the DAG."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.check_alive()
            with contextlib.suppress(httpx.HTTPError), self.log_in() as client:
                if client.get(f"/api/v2/dags/{DAG_ID}").is_success:
                    return
            time.sleep(0.5)
        sys.exit(f"Airflow does not show {DAG_ID} after {READY_SECONDS} s; see {self.home}/logs")


def find_free_port(wanted: int = 0) -> int:
    """A free port on loopback: the wanted one, else any."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, wanted))
        except OSError:
            return find_free_port()
        port: int = listener.getsockname()[1]
        return port


def _configure(home: Path, url: str, port: int, lake: str) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home),
        "ADLAKE_URI": lake if "://" in lake else str(Path(lake).absolute()),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    }


def _find_airflow() -> str:
    return str(Path(sys.executable).with_name("airflow"))


def _kill_session(leader: int) -> None:
    """Kills a process and all that it started; each task is in a process group of its own."""
    while members := _list_session(leader):
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)  # one that was just being started is found the next time


def _list_session(leader: int) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parse_arguments() -> Any:
    parser = argparse.ArgumentParser(description="Runs Airflow with adlake's DAGs on loopback.")
    parser.add_argument("--lake", default=os.environ.get("ADLAKE_URI") or "./lake")
    parser.add_argument("--home", default=".airflow", type=Path, help="Airflow's own files")
    parser.add_argument("--port", default=8080, type=int)
    return parser.parse_args()


def main() -> None:
    """Starts Airflow, says where it is, and stops it on Ctrl-C, SIGTERM or a closed terminal."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    options = _parse_arguments()
    local = LocalAirflow(options.home, lake=options.lake, port=find_free_port(options.port))
    try:
        print("Starting Airflow ...", flush=True)
        with local:
            print(f"{local.url}/dags/{DAG_ID}")
            secret = local.password or f"as at the first start; it stands in {local.password_file}"
            print(f"user {USER}, password {secret}")
            print(f"lake {local.environment['ADLAKE_URI']}; Ctrl-C stops all of it", flush=True)
            while True:
                local.check_alive()
                time.sleep(1)
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main()
