"""Runs what the documents show, as a reader would: in order, in an empty folder."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.documents import (
    DOCUMENTS,
    ROOT,
    RUNNABLE,
    Block,
    Command,
    list_blocks,
    list_commands,
)

TIMEOUT = 120


def is_run(name: str) -> bool:
    return name == "README.md" or name.startswith("docs/")


def is_step(block: Block) -> bool:
    return block.role == "file" or block.language in RUNNABLE | {"python"}


SESSIONS = [
    name for name in DOCUMENTS if is_run(name) and any(map(is_step, list_blocks(name)))
]


class Reader:
    """Somebody who follows a document in an empty folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "here"
        self.folder.mkdir()
        shim = home / "bin" / "adlake"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline "$@"\n')
        shim.chmod(0o755)
        self.environ = {
            name: value for name, value in os.environ.items() if not name.startswith("ADLAKE_")
        } | {
            "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
        }

    def follow(self, block: Block) -> None:
        if block.role == "file":
            path = self.folder / block.about
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
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
        return done.returncode, done.stdout


def assert_looks_like(got: str, wanted: str) -> None:
    def trim(text: str) -> str:
        return text.strip("\n") + "\n"

    same = doctest.OutputChecker().check_output(trim(wanted), trim(got), doctest.ELLIPSIS)
    assert same, f"the document says:\n{wanted}\nthe command says:\n{got}"


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.mark.parametrize("name", SESSIONS)
def test_what_a_document_shows_can_be_done_as_shown(name: str, reader: Reader) -> None:
    for block in filter(is_step, list_blocks(name)):
        reader.follow(block)


@pytest.mark.slow
def test_the_readme_shows_the_whole_output_of_the_main_job(reader: Reader) -> None:
    [block] = [block for block in list_blocks("README.md") if block.role == "output"]

    code, output = reader.run(block.about)

    assert code == 0
    assert_looks_like(output, block.text)


def test_no_code_is_shown_in_a_language_that_nobody_runs() -> None:
    shown = {
        block.language
        for name in DOCUMENTS
        if is_run(name)
        for block in list_blocks(name)
        if not block.role
    }
    assert shown <= RUNNABLE | {"python", "text"}
