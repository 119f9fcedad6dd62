"""Commands on refused rows, withdrawals and held deliveries, as a person uses them."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.exports import CONNECTOR_EXPORTS, DOWNLOADS, TOTALS
from tests.lots import make_line, write_lot
from tests.sources import write_contract, write_delivery

LOT = "landing/lots/delivered=2024-06-01/lot.csv"
OTHER = "landing/agency/delivered=2024-06-02/other lot.csv"
NONE = "landing/agency/delivered=2024-06-03/none.csv"
DIRTY = "c\x1b[31m\x07"


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A lake with rows of two sources and one file in quarantine; only read by tests."""
    shell = Shell(tmp_path_factory.mktemp("quarantine"))
    good = [make_line(campaign_id=number) for number in range(200)]
    bad = [make_line(campaign_id=number, clicks=-1) for number in range(3)]
    odd = make_line(campaign_id=DIRTY)
    write_lot(shell.lake / LOT, [*bad, odd, *good])
    write_lot(shell.lake / OTHER, [make_line(platform="Other"), bad[0], *good])
    (shell.lake / NONE).parent.mkdir(parents=True)
    (shell.lake / NONE).write_text("a,b\n1,2\n")
    done = shell.run("merge")
    assert done.returncode == 3, done.stderr
    assert f"quarantined {NONE}: header_mismatch" in done.stderr
    assert "6 rows: adlake quarantine show" in done.stderr
    return shell


@pytest.mark.parametrize(
    ("by", "column", "expected"),
    [
        (
            "reason",
            "rule",
            [
                ("negative_clicks", 2, 4),
                ("control_char", 1, 1),
                ("unknown_platform", 1, 1),
                ("header_mismatch", 1, 0),
            ],
        ),
        ("file", "path", [(LOT, 1, 4), (OTHER, 1, 2), (NONE, 1, 0)]),
        ("source", "source", [("lots", 1, 4), ("agency", 2, 2)]),
    ],
)
def test_the_list_counts_by(
    dirty: Shell, by: str, column: str, expected: list[tuple[str, int, int]]
) -> None:
    rows = dirty.read("quarantine", "list", "--by", by)
    assert [(row[column], row["files"], row["refused_rows"]) for row in rows] == expected
    table = dirty.run("quarantine", "list", "--by", by)
    assert (table.returncode, table.stderr) == (0, "")
    assert f"in quarantine, by {by}" in table.stdout
    assert all(name in table.stdout for name, _, _ in expected)


def test_the_list_counts_by_reason_unless_told(dirty: Shell) -> None:
    assert dirty.read("quarantine", "list") == dirty.read("quarantine", "list", "--by", "reason")
    done = dirty.run("quarantine", "list", "--by", "colour")
    assert (done.returncode, "'reason', 'file', 'source'" in done.stderr) == (2, True)


@pytest.mark.slow
def test_the_rows_of_a_file_are_shown_by_rule_and_up_to_a_limit(dirty: Shell) -> None:
    command = ["quarantine", "show", LOT, "--rule", "negative_clicks"]
    rows = dirty.read(*command)
    assert [row["line"] for row in rows] == [2, 3, 4]
    assert rows[0] == {
        "path": LOT,
        "line": 2,
        "rule": "negative_clicks",
        "column": "clicks",
        "value": "-1",
        "expected": rows[0]["expected"],
        "raw": make_line(campaign_id=0, clicks=-1),
    }
    assert rows[0]["expected"]
    assert dirty.read(*command, "--limit", "2") == rows[:2]
    assert len(dirty.read("quarantine", "show")) == 7
    assert len(dirty.read("quarantine", "show", OTHER)) == 2
    assert dirty.read("quarantine", "show", LOT, "--rule", "unknown_platform") == []
    for limit in ("0", "-1", "many"):
        done = dirty.run(*command, "--limit", limit)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_file_that_was_refused_whole_is_shown_with_its_reason(dirty: Shell) -> None:
    (row,) = dirty.read("quarantine", "show", NONE)
    assert (row["path"], row["line"], row["rule"]) == (NONE, None, "header_mismatch")


def test_control_characters_never_reach_the_terminal(dirty: Shell) -> None:
    done = dirty.run("quarantine", "show", "--rule", "control_char")
    assert done.returncode == 0
    assert r"c\x1b[31m\x07" in done.stdout
    as_json = dirty.run("quarantine", "show", "--rule", "control_char", "--format", "json")
    assert r"c\u001b[31m\u0007" in as_json.stdout
    for text in (done.stdout, as_json.stdout):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    (row,) = dirty.read("quarantine", "show", "--rule", "control_char")
    assert row["raw"] == make_line(campaign_id=DIRTY)


def test_a_csv_shows_no_control_characters_on_a_terminal_and_all_of_them_elsewhere(
    dirty: Shell,
) -> None:
    command = ["quarantine", "show", "--rule", "control_char", "--format", "csv"]
    assert DIRTY in dirty.run(*command).stdout
    shown = dirty.run_on_terminal(*command)
    assert r"c\x1b[31m\x07" in shown
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", shown)


def test_a_lake_without_a_master_has_no_quarantine(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for command in (["list"], ["show"], ["replay"]):
        done = shell.run("quarantine", *command)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "holds no master table yet" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_replay_after_the_contract_was_widened_merges_each_row_once(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    own = {"ADLAKE_CONTRACTS": str(tmp_path / "own")}
    write_contract(tmp_path / "own", mode="append", campaigns=["a"])
    good = [f"2024-01-{day:02d},a,1" for day in range(1, 32)]
    path = write_delivery(shell.lake, 1, [*good, "2024-01-02,b,5", "2024-01-03,c,7"])
    merged = shell.run("merge", **own)
    assert (merged.returncode, "2 rows: adlake quarantine show" in merged.stderr) == (0, True)
    same = shell.run("quarantine", "replay", **own)
    assert (same.returncode, "nothing new to merge" in same.stdout) == (0, True)

    write_contract(tmp_path / "own", mode="append", campaigns=["a", "b"])
    done = shell.run("quarantine", "replay", path, **own)
    assert "32 rows in" in done.stdout
    assert done.returncode == 0, done.stderr
    costs = "select sum(cost) as cost, count(*) as rows from ad_day"
    assert shell.read("query", costs) == [{"cost": 36, "rows": 32}]
    (left,) = shell.read("quarantine", "show")
    assert (left["line"], left["value"]) == (34, "c")

    again = shell.run("quarantine", "replay", path, **own)
    assert (again.returncode, "nothing new to merge" in again.stdout) == (0, True)
    assert shell.run("merge", **own).returncode == 0
    assert shell.read("query", costs) == [{"cost": 36, "rows": 32}]


@pytest.mark.slow
def test_a_replay_takes_in_a_file_that_was_refused_whole(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    own = {"ADLAKE_CONTRACTS": str(tmp_path / "own")}
    (tmp_path / "own").mkdir()
    path = write_delivery(shell.lake, 1, ["2024-01-02,b,5"])
    assert shell.run("merge", **own).returncode == 3
    write_contract(tmp_path / "own", mode="append")
    other = shell.run("quarantine", "replay", "--source", "nobody", **own)
    assert (other.returncode, "nothing new to merge" in other.stdout) == (0, True)
    done = shell.run("quarantine", "replay", "--source", "shop", **own)
    assert (done.returncode, "1 row in" in done.stdout) == (0, True)
    assert shell.read("quarantine", "list") == []
    gone = shell.run("quarantine", "replay", path, **own)
    assert (gone.returncode, "nothing in quarantine" in gone.stderr) == (2, True)


def test_a_replay_says_what_it_left_as_it_was_and_asks_for_a_look(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    gone = "landing/lots/delivered=2024-06-01/a.csv"
    write_lot(shell.lake / gone, [make_line(), make_line(clicks=-1)])
    assert shell.run("merge").returncode == 0
    (shell.lake / gone).unlink()
    done = shell.run("quarantine", "replay")
    assert (done.returncode, "nothing new to merge" in done.stdout) == (3, True)
    assert done.stderr.startswith(f"left as it was: {gone} can't be read again")
    assert "put it back" in done.stderr


@pytest.mark.slow
def test_an_unknown_file_is_wrong_use(dirty: Shell) -> None:
    version = dirty.read("status")["master_version"]
    for command in (
        ["quarantine", "show"],
        ["quarantine", "replay"],
        ["withdraw"],
        ["merge", "--accept"],
    ):
        done = dirty.run(*command, "nosuchfile")
        assert (done.returncode, done.stdout) == (2, "")
        assert "nosuchfile" in done.stderr
        assert done.stderr.count("\n") == 1
    assert f"files: {LOT}, {OTHER}, {NONE}" in dirty.run("quarantine", "show", "nix").stderr
    assert dirty.run("withdraw", NONE).returncode == 2
    assert dirty.read("status")["master_version"] == version


@pytest.mark.slow
def test_a_file_that_is_withdrawn_is_gone_and_stays_away(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    path = "landing/lots/delivered=2024-06-02/my lot.csv"
    first = "landing/lots/delivered=2024-06-01/a.csv"
    write_lot(shell.lake / first, [make_line(clicks=10), make_line(campaign_id="d")])
    write_lot(shell.lake / path, [make_line(clicks=11), make_line(campaign_id="e")])
    assert shell.run("merge").returncode == 0
    clicks = "select campaign_id, clicks from ad_day order by all"
    assert [row["clicks"] for row in shell.read("query", clicks)] == [11, 20, 20]

    done = shell.run("withdraw", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 withdrawn" in done.stdout
    left = [{"campaign_id": "c1", "clicks": 10}, {"campaign_id": "d", "clicks": 20}]
    assert shell.read("query", clicks) == left
    ledger = "select outcome from ledger where path like '%my lot.csv' order by n desc limit 1"
    assert shell.read("query", ledger) == [{"outcome": "withdrawn"}]
    again = shell.run("withdraw", path)
    assert (again.returncode, again.stdout) == (
        0,
        f"{path} is withdrawn already; master at version 2\n",
    )
    assert shell.run("merge").returncode == 0
    assert shell.read("query", clicks) == left
    assert (shell.lake / path).is_file()

    assert shell.run("land", str(shell.lake / path)).returncode == 0
    assert shell.run("merge").returncode == 0
    assert [row["clicks"] for row in shell.read("query", clicks)] == [11, 20, 20]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Campaña [1] $x.csv", "it's.csv"])
def test_a_held_delivery_waits_until_a_person_accepts_it(tmp_path: Path, name: str) -> None:
    shell = Shell(tmp_path)
    own = {"ADLAKE_CONTRACTS": str(tmp_path / "own")}
    write_contract(tmp_path / "own", mode="replace_window")
    rows = [f"2024-01-{1 + number % 10:02d},c{number},1" for number in range(120)]
    write_delivery(shell.lake, 1, rows)
    assert shell.run("merge", **own).returncode == 0
    path = write_delivery(shell.lake, 2, rows[:10], name=name)

    held = shell.run("merge", **own)
    assert held.returncode == 3
    assert "1 held" in held.stdout
    assert f"held back {path}: large_shrink: it would replace 120 rows" in held.stderr
    assert shell.run("merge", **own).returncode == 0
    assert shell.read("status")["master_rows"] == 120

    said = re.search(r"adlake (merge --accept .*)", held.stderr)
    assert said is not None
    command = shlex.split(said[1])
    assert command == ["merge", "--accept", path]
    done = shell.run(*command, **own)
    assert (done.returncode, "10 rows in, 120 out" in done.stdout) == (0, True)
    again = shell.run(*command, **own)
    assert (again.returncode, "not held back" in again.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("download_first", [True, False])
def test_what_a_held_delivery_says_of_two_names_can_be_done_word_for_word(
    tmp_path: Path, download_first: bool
) -> None:
    shell = Shell(tmp_path)
    download = next(one for one in DOWNLOADS if one.source == "tiktok_ads").write(tmp_path)
    rows = next(one for one in CONNECTOR_EXPORTS if one.source == "tiktok_ads").write(tmp_path)
    order = [download, rows] if download_first else [rows, download]
    said = ""
    for day, file in enumerate(order, start=1):
        landed = shell.run("land", file.name, "--delivered", f"2024-03-0{day}T12:00:00Z")
        assert landed.returncode == 0, landed.stderr
        said = shell.run("merge").stderr
    assert "same_campaigns" in said

    if download_first:
        commands = re.search(r"adlake (withdraw .*), then adlake (land [^;]*);", said)
        assert commands is not None, said
        gone, again = (shell.run(*shlex.split(command)) for command in commands.groups())
        assert (gone.returncode, again.returncode) == (0, 0), gone.stderr + again.stderr
        assert "judged again by the next `adlake merge`: 1 file, first landing/" in gone.stderr
    else:
        option = re.search(r"land it with (--account \S+);", said)
        assert option is not None, said
        again = shell.run("land", download.name, *shlex.split(option[1]))
        assert again.returncode == 0, again.stderr
    done = shell.run("merge")
    assert (done.returncode, "held" in done.stdout) == (0, False)
    figures = "select count(distinct account) as accounts, sum(cost) as cost from ad_day"
    assert shell.read("query", figures) == [{"accounts": 1, "cost": TOTALS["cost"]}]
    assert "nothing new" in shell.run("merge").stdout
