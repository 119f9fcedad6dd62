"""The console command as a person uses it: what it says, its exit codes, one readable line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Shell
from tests.lots import make_line, write_lot


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A lake after a small main job."""
    shell = Shell(tmp_path_factory.mktemp("cli"))
    done = shell.run("run", "--rows", "3000", "--start", "2024-01-01", "--end", "2024-01-31")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return shell


def test_the_main_job_leaves_a_master_and_a_csv_in_both_places(shell: Shell) -> None:
    name = "marketing_master_dataset.csv"
    assert (shell.folder / "exports" / name).read_bytes() == (
        shell.lake / "exports" / name
    ).read_bytes()
    assert (shell.folder / "exports" / name).read_text().count("\n") == 3001


def test_status_is_one_object_with_the_documented_names(shell: Shell) -> None:
    status = shell.read("status")
    assert status.pop("last_merge_at").endswith("Z")
    assert status == {
        "lake": str(shell.lake),
        "master_version": 1,
        "master_rows": 3000,
        "rows_in": 3000,
        "accepted": 3000,
        "quarantined": 0,
        "duplicates": 0,
        "superseded": 0,
        "files": 31,
    }


def test_kpis_are_lists_of_objects_with_exact_decimals(shell: Shell) -> None:
    rows = shell.read("kpi", "platform")
    names = [
        "platform",
        "spend",
        "clicks",
        "impressions",
        "cpc",
        "ctr",
        "cpm",
        "cvr",
        "cpa",
        "roas",
        "roi",
    ]
    assert set(names) <= rows[0].keys()
    total = shell.read("query", "select sum(cost) as spend, sum(clicks) as clicks from ad_day")
    assert sum(row["spend"] for row in rows) == total[0]["spend"]
    assert sum(row["clicks"] for row in rows) == total[0]["clicks"]
    audiences = shell.read("kpi", "audience")
    means = [row["avg_view_time"] for row in audiences]
    assert len(audiences) == 8
    assert means == sorted(means, reverse=True)


def test_a_fraction_is_a_fraction_in_json_and_percent_on_the_console(shell: Shell) -> None:
    ctr = shell.read("kpi", "platform")[0]["ctr"]
    assert ctr < 1
    assert f"{ctr * 100:.2f}" in shell.run("report").stdout


def test_the_report_fits_eighty_columns_and_is_plain_when_piped(shell: Shell) -> None:
    text = shell.run("report").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert text.isprintable() or "\x1b" not in text
    for word in ("Facebook ADS", "Google ADS", "ROI", "Mujer +46", "Rows in", "version 1"):
        assert word in text
    for title in ("At a glance: ", "Funnel: ", "Best campaigns: ", "Sources\n"):
        assert f"\n\n{title}" in text


def test_the_views_run_in_a_persons_own_duckdb(shell: Shell) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute(shell.run("views").stdout)
    assert connection.sql("select count(*) from ad_day").fetchone() == (3000,)


def test_inspect_shows_columns_partitions_and_first_rows(shell: Shell) -> None:
    found = shell.read("inspect")
    assert found["columns"][0] == {"column": "source", "type": "string"}
    assert [part["rows"] for part in found["partitions"]] == [3000]
    assert len(found["rows"]) == 10
    assert shell.run("inspect").stdout.startswith("columns\n")


def test_doctor_finds_a_good_lake_good(shell: Shell) -> None:
    done = shell.run("doctor")
    assert done.returncode == 0
    assert "FAILED" not in done.stdout


def test_export_writes_lots_and_parquet(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("export", str(tmp_path / "lots"), "--lots", "1000").returncode == 0
    assert sorted(path.name for path in (tmp_path / "lots").iterdir()) == [
        "marketing_data_1.csv",
        "marketing_data_2.csv",
        "marketing_data_3.csv",
    ]
    assert shell.run("export", str(tmp_path / "p"), "--format", "parquet").returncode == 0
    assert [path.suffix for path in (tmp_path / "p").iterdir()] == [".parquet"]


@pytest.mark.slow
def test_old_versions_stay_readable(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for number in (1, 2):
        write_lot(shell.lake / f"marketing_data_{number}.csv", [make_line(campaign_id=number)])
        assert shell.run("merge").returncode == 0
    assert shell.read("query", "select count(*) as n from ad_day", "--version", "1") == [{"n": 1}]
    assert shell.read("status", "--version", "1")["files"] == 1
    assert shell.read("status")["files"] == 2


def test_a_dirty_file_is_merged_quarantined_and_asks_for_a_look(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    lines = [make_line(campaign_id=n, clicks=-1 if n < 10 else 1) for n in range(100)]
    lot = write_lot(tmp_path / "my export.csv", lines)
    landed = shell.run("land", str(lot))
    assert landed.returncode == 0
    assert "contract lots" in landed.stdout
    merged = shell.run("merge")
    assert merged.returncode == 3
    assert "10 of 100 rows were rejected" in merged.stderr
    assert shell.run("merge").returncode == 0
    assert shell.read("status")["quarantined"] == 10
    rejects = shell.read("query", "select line, rule, raw from quarantine order by line")
    assert rejects[0] == {"line": 2, "rule": "negative_clicks", "raw": lines[0]}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--nope"], 2, "No such option"),
        (["nope"], 2, "No such command"),
        (["run", "--rows", "0"], 2, "rows is 0"),
        (["run", "--rows", "-5"], 2, "rows is -5"),
        (["run", "--rows", "many"], 2, "should be a valid integer"),
        (["run", "--start", "2024-02-01", "--end", "2024-01-01"], 2, "before it starts"),
        (["run", "--start", "01/02/2024"], 2, "expected a day as YYYY-MM-DD"),
        (["run", "--end", "9999-01-01"], 2, "not here yet"),
        (["generate", "--rows", "1", "--rows-per-day", "1"], 2, "exactly one"),
        (["generate", "--only", "2023-01-01"], 2, "outside the range"),
        (["generate", "--locale", "xx_XX"], 2, "xx_XX"),
        (["land", "none.csv"], 2, "none.csv: there is no such file"),
        (["land", "."], 2, "no file to land"),
        (["merge"], 2, "no file to merge"),
        (["kpi", "nope"], 2, "no KPI 'nope'"),
        (["kpi", "platform"], 1, "holds no master table yet"),
        (["status"], 1, "holds no master table yet"),
        (["query", "select 1"], 1, "holds no master table yet"),
        (["export", "out"], 1, "holds no master table yet"),
        (["merge", "--lake", "gs://bucket"], 2, "'gs'"),
        (["merge", "--lake", "/proc/nowhere"], 2, "/proc/nowhere"),
        (["run", "--rows", "10", "--lake", "/proc/nowhere"], 4, "/proc/nowhere"),
        (["doctor", "--lake", "/proc/nowhere"], 4, "not fit for a lake"),
    ],
)
def test_wrong_use_ends_with_one_line_its_code_and_nothing_written(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    shell = Shell(tmp_path)
    done = shell.run(*arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["query", "drop view ad_day"], 2, "exactly one statement"),
        (["query", "select * from nope"], 2, "nope"),
        (["query", "select * from read_text('/etc/passwd')"], 2, "files of this lake"),
        (["status", "--version", "99"], 1, "no readable version 99"),
        (["export", "/proc/nowhere"], 4, "/proc/nowhere"),
        (["export", "out", "--lots", "0"], 2, "at least 1 row"),
        (["export", "out", "--format", "xml"], 2, "expected csv or parquet"),
    ],
)
def test_wrong_reading_ends_with_its_code(
    shell: Shell, arguments: list[str], code: int, words: str
) -> None:
    done = shell.run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_wrong_use(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert "ADLAKE_WORKERS" in shell.run("status", ADLAKE_WORKERS="many").stderr
    write_lot(shell.lake / "marketing_data_1.csv", [make_line()])
    done = shell.run("merge", ADLAKE_CONTRACTS=str(tmp_path / "none"))
    assert (done.returncode, "ADLAKE_CONTRACTS" in done.stderr) == (2, True)


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" in Shell(tmp_path).run("status", "--debug").stderr


def test_help_imports_no_heavy_library() -> None:
    heavy = ("polars", "pyarrow", "duckdb", "deltalake", "numpy", "faker", "s3fs", "rich.table")
    code = (
        "import sys\n"
        "from pipeline.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Generate, merge, report and export" in done.stdout


def test_an_export_never_goes_among_the_deliveries(shell: Shell) -> None:
    for folder in ("", "landing/lots", "raw"):
        done = shell.run("export", str(shell.lake / folder), "--lots", "1000")
        assert (done.returncode, "lies in the lake itself" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "s3://lake/out"),
        ("query", "select 1", "--output", "s3://lake/q.csv"),
        ("report", "--html", "https://store/r.html"),
        ("run", "--local-dir", "gs://lake/out"),
        ("init", "s3://lake/shop"),
    ],
)
def test_no_result_is_written_into_a_folder_that_is_called_like_a_bucket(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    before = sorted(shell.folder.iterdir())
    done = shell.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no place on this machine; name a file or folder here" in done.stderr
    assert sorted(shell.folder.iterdir()) == before


def test_a_query_of_the_files_of_a_table_is_warned_of(shell: Shell) -> None:
    done = shell.run("query", f"select 1 from '{shell.lake}/master/**/*.parquet' limit 1")
    assert done.returncode == 0
    assert done.stderr == (
        "the statement names files below master/, where those of earlier versions lie as well: "
        "only the view ad_day has the rows of one version, each once\n"
    )
    assert shell.run("query", "select 'landing/lots/a.csv' from ad_day limit 1").stderr == ""


@pytest.mark.slow
def test_a_lake_with_a_hole_is_said_to_have_one(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    write_lot(shell.lake / "marketing_data_1.csv", [make_line()])
    shell.run("merge")
    for file in [*shell.lake.rglob("year=*/month=*/*.parquet")]:
        file.unlink()
    for command in (["kpi", "platform"], ["query", "select * from ad_day"], ["inspect"]):
        done = shell.run(*command)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert "cannot be read" in done.stderr
        assert "fault of adlake" not in done.stderr


def test_values_beyond_python_are_refused_with_advice(shell: Shell) -> None:
    done = shell.run("query", "select 'infinity'::date as day")
    assert (done.returncode, "cast it to varchar" in done.stderr) == (2, True)


def test_an_ascii_terminal_gets_escapes_and_no_error(shell: Shell) -> None:
    done = shell.start("query", "select 'Años' as text", PYTHONIOENCODING="ascii")
    assert (done.returncode, "A\\xf1os" in done.stdout) == (0, True)


def run_signalled(script: str, signal_name: str) -> tuple[int, str]:
    """The exit code and stderr of a script that sends itself the signal that it is given."""
    command = [sys.executable, "-c", script, signal_name]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stderr


IN_A_STATEMENT = """
import os, signal, sys, threading
import duckdb, typer
from pipeline.cli import signals
from pipeline.cli.command import LakeOptions, open_session
signals.end_by_signals()
threading.Timer(0.3, os.kill, (os.getpid(), signal.Signals[sys.argv[1]])).start()
try:
    with open_session(LakeOptions(lake=None)):
        duckdb.sql("select sum(a.range * b.range) from range(10000000) a, range(10000000) b").show()
except typer.Exit as end:
    sys.exit(end.exit_code)
"""


@pytest.mark.parametrize(("signal_name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_that_the_engine_makes_an_error_of_its_own_ends_the_command_all_the_same(
    signal_name: str, code: int
) -> None:
    done = run_signalled(IN_A_STATEMENT, signal_name)
    assert done == (code, "adlake: interrupted; what was committed stands\n")


WHILE_IT_STARTS = """
import importlib.abc, os, signal, sys

class Stop(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), signal.Signals[sys.argv[1]])

sys.meta_path.insert(0, Stop())
from pipeline.cli import main
main()
"""


@pytest.mark.parametrize(("signal_name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_ends_a_command_that_is_just_starting(signal_name: str, code: int) -> None:
    done = run_signalled(WHILE_IT_STARTS, signal_name)
    assert done == (code, "adlake: interrupted; nothing was begun\n")


@pytest.mark.slow
@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGINT"])
def test_a_run_that_is_stopped_leaves_nothing_half_done(tmp_path: Path, signal_name: str) -> None:
    shell = Shell(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", "--rows", "30000", "-v"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ADLAKE_URI": str(shell.lake)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("resolving"):
                break
        process.send_signal(getattr(signal, signal_name))
        rest = process.stderr.read()
    assert process.returncode == {"SIGTERM": 143, "SIGINT": 130}[signal_name]
    assert "Traceback" not in rest
    assert [path for path in shell.lake.iterdir() if path.name.startswith(".")] == []
    done = shell.run("run", "--rows", "30000")
    assert (done.returncode, shell.read("status")["master_rows"]) == (0, 30_000)
