"""kpi, diff and query as a person uses them: filters, versions, forms, and what is refused."""

import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.cli.options import Format, parse_day, parse_moment
from pipeline.cli.output import print_result
from pipeline.errors import UsageError
from pipeline.kpi.catalogue import describe_kpi, list_kpis, read_account, run_kpi
from pipeline.kpi.selection import Selection
from pipeline.kpi.views import open_kpi_connection, views_sql
from pipeline.lake import Lake
from pipeline.report.html import render_html
from pipeline.report.words import find_language
from pipeline.steps.page import read_page
from pipeline.storage import LocalStorage
from tests.cli.shell import ROOT, Shell
from tests.lakes import build_lake, make_row
from tests.lots import make_line, write_lot

INJECTIONS = (
    *("'", "''", '"', "`", ";", "--", "/*", "*/", "\\", "%", "_", "$1", "$start", "?", "", "\0"),
    *("x' or 1=1 --", "x' or '1'='1", '" or ""="', "') or ('1'='1", "1 or 1=1", "null", "true"),
    *("'; drop view ad_day; --", "'; select 1; --", "x'; attach 'x.db' as x; --"),
    *("' union all select * from ledger --", "' union select getenv('HOME') --", "${HOME}"),
    *("(select 1)", "read_text('/etc/passwd')", "'||(select 1)||'", "$$x$$", "e'\\x27'"),
    *(
        "\n; select 1",
        "'\t or 1=1",
        "\u02bc or 1=1 --",
        "\uff07 or 1=1 --",
        "{{1}}",
        "x\u0000' or 1",
    ),
)
"""Values that try to be SQL."""

ENDLESS = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A lake of three versions: empty, one lot, two lots."""
    shell = Shell(tmp_path_factory.mktemp("cli"))
    for number in (1, 2):
        lines = [make_line(campaign_id=f"{number}-{line}") for line in range(3)]
        write_lot(shell.lake / f"marketing_data_{number}.csv", lines)
        assert shell.run("merge").returncode == 0
    return shell


def test_kpis_are_listed_with_what_they_say(shell: Shell) -> None:
    entries = shell.read("kpi", "--list")
    assert [entry["kpi"] for entry in entries] == list(list_kpis())
    assert all(entry["purpose"] and entry["grain"] and entry["filters"] for entry in entries)
    assert "What each platform cost and brought." in shell.run("kpi").stdout


def test_no_kpi_shows_a_person_none_nan_or_infinity(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Lake(LocalStorage(shell.lake))
    with open_kpi_connection(lake, lake.take_snapshot()) as connection:
        for name in list_kpis():
            for form in Format:
                print_result(run_kpi(connection, name), form=form)
    words = capsys.readouterr().out.replace(",", " ").split()
    assert len(words) > 1000
    assert not {"None", "nan", "NaN", "inf", "-inf", "Infinity"} & set(words)


def test_there_are_forty_injections() -> None:
    assert len(set(INJECTIONS)) == 40


@pytest.mark.slow
def test_the_value_of_a_filter_is_never_a_part_of_the_statement(shell: Shell) -> None:
    lake = Lake(LocalStorage(shell.lake))
    snapshot = lake.take_snapshot()
    with open_kpi_connection(lake, snapshot) as connection:
        for injected in INJECTIONS:
            for name in ("platform", "audience", "campaign", "source"):
                selection = Selection(**{name: injected})
                for kpi in ("total", "campaign"):
                    assert run_kpi(connection, kpi, selection).rows == ()
                assert render_html(read_page(connection, snapshot, selection))
            assert read_account(connection, source=injected).to_dicts()[0]["files"] == 0
        assert run_kpi(connection, "total").rows


@pytest.mark.parametrize("injected", INJECTIONS)
def test_an_option_that_is_no_text_takes_nothing_that_could_be_sql(injected: str) -> None:
    with pytest.raises(UsageError, match="expected a day as YYYY-MM-DD"):
        parse_day(injected, option="--start")
    with pytest.raises(UsageError, match="expected a time as YYYY-MM-DD"):
        parse_moment(injected, option="--as-of")
    with pytest.raises(UsageError, match="cannot be ranked by"):
        Selection(by=injected)
    with pytest.raises(UsageError, match="there is no KPI"):
        describe_kpi(injected)
    with pytest.raises(UsageError, match="expected en or es"):
        find_language(injected)


@pytest.mark.parametrize("injected", INJECTIONS)
def test_a_lake_may_be_called_anything(tmp_path: Path, injected: str) -> None:
    kept = [mark for mark in injected if mark.isprintable() and mark not in "/?#%\\"]
    name = "".join(kept).strip() or "_"
    lake = build_lake(tmp_path / name, [make_row(cost=5)])
    snapshot = lake.take_snapshot()

    with open_kpi_connection(lake, snapshot) as connection:
        assert run_kpi(connection, "total").to_dicts()[0]["spend"] == 5
    with duckdb.connect() as own:
        own.execute(views_sql(lake, snapshot))
        assert own.execute("select sum(cost) from ad_day").fetchone() == (5,)


def test_a_kpi_says_which_version_it_read_and_nulls_are_dashes(shell: Shell) -> None:
    table = shell.run("kpi", "platform", "--version", "1").stdout
    assert table.startswith("platform, table version 1\n")
    assert "\n\N{EN DASH} is not known, or a ratio whose denominator is 0" in table


def test_dashes_of_any_table_say_what_they_mean(shell: Shell) -> None:
    said = "\N{EN DASH} is null: there is no value, or none is known\n"
    assert said in shell.run("query", "select null as nothing").stdout
    assert said not in shell.run("query", "select 1 as one").stdout
    assert said not in shell.run("query", "select null as nothing", "--format", "csv").stdout
    assert (
        "\n\N{EN DASH} is not known: the version is none of a merge" in shell.run("history").stdout
    )


@pytest.mark.slow
def test_filters_and_ranks_reach_the_statement(shell: Shell) -> None:
    whole = shell.read("kpi", "campaign")
    assert len(whole) == 6
    assert shell.read("kpi", "campaign", "--limit", "2") == whole[:2]
    assert shell.read("kpi", "campaign", "--top", "1", "--bottom", "1") == [whole[0], whole[-1]]
    assert shell.read("kpi", "campaign", "--campaign", "2-1") == [
        {**row, "rank": 1} for row in whole if row["campaign_id"] == "2-1"
    ]
    assert shell.read("kpi", "total", "--platform", "x' or 1=1 --") == []


@pytest.mark.slow
def test_versions_are_read_by_number_and_by_time_and_compared(shell: Shell, tmp_path: Path) -> None:
    old, new = (shell.read("kpi", "total", "--version", number) for number in ("1", "2"))
    assert new[0]["spend"] == 2 * old[0]["spend"]
    assert shell.read("kpi", "total", "--as-of", "2999-01-01T10:00") == new
    moved = shell.read("diff", "1", "2")
    assert moved[0]["kpi"] == "total"
    assert moved[0]["change"] == new[0]["spend"] - old[0]["spend"]
    assert shell.read("diff", "2", "2") == []
    done = shell.run("export", str(tmp_path / "out"), "--version", "1")
    assert "3 rows of version 1" in done.stdout
    assert "table version 1" in shell.run("report", "--version", "1").stdout
    made = {row["version"]: row["at"] for row in shell.read("history")}
    for choice in (["--version", "1"], ["--as-of", made[1]]):
        assert shell.read("query", "select count(*) as rows from ad_day", *choice) == [{"rows": 3}]
        assert shell.read("kpi", "total", *choice) == old
        assert shell.run("report", *choice).stdout.startswith("Advertising report, table version 1")
        assert "3 rows of version 1" in shell.run("export", str(tmp_path / "out"), *choice).stdout
        page = shell.run("report", "--html", str(tmp_path / "x.html"), *choice)
        assert "the report of version 1" in page.stdout
        assert ", version 1 of the master" in shell.run("views", *choice).stdout


def test_a_query_is_written_into_a_file_or_a_pipe(shell: Shell, tmp_path: Path) -> None:
    for name in ("a.json", "a.arrow"):
        done = shell.run("query", "select cost from ad_day", "--output", str(tmp_path / name))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.arrow",
        "a.json",
    ]
    assert len(json.loads((tmp_path / "a.json").read_text(), parse_float=Decimal)) == 6
    piped = subprocess.run(
        [sys.executable, "-m", "pipeline", "query", "from ad_day", "--format", "parquet"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ADLAKE_URI": str(shell.lake)},
        capture_output=True,
        check=True,
    )
    assert pq.read_table(io.BytesIO(piped.stdout)).num_rows == 6


def test_a_file_replaces_no_pipe_and_a_link_leads_to_it(shell: Shell, tmp_path: Path) -> None:
    """Nor a device: root could replace /dev/null by a file."""
    pipe, link, target = (tmp_path / name for name in ("pipe", "link", "target.csv"))
    os.mkfifo(pipe)
    link.symlink_to(target)
    csv = ["query", "select 7 as x", "--format", "csv", "--output"]
    for place in (str(pipe), "/dev/stdout"):
        done = shell.run(*csv, place)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{place} is a pipe, a device or the output itself" in done.stderr
    assert pipe.is_fifo()
    done = shell.run(*csv, str(link))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert link.is_symlink()
    assert target.read_text() == "x\n7\n"


def test_a_plan_is_printed_as_duckdb_draws_it(shell: Shell) -> None:
    done = shell.run("query", "explain select sum(cost) from ad_day")
    lines = done.stdout.splitlines()
    assert (done.returncode, "\\n" in done.stdout) == (0, False)
    assert len(lines) > 10
    alike = "select 'a\\nb' as explain_key, 5 as explain_value"
    assert "a\\n" in shell.run("query", alike).stdout
    assert any(line.strip(" \u2502") == "UNGROUPED_AGGREGATE" for line in lines)


def test_a_refused_query_leaves_no_file(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("kept")
    late = "select cast(if(range = 2000000, 'x', '1') as int) as x from range(3000000)"
    done = shell.run("query", late, "--output", str(target))
    assert (done.returncode, "Could not convert" in done.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert target.read_text() == "kept"


@pytest.mark.slow
def test_two_currencies_are_told_apart_everywhere_and_never_added(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    rows = [make_row(currency=name, cost=cost) for name, cost in (("EUR", 1), ("USD", 2))]
    build_lake(shell.lake, rows)

    for kpi in ("total", "platform", "audience", "month", "weekday", "campaign"):
        found = shell.read("kpi", kpi)
        assert [(row["currency"], row["spend"]) for row in found] == [("EUR", 1), ("USD", 2)], kpi
    table = shell.run("report").stdout
    assert [line.split()[2:4] for line in table.splitlines() if line.startswith("Google")] == [
        ["EUR", "1.00"],
        ["USD", "2.00"],
    ]
    done = shell.run("export", "out")
    assert done.returncode == 0
    assert "the costs in this CSV are in EUR, USD, and it has no column" in done.stderr


@pytest.mark.parametrize("command", [["kpi", "platform"], ["report"]])
def test_converted_money_is_said_to_be_so_and_no_currency_is_no_wish(
    tmp_path: Path, command: list[str]
) -> None:
    shell = Shell(tmp_path)
    build_lake(shell.lake, [make_row(cost=2)])
    (shell.lake / "config").mkdir()
    (shell.lake / "config/rates.csv").write_text("date,from,to,rate\n2024-01-01,USD,EUR,0.5\n")
    done = shell.run(*command, "--currency", "EUR", "--format", "json")
    assert done.returncode == 0
    assert '"currency": "EUR", "spend": 1,' in done.stdout
    assert done.stderr.endswith("in EUR, by rates of 2024-01-01 to 2024-01-01\n")
    done = shell.run(*command, "--currency", "")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "adlake: --currency is ''; expected a code such as EUR\n"


def test_a_currency_is_refused_where_there_is_no_money(shell: Shell) -> None:
    without = [name for name in list_kpis() if not describe_kpi(name).is_about_money]
    assert without == ["quality", "quarantine"]
    done = shell.run("kpi", "quality", "--currency", "EUR")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "adlake: the KPI 'quality' has no money; leave --currency out\n"
    assert shell.run("export", "out", "--format", "parquet").stderr == ""


def test_a_long_table_is_cut_and_said_to_be(shell: Shell) -> None:
    done = shell.run("query", "select range from range(10001)")
    assert done.stdout.count("\n") == 10_002
    assert "only the first 10,000 rows" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["kpi", "plattform"], 2, "no KPI 'plattform'; did you mean platform?"),
        (["kpi", "--platform", "x"], 2, "lists all KPIs: leave filters"),
        (["kpi", "day", "--list"], 2, "name one and leave --list out"),
        (["kpi", "--list", "--start", "junk"], 2, "--start is 'junk'"),
        (
            ["kpi", "quality", "--platform", "x"],
            2,
            "cannot be filtered by platform; it knows source: it counts delivered files",
        ),
        (["kpi", "campaign", "--by", "luck"], 2, "cannot be ranked by 'luck'"),
        (["kpi", "day", "--start", "2024-02-01", "--end", "2024-01-01"], 2, "after the last"),
        (["kpi", "day", "--as-of", "yesterday"], 2, "expected a time as YYYY-MM-DD"),
        (["kpi", "day", "--as-of", "2024-01-01", "--version", "1"], 2, "leave one out"),
        (["kpi", "day", "--as-of", "2020-01-01"], 1, "had no version at 2020-01-01"),
        (["kpi", "day", "--version", "99"], 1, "no readable version 99; the newest is 2"),
        (["query", "select 1", "--output", "x.txt"], 2, "a table is for the terminal"),
        (["query", "select 1", "--output", "~nobody-here/x.csv"], 2, "~nobody-here/x.csv"),
        (["query", "select 1", "--output", "/proc/nowhere/x.csv"], 4, "/proc/nowhere"),
        (["query", "select unnest(range(1000000000))"], 2, "needs more memory than a query may"),
        (["query", "select 1\nfrom nope"], 2, "LINE 2: from nope\n             ^"),
    ],
)
def test_wrong_reading_ends_with_its_code_and_a_clear_message(
    shell: Shell, arguments: list[str], code: int, words: str
) -> None:
    done = shell.run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "fault of adlake" not in done.stderr


def test_a_file_of_a_query_never_goes_into_the_lake(shell: Shell) -> None:
    target = shell.lake / "landing" / "x.csv"
    done = shell.run("query", "select 1", "--output", str(target))
    assert (done.returncode, "lies in the lake itself" in done.stderr) == (2, True)
    assert not target.exists()


@pytest.mark.slow
def test_a_vacuumed_version_is_said_to_be_gone(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for clicks in (1, 2):
        write_lot(shell.lake / f"marketing_data_{clicks}.csv", [make_line(clicks=clicks)])
        shell.run("merge")
    assert shell.run("vacuum", "--retention", "0", "--force").returncode == 0
    version = ["--version", "1"]
    for command in (
        ["kpi", "platform", *version],
        ["export", "out", *version],
        ["query", "select 1", *version],
        ["views", *version],
        ["report", *version],
        ["report", "--html", "x.html", *version],
        ["inspect", *version],
        ["diff", "1", "2"],
    ):
        done = shell.run(*command)
        assert (done.returncode, done.stdout) == (1, "")
        assert "version 1 cannot be read any more: 1 of its 1 files are gone" in done.stderr
    assert not (tmp_path / "x.html").exists()
    assert shell.run("kpi", "platform").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0, 0.1, 0.5])
def test_a_signal_ends_a_query_cleanly(
    shell: Shell, seconds: float, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "query", ENDLESS, "-v"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ADLAKE_URI": str(shell.lake)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("querying version 2")
        time.sleep(seconds)
        process.send_signal(number)
        try:
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()  # one that does not end must not keep the test from saying so
    assert process.returncode == 128 + number
    assert said == "adlake: interrupted; what was committed stands\n"


@pytest.mark.slow
def test_money_is_converted_by_the_rates_in_the_lake(shell: Shell) -> None:
    refused = shell.run("kpi", "total", "--currency", "EUR")
    assert refused.returncode == 2
    assert "no config/rates.csv" in refused.stderr
    same = shell.run("kpi", "total", "--currency", "USD", "--format", "json")
    assert (same.stdout, same.stderr.splitlines()[-1]) == (
        shell.run("kpi", "total", "--format", "json").stdout,
        "in USD, as delivered",
    )
    rates = shell.lake / "config/rates.csv"
    rates.parent.mkdir()
    [day] = [row["day"] for row in shell.read("kpi", "day")]
    rates.write_text(f"date,from,to,rate\n{day},USD,EUR,0.5\n")
    try:
        [native] = shell.read("kpi", "total")
        done = shell.run("kpi", "total", "--currency", "EUR", "--format", "json")
        assert done.stderr == (f"total, table version 2\nin EUR, by rates of {day} to {day}\n")
        [converted] = json.loads(done.stdout, parse_float=Decimal)
        assert converted["currency"] == "EUR"
        assert abs(converted["spend"] * 2 - native["spend"]) < Decimal("0.001")
        lacking = shell.run("kpi", "campaign", "--currency", "GBP")
        assert (lacking.returncode, lacking.stdout) == (2, "")
        assert f"USD: the first {day}, 1 in all" in lacking.stderr
    finally:
        rates.unlink()
        rates.parent.rmdir()


def test_an_empty_answer_names_what_nobody_has_and_what_was_meant(shell: Shell) -> None:
    [platform] = {row["platform"] for row in shell.read("kpi", "platform")}
    wrong = platform.lower().replace("o", "", 1)
    done = shell.run("kpi", "total", "--platform", wrong, "--campaign", "1-1", "--format", "json")
    assert (done.returncode, done.stdout) == (0, "[]\n")
    assert done.stderr == (
        f"total, table version 2\n--platform is {wrong!r}, which no row that counts in this "
        f"version has: did you mean {platform!r}?\n"
    )
    done = shell.run("kpi", "campaign", "--campaign", "zz", "--end", "2001-01-01")
    assert done.returncode == 0
    assert done.stderr == (
        "--campaign is 'zz', which no row that counts in this version has: there are 6, such as "
        "'1-0', '1-1', '1-2'\n"
        "--end is 2001-01-01, and the rows of this version begin with 2024-03-01\n"
    )
    done = shell.run("report", "--start", "2098-01-01")
    assert (done.returncode, done.stderr) == (
        0,
        "--start is 2098-01-01, and the rows of this version end with 2024-03-01\n",
    )
    done = shell.run("report", "--start", "2098-01-01", "--html", "x.html")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "end with 2024-03-01\nadlake: there is nothing to report from 2098-01-01 to the last day: "
        "no row matches\n"
    )


@pytest.mark.slow
def test_an_empty_answer_of_names_that_are_there_is_blamed_on_the_days_alone(shell: Shell) -> None:
    [platform] = {row["platform"] for row in shell.read("kpi", "platform")}
    done = shell.run("kpi", "total", "--platform", platform, "--end", "2001-01-01")
    assert (done.returncode, done.stderr) == (
        0,
        "--end is 2001-01-01, and the rows of this version begin with 2024-03-01\n",
    )
    assert done.stdout.endswith("no rows\n\n")
    assert shell.run("kpi", "quarantine", "--source", "lots").stderr == ""


@pytest.mark.parametrize(
    "command",
    [
        ["kpi", "campaign"],
        ["kpi", "campaign", "--source", "lots", "--start", "2001-01-01", "--top", "9"],
        ["query", "select * from ad_day where date > '2001-01-01'"],
    ],
)
def test_pandas_is_not_loaded_to_answer(shell: Shell, command: list[str]) -> None:
    """Where it is installed, as here, that would take longer than the answer."""
    code = (
        "import sys; from pipeline.cli import main\n"
        f"sys.argv = ['adlake', *{command}, '--lake', {str(shell.lake)!r}]\n"
        "try: main()\n"
        "finally: print(sorted({'pandas', 'pyarrow.dataset'} & set(sys.modules)), file=sys.stderr)"
    )
    assert importlib.util.find_spec("pandas")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr == "[]\n"
    assert done.stdout.count("2-0") == 1
