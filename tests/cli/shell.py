"""Runs `adlake` on one lake: in the process of the tests, or in one of its own."""

import contextlib
import json
import logging
import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import app

ROOT = Path(__file__).parents[2]


class Shell:
    """Runs `adlake` in a folder, with the lake in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = folder / "lake"

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in this process, as to import the libraries again is most of one."""
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as out,
            tempfile.TemporaryFile("w+", encoding="utf-8") as err,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.chdir(self.folder)
            for name, value in {"ADLAKE_URI": str(self.lake), **environment}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["adlake", *arguments])
            patch.setattr(logging.getLogger(), "handlers", [])  # else pytest's take the warnings
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with _kept_signals(), pytest.raises(SystemExit) as ended:
                app.run()
            for stream in (out, err):
                stream.seek(0)
            said = out.read(), err.read()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, *said)

    def start(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in a process of its own, where it matters how Python begins and ends."""
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "ADLAKE_URI": str(self.lake),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def run_on_terminal(self, *arguments: str) -> str:
        """What a terminal is sent."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "ADLAKE_URI": str(self.lake)},
            stdout=theirs,
        )
        os.close(theirs)
        sent = b""
        # Linux ends a terminal that nobody writes to with an error.
        with contextlib.suppress(OSError), os.fdopen(ours, "rb", buffering=0) as file:
            while part := file.read(1 << 16):
                sent += part
        assert process.wait() == 0
        return sent.decode()

    def read(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout, parse_float=Decimal)


@contextlib.contextmanager
def _kept_signals() -> Iterator[None]:
    """Gives the tests back what they do with signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
