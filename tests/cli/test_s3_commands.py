"""The commands on a bucket: the same words, figures and files as on a folder."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.cli.app import app
from tests.fault_proxy import start_proxy
from tests.lots import make_line, write_lot
from tests.s3 import Server

LOT = "landing/lots/delivered=2024-06-01T060000.000000Z/marketing_data_1.csv"
SESSION = [
    "run --rows 2000 --start 2024-01-01 --end 2024-01-31 --local-dir out",
    "land lots --delivered 2024-06-01T06:00:00Z",
    "merge",
    "merge",
    "quarantine show",
    "kpi platform --format csv",
    "report --version 1",
    "inspect --format json",
    "export lots-out --lots 1000",
    f"withdraw {LOT}",
    "report",
]
QUERY = """
select (select count(*) from ad_day), (select count(*) from raw), (select sum(spend) from rollup),
    (select count(*) from ledger), (select count(*) from quarantine)
"""


def work(
    folder: Path, capfd: pytest.CaptureFixture[str], uri: str
) -> tuple[list[str], dict[str, bytes]]:
    """What the commands say, and the files that they make for a person."""
    write_lot(folder / "lots/marketing_data_1.csv", [make_line(), make_line(clicks=2000)])
    said = []
    for words in [*(line.split() for line in SESSION), ["query", QUERY]]:
        code = app([*words, "--lake", uri], standalone_mode=False)
        output = capfd.readouterr()
        said.append(f"{words[0]} {code}\n{output.out}{output.err}".replace(uri, "LAKE"))
    made = [*folder.glob("out/*.csv"), *folder.glob("lots-out/*.csv")]
    return said, {str(path.relative_to(folder)): path.read_bytes() for path in made}


@pytest.mark.slow
def test_a_bucket_is_a_lake_like_a_folder(
    tmp_path: Path,
    s3_uri: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results: list[tuple[list[str], dict[str, bytes]]] = []
    for number, uri in enumerate((s3_uri, str(tmp_path / "lake"))):
        folder = tmp_path / f"at-{number}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        results.append(work(folder, capfd, uri))
    (said, made), (expected, files) = results
    assert said == expected
    assert made == files
    assert len(made) == 4


VIRTUAL = "[default]\ns3 =\n    addressing_style = virtual\n"


@pytest.mark.parametrize(
    ("named", "profile", "start"),
    [
        ("", "", "http://localhost:{port}/lake"),
        ("true", "", "http://lake.localhost:{port}/"),
        ("", VIRTUAL, "http://lake.localhost:{port}/"),
    ],
    ids=["by default in the path", "by the variable", "by the profile"],
)
def test_the_bucket_stands_where_the_settings_say_in_every_request(
    tmp_path: Path,
    s3_server: Server,
    s3_uri: str,
    monkeypatch: pytest.MonkeyPatch,
    named: str,
    profile: str,
    start: str,
) -> None:
    """Through a proxy, which notes the hosts: few machines know the name `lake.localhost`."""
    port = urlsplit(s3_server.endpoint).port
    start = start.format(port=port)
    (tmp_path / "config").write_text(profile)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://localhost:{port}")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", named)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with start_proxy(s3_server.endpoint) as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.endpoint)
        for words in (SMALL, ["query", "select count(*) from raw"]):
            proxy.break_by()
            assert not app([*words, "--lake", s3_uri], standalone_mode=False)
            asked = [request.path for request in proxy.requests]
            assert [path for path in asked if not path.startswith(start)] == []
            assert any("/raw/ad_day/" in path for path in asked)  # of SQL's engine, too


SMALL = ["run", "--rows", "50", "--start", "2024-01-01", "--end", "2024-01-01", "--no-csv"]


def run_command(
    uri: str, environ: Mapping[str, str], words: Sequence[str], *, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "pipeline", *words, "--lake", uri],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
@pytest.mark.parametrize("minutes", [-20, 20])
def test_a_clock_that_is_off_is_named(
    s3_uri: str, s3_environ: dict[str, str], minutes: int
) -> None:
    for words in (SMALL, ["merge"], ["status"]):
        done = run_command(s3_uri, s3_environ, words, before=["faketime", "-f", f"{minutes:+}m"])
        assert done.returncode == 4
        assert done.stderr.count("\n") == 1
        assert "RequestTimeTooSkewed: this machine's clock is off by more than 15" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_a_bare_environment_is_enough(
    where: str, s3_uri: str, s3_environ: dict[str, str], tmp_path: Path
) -> None:
    uri = s3_uri if where == "bucket" else str(tmp_path / "lake")
    odd = {"LANG": "C", "LC_ALL": "C", "TMPDIR": str(tmp_path / "not-there")}
    environ = {name: value for name, value in s3_environ.items() if name != "HOME"} | odd
    mask = os.umask(0o077)
    try:
        for words in (SMALL, ["kpi", "platform"], ["fsck"]):
            done = run_command(uri, environ, words)
            assert (done.returncode, done.stderr) == (0, "")
    finally:
        os.umask(mask)
