"""The mistakes of docs/walkthrough.md say what the page says that they say."""

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.lake import FORMAT_VERSION
from tests.cli.shell import Shell
from tests.docs.documents import read_table


def write(name: str, content: bytes) -> Callable[[], None]:
    def prepare() -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)

    return prepare


def write_all(files: Mapping[str, bytes]) -> Callable[[], None]:
    def prepare() -> None:
        for name, content in files.items():
            write(name, content)()

    return prepare


def make_lake(form: int) -> Callable[[], None]:
    return write("lake/lake.json", json.dumps({"format": form}).encode())


def do_nothing() -> None:
    pass


MISTAKES = {
    "the lake is not there": (
        "status",
        do_nothing,
        "holds no master table yet: `adlake run` makes one, or `adlake land FILES` followed by",
    ),
    "the lake is a file": (
        "status --lake lake.csv",
        write("lake.csv", b"a,b"),
        "the lake lake.csv is a file; name the folder of a lake, or a new one",
    ),
    "a folder of the lake": (
        "status --lake lake/master",
        make_lake(FORMAT_VERSION),
        "name the lake itself",
    ),
    "one slash short": (
        "status --lake s3:/bucket",
        do_nothing,
        "the lake 's3:/bucket' is no bucket's; expected s3://bucket/prefix",
    ),
    "a result for a bucket": (
        "init s3://bucket/shop",
        do_nothing,
        "is no place on this machine; name a file or folder here, and copy it from there",
    ),
    "an Excel workbook": (
        "land a.xlsx",
        write("a.xlsx", b"PK\x03\x04" + bytes(99)),
        "a zip archive or an Excel workbook; expected CSV: unpack it or save as CSV",
    ),
    "a PDF": (
        "land a.csv",
        write("a.csv", b"%PDF-1.7 text"),
        "a PDF document; expected CSV: export it again as CSV",
    ),
    "JSON": (
        "land a.csv",
        write("a.csv", b'[{"a": 1}]'),
        "JSON; expected CSV with a header",
    ),
    "an old workbook": (
        "land a.xls",
        write("a.xls", b"\xd0\xcf\x11\xe0" + bytes(99)),
        "an old Excel workbook; expected CSV: save it as CSV",
    ),
    "of no contract": (
        "land a.csv",
        write("a.csv", b"name,phone\nAnn,555\n"),
        "ADLAKE_CONTRACTS names no contracts of your own, and `adlake contract new",
    ),
    "a folder with one of no contract": (
        "land new",
        write_all({"new/a.csv": b"name,phone\nAnn,555\n", "new/b.csv": b"1", "new/c.csv": b"2"}),
        "the others (2) were not landed either: move away what is none to land",
    ),
    "a spreadsheet's mark": (
        "land ~$book.xlsx",
        write("~$book.xlsx", b"\x05Ann" + bytes(99)),
        "the mark of a spreadsheet program that has a file open: close the file there, and land",
    ),
    "a lake from before the first release": (
        "status",
        make_lake(1),
        f"nothing leads from it to {FORMAT_VERSION}; land its files in a new lake",
    ),
    "a lake of a newer format": (
        "status",
        make_lake(FORMAT_VERSION + 1),
        f"this adlake knows up to {FORMAT_VERSION}: install a newer one",
    ),
}
"""The command, what is there before, and what both the message and the page say."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_says_what_the_page_says(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, prepare, says = MISTAKES[mistake]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ADLAKE_CONTRACTS", raising=False)
    prepare()
    done = Shell(tmp_path).run(*shlex.split(line))
    assert done.returncode in {1, UsageError.exit_code}
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    # Where nothing was mended, what it said before is what it says now.
    cells = [
        before if now.startswith("the same") and says not in now else now
        for _, before, now in read_table("docs/walkthrough.md", "## Ten mistakes")
    ]
    assert any(says in cell for cell in cells)
