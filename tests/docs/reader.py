"""Somebody who does what a document shows: in order, in an empty folder."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.documents import ROOT, RUNNABLE, Block, Command, list_blocks, list_commands

TIMEOUT = 600
COLOUR = re.compile("\x1b\\[[0-9;]*m")
"""What DuckDB's command line writes into pipes as well, and a document does not show."""


def is_step(block: Block) -> bool:
    """Whether a block is something to do."""
    return block.role in {"below", "file"} or block.language in RUNNABLE | {"python"}


class Reader:
    """Has an empty folder, the commands `adlake` and `duckdb`, and no settings."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "here"
        self.folder.mkdir()
        programs = home / "bin"
        programs.mkdir()
        shim = programs / "adlake"
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline "$@"\n')
        shim.chmod(0o755)
        (programs / "duckdb").symlink_to(Path(sys.executable).with_name("duckdb"))
        # Who only uses adlake has no pandas, which the developer's packages bring; where it is
        # there, Arrow imports it in each command.
        (home / "without" / "pandas").mkdir(parents=True)
        (home / "without" / "pandas" / "__init__.py").write_text("raise ModuleNotFoundError\n")
        self.environ = {
            name: value for name, value in os.environ.items() if not name.startswith("ADLAKE_")
        } | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{home / 'without'}{os.pathsep}{ROOT}",
            "COLUMNS": "200",
        }

    def install_pandas(self) -> None:
        """Has pandas, as one who reads a lake with it."""
        self.environ["PYTHONPATH"] = str(ROOT)

    def check_out(self) -> None:
        """Takes a copy of the project into the folder, to change it; the command runs that one."""
        for name in ("pipeline", "sql", "tests", "docs", "requirements"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.folder / name, ignore=ignored)
        for path in (*ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"):
            shutil.copyfile(path, self.folder / path.name)
        (self.folder / ".venv").symlink_to(sys.prefix)

    def follow(self, name: str) -> None:
        """Does all that a document shows."""
        for block in filter(is_step, list_blocks(name)):
            self._do(block)

    def _do(self, block: Block) -> None:
        if block.role == "file":
            path = self.folder / block.about
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.role == "below":
            name, _, line = block.about.partition(": ")
            path = self.folder / name
            before, found, after = path.read_text(encoding="utf-8").partition(f"{line}\n")
            assert found, f"{name} has no line {line}"
            path.write_text(before + found + block.text + after, encoding="utf-8")
        elif block.language == "python":
            self._run_python(block.text)
        elif block.language in RUNNABLE:
            for command in list_commands(block):
                self._run_command(command)

    def run(self, line: str) -> tuple[int, str]:
        return self._start(["/bin/sh", "-c", line])

    def _run_command(self, command: Command) -> None:
        if exported := re.fullmatch(r"export (\w+)=(\S+)", command.line):
            self.environ[exported[1]] = exported[2]
            return
        code, output = self.run(command.line)
        assert code == command.code, f"{command.line}\nexits with {code}:\n{output}"
        if command.output:
            assert_looks_like(output, command.output)

    def _run_python(self, text: str) -> None:
        code, output = self._start([sys.executable, "-c", text])
        assert code == 0, output
        if said := re.search(r"^print\(.*\)  # (.+)$", text, re.MULTILINE):
            assert_looks_like(output, said[1])

    def _start(self, words: list[str]) -> tuple[int, str]:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return done.returncode, COLOUR.sub("", done.stdout)


def assert_looks_like(got: str, wanted: str) -> None:
    def trim(text: str) -> str:
        return text.strip("\n") + "\n"

    same = doctest.OutputChecker().check_output(trim(wanted), trim(got), doctest.ELLIPSIS)
    assert same, f"the document says:\n{wanted}\nthe command says:\n{got}"
