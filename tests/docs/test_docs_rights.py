"""The rights of docs/s3.md: with them each role can do its work, without any of them it is told."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.app import app
from pipeline.errors import StorageError
from tests.docs.documents import list_blocks, read_document
from tests.lots import make_line, write_lot
from tests.s3 import BUCKET, Policy, Server, make_client, start_server

PREFIX = "rights"
WHOLE = "a-bucket-that-is-a-lake"
SAVES_MONEY = "s3:AbortMultipartUpload"
"""Without it a failed upload leaves its parts, and everything works."""

LOT = "landing/lots/delivered=2024-06-01T060000.000000Z/marketing_data_1.csv"
DAYS = "--rows 500 --start 2024-01-01 --end"
SESSIONS = {
    "lander": ["land lots --delivered 2024-06-01T06:00:00Z"],
    "merger": [
        "merge",
        f"run {DAYS} 2024-01-05 --local-dir out",
        f"run {DAYS} 2024-01-04 --no-csv",
        f"generate {DAYS} 2024-01-05",
        f"withdraw {LOT}",
        "quarantine replay",
        "export lots-out --lots 1000",
        "compact",
        "rebuild",
        "upgrade",
        "doctor",
    ],
    "reader": [
        "kpi platform",
        "diff 1 2",
        "report --html report.html",
        "query 'select count(*) from raw'",
        "views",
        "status",
        "inspect",
        "quarantine list",
        "quarantine show",
        "history",
        "fsck",
    ],
    "cleaner": ["vacuum --retention 0 --force"],
}

AT_THE_ROOT = {
    "merger": ["generate --messy --rows 300 --start 2024-01-01 --end 2024-01-03", "merge"],
    "reader": ["verify", "status", "fsck"],
}


@dataclass(frozen=True)
class Role:
    """One row of the table.

    Attributes:
        commands: That it can do.
        actions: That it needs.
    """

    commands: list[str]
    actions: list[str]


def read_roles() -> dict[str, Role]:
    roles: dict[str, Role] = {}
    rows = re.findall(
        r"^\| (\w+) \| (.*) \| (.*`s3:.*) \|$", read_document("docs/s3.md"), re.MULTILINE
    )
    for name, commands, rights in rows:
        others = re.match(r"the (\w+)'s, and", rights)
        actions = roles[others[1]].actions if others else []
        roles[name] = Role(
            re.findall(r"`([a-z ]+)`", commands), [*actions, *re.findall(r"`(s3:\w+)`", rights)]
        )
    return roles


def make_policy(actions: list[str], *, bucket: str = BUCKET, prefix: str = PREFIX) -> Policy:
    """The policy of the document with other actions; without a prefix, that of a whole bucket."""
    (block,) = [block for block in list_blocks("docs/s3.md") if block.about == "reader.json"]
    text = block.text if prefix else block.text.replace("PREFIX/", "")
    policy: dict[str, Any] = json.loads(text.replace("BUCKET", bucket).replace("PREFIX", prefix))
    listing, files = policy["Statement"]
    if not prefix:
        del listing["Condition"]
    files["Action"] = [one for one in actions if one not in listing["Action"]]
    granted = [listing] if listing["Action"][0] in actions else []
    return policy | {"Statement": [*granted, files] if files["Action"] else granted}


ROLES = read_roles()
LACKING = [
    (name, action)
    for name, role in ROLES.items()
    for action in role.actions
    if action != SAVES_MONEY
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    roles = {name: make_policy(role.actions) for name, role in ROLES.items()}
    for name, action in LACKING:
        others = [one for one in ROLES[name].actions if one != action]
        roles[name_lacking(name, action)] = make_policy(others)
    for name in AT_THE_ROOT:
        roles[f"{name}-at-the-root"] = make_policy(ROLES[name].actions, bucket=WHOLE, prefix="")
    with start_server(tmp_path_factory.mktemp("s3"), roles=roles) as server:
        yield server


def name_lacking(name: str, action: str) -> str:
    return f"{name}-without-{action.removeprefix('s3:')}"


@pytest.fixture
def shell(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> "Shell":
    write_lot(tmp_path / "lots/marketing_data_1.csv", [make_line(), make_line(clicks=2000)])
    monkeypatch.chdir(tmp_path)
    uri = f"s3://{BUCKET}/{PREFIX}/{tmp_path.name}"
    return Shell(server, uri, monkeypatch, capfd)


@dataclass(frozen=True)
class Shell:
    """Runs commands on a lake in one role or another."""

    server: Server
    uri: str
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]

    def run(self, who: Server, line: str) -> tuple[int, str, str]:
        for name, value in who.describe().items():
            self.monkeypatch.setenv(name, value)
        self.capfd.readouterr()
        code = app([*shlex.split(line), "--lake", self.uri], standalone_mode=False) or 0
        output = self.capfd.readouterr()
        return code, output.out, output.err

    def prepare(self) -> None:
        """One merged day, one that replaces it, and a file that no merge has seen."""
        for line in ("run --rows 50", "run --rows 40"):
            dates = "--start 2024-01-01 --end 2024-01-01 --no-csv"
            assert self.run(self.server, f"{line} {dates}")[0] == 0
        assert self.run(self.server, SESSIONS["lander"][0])[0] == 0


def test_each_command_of_the_table_is_tried() -> None:
    assert set(SESSIONS) == set(ROLES)
    for name, session in SESSIONS.items():
        lines = [*session, *AT_THE_ROOT.get(name, [])]
        for command in ROLES[name].commands:
            assert any(line.startswith(command) for line in lines), command


@pytest.mark.slow
def test_with_its_rights_each_role_does_its_work(shell: Shell) -> None:
    for name, lines in SESSIONS.items():
        for line in lines:
            code, _, told = shell.run(shell.server.take_role(name), line)
            assert code == 0, (name, line, told)
    code, out, told = shell.run(shell.server.take_role("reader"), "fsck --format json")
    assert (code, json.loads(out)["findings"]) == (0, []), told


@pytest.mark.slow
def test_at_the_root_of_a_bucket_they_do_so_without_the_condition(shell: Shell) -> None:
    make_client(shell.server.describe()).create_bucket(Bucket=WHOLE)
    shell = replace(shell, uri=f"s3://{WHOLE}")
    assert "at the bucket's root" in read_document("docs/s3.md")
    for name, lines in AT_THE_ROOT.items():
        for line in lines:
            code, said, told = shell.run(shell.server.take_role(f"{name}-at-the-root"), line)
            # Messy deliveries leave something to look at.
            assert code == (3 if line == "merge" else 0), (name, line, said, told)


@pytest.mark.slow
def test_without_any_one_of_its_rights_a_role_is_told_which(shell: Shell) -> None:
    shell.prepare()
    where = re.escape(f"{BUCKET}/{PREFIX}/")
    for name, action in LACKING:
        who = shell.server.take_role(name_lacking(name, action))
        line = SESSIONS[name][0]
        if name == "cleaner" and action == "s3:PutObject":
            continue  # a vacuum writes nothing; whoever may merge and clear up has it
        if name == "lander":
            line = "land lots"  # another delivery
        code, _, told = shell.run(who, line)
        assert code == StorageError.exit_code, (name, action, told)
        refused = rf"{action} on {where}\S+ \(region us-east-1\): AccessDenied: these credentials"
        assert re.search(refused, told), (name, action, told)
        assert told.count("\n") == 1, told
    assert shell.run(shell.server, "merge")[0] == 0
    assert shell.run(shell.server, "fsck")[0] == 0


@pytest.mark.slow
def test_doctor_names_the_right_the_file_and_the_region(shell: Shell) -> None:
    for name, action in (
        ("reader", "s3:PutObject"),
        ("merger-without-ListBucket", "s3:ListBucket"),
    ):
        code, out, _ = shell.run(shell.server.take_role(name), "doctor")
        assert code == StorageError.exit_code
        assert re.search(rf"FAILED  .*: {action} on {BUCKET}/{PREFIX}/.* \(region us-east-1\)", out)
