"""`adlake views`: SQL for a person's own DuckDB; and the view of raw/."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.kpi.query import run_query
from pipeline.kpi.raw import choose_manifests, list_named_files
from pipeline.kpi.reach import find_extension
from pipeline.kpi.roll_up import write_rollups
from pipeline.kpi.statements import find_sql_folder
from pipeline.kpi.views import open_reading_connection, views_sql
from pipeline.lake import Lake
from pipeline.manifest import Manifest, ManifestFile, name_file, write_manifest
from pipeline.settings import Settings
from pipeline.steps.land import land
from pipeline.steps.merge import merge
from pipeline.storage import open_storage
from tests.lakes import build_lake, commit_rows, make_ledger_row, make_row, write_file
from tests.lots import make_line, write_lot
from tests.s3 import Server, clean_environ

SETTINGS = Settings(workers=2)

DAY = "raw/ad_day/date=2024-02-29"


def test_the_printed_views_run_in_a_plain_duckdb_and_stay_at_their_version(tmp_path: Path) -> None:
    lake = build_lake(tmp_path / "it's [1]", [make_row(cost=5)], ledger=[make_ledger_row()])
    deliver_raw(lake, account="demo-1", generation=1, clicks=[7])
    snapshot = lake.take_snapshot()
    write_rollups(lake, snapshot)
    sql = views_sql(lake, snapshot)
    commit_rows(lake, [make_row(campaign_id="c2", cost=1)])

    with duckdb.connect() as own:
        own.execute(sql)
        own.execute(sql)  # it may be run again
        assert own.execute("select sum(cost) from ad_day").fetchone() == (Decimal(5),)
        assert own.execute("select sum(spend) from rollup").fetchone() == (Decimal(5),)
        assert own.execute("select outcome from ledger").fetchall() == [("merged",)]
        assert own.execute("select count(*) from quarantine").fetchone() == (0,)
        assert own.execute("select account, clicks from raw").fetchall() == [("demo-1", 7)]


def test_the_printed_views_of_an_empty_lake_run_too(tmp_path: Path) -> None:
    lake = build_lake(tmp_path)

    with duckdb.connect() as own:
        own.execute(views_sql(lake, lake.take_snapshot()))
        for view in ("ad_day", "rollup", "ledger", "quarantine", "raw"):
            assert own.execute(f"select count(*) from {view}").fetchone() == (0,)


QUESTIONS = ("select count(*), sum(cost) from ad_day", "select sum(spend) from primary_rollup")
FOUND = "1,5.000000\n5.000000\n"

IN_PYTHON = f"""
import csv, sys, duckdb
connection = duckdb.connect()
connection.execute(open("views.sql").read())
for question in {QUESTIONS}:
    csv.writer(sys.stdout, lineterminator="\\n").writerows(connection.sql(question).fetchall())
"""
"""What a person writes in a program or a notebook of their own."""

DUCKDB = [str(Path(sys.executable).with_name("duckdb")), "-init", "views.sql"]
OWN_PROGRAMS = {
    "python": [sys.executable, "-P", "-c", IN_PYTHON],
    "duckdb": [*DUCKDB, "-csv", "-noheader", *(w for sql in QUESTIONS for w in ("-c", sql))],
}


@pytest.fixture(params=OWN_PROGRAMS)
def own_program(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Answers `QUESTIONS` by views that were printed, and knows nothing of adlake."""

    words: list[str] = OWN_PROGRAMS[request.param]

    def run(sql: str) -> str:
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        (folder / "views.sql").write_text(sql, encoding="utf-8")
        done = subprocess.run(
            words,
            env={name: value for name, value in clean_environ().items() if name != "PYTHONPATH"},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_printed_views_run_in_a_program_of_ones_own(
    own_program: Callable[[str], str], tmp_path: Path
) -> None:
    lake = build_lake(tmp_path / "it's [1]", [make_row(cost=5)], ledger=[make_ledger_row()])
    write_rollups(lake, lake.take_snapshot())
    assert own_program(views_sql(lake, lake.take_snapshot())) == FOUND


def test_the_printed_views_of_a_bucket_run_after_httpfs_and_a_secret(
    own_program: Callable[[str], str], s3_uri: str, s3_server: Server, tmp_path: Path
) -> None:
    lot = write_lot(tmp_path / "lot.csv", [make_line(costo_total=5)])
    lake = Lake(open_storage(s3_uri))
    lake.initialise()
    land(lake, [lot], settings=SETTINGS)
    merge(lake, settings=SETTINGS)
    head = (
        f"load '{find_extension()}'; create secret (type s3, key_id '{s3_server.key_id}', "
        f"secret '{s3_server.secret}', region 'us-east-1', url_style 'path', use_ssl false, "
        f"endpoint '{s3_server.endpoint.removeprefix('http://')}');\n"
    )
    found = own_program(head + views_sql(lake, lake.take_snapshot()))
    assert found.endswith(FOUND), found  # the command line says first that the secret was made


def test_raw_shows_the_newest_generation_of_each_account_and_day(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [make_row()])
    deliver_raw(lake, account="demo-1", generation=2, clicks=[2])
    deliver_raw(lake, account="demo-1", generation=10, clicks=[10, 11])
    deliver_raw(lake, account="demo-2", generation=1, clicks=[5])
    write_file(lake, f"{DAY}/no-manifest.parquet", pa.table({"clicks": [99]}))

    with open_reading_connection(lake, lake.take_snapshot()) as connection:
        found = run_query(connection, "select date, account, clicks from raw order by all").rows

    day = date(2024, 2, 29)
    assert found == ((day, "demo-1", 10), (day, "demo-1", 11), (day, "demo-2", 5))


def test_only_the_highest_generation_is_chosen_by_number() -> None:
    names = ["demo-1.9", "demo-1.10", "demo-2.1"]
    paths = [f"{DAY}/{name}.manifest.json" for name in names]

    chosen = choose_manifests([*paths, f"{DAY}/x.parquet"])

    assert chosen == paths[1:]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"date": "2024-02-29", "files": []}'])
def test_what_is_no_manifest_of_ours_shows_no_files(content: bytes) -> None:
    assert list_named_files(f"{DAY}/demo-1.1.manifest.json", content) == []


def test_the_statements_are_found_in_the_checkout() -> None:
    assert find_sql_folder() == Path(__file__).resolve().parents[2] / "sql"


def deliver_raw(lake: Lake, *, account: str, generation: int, clicks: list[int]) -> None:
    """A day as the generator delivers it, but with two columns."""
    rows = pa.table({"campaign_id": ["c"] * len(clicks), "clicks": clicks})
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    data = sink.getvalue().to_pybytes()
    sha256 = hashlib.sha256(data).hexdigest()
    name = name_file(account=account, part=0, sha256=sha256)
    lake.storage.create(f"{DAY}/{name}", data)
    manifest = Manifest(
        account=account,
        date=date(2024, 2, 29),
        generation=generation,
        seed=int(account.removeprefix("demo-")),
        locale="es_AR",
        files=(ManifestFile(name, rows=len(clicks), size=len(data), sha256=sha256),),
    )
    lake.storage.create(f"{DAY}/{account}.{generation}.manifest.json", write_manifest(manifest))
