"""Names that mean something else to a shell, a pattern, a URL or a path are names, or refused."""

import botocore.exceptions
import polars as pl
import pytest

from pipeline.lake import Lake
from pipeline.steps.fsck import fsck
from pipeline.steps.ledger import read_ledger
from pipeline.steps.merge import merge
from pipeline.storage import open_storage
from tests.lots import HEADER, make_line, write_lot
from tests.s3 import BUCKET, Server, make_client
from tests.steps.conftest import SETTINGS, Home

HIDDEN = ["..", "...", ".x"]
REFUSED = ["a\\b", "a\tb", "\x7f"]
ODD = ["a/b", "%2e%2e", "%2F", "C:x", "*", "?", "[1]", "a[1]", "{a,b}", "date=2030-01-01", "year=1"]
QUOTED = [" ", " a ", "-rf", "--help", "$(id)", "`id`", "a;b", "'", '"', "e\u0301"]
LONG = "/".join(["long" * 40] * 4)
"""Each part may be a file's name, and all together are too many."""

COLUMNS = ["path", "outcome", "reason"]
VERDICTS = {False: ("merged", None), True: ("quarantined", "bad_name")}

REFUSED_IN_A_BUCKET = ["a\tb", "\x7f", "a\x01b", LONG]
"""Without the backslash: SeaweedFS makes a slash of it, and so another name, before it keeps it."""


@pytest.mark.faults
@pytest.mark.parametrize("name", [*HIDDEN, *REFUSED, *ODD, *QUOTED])
def test_a_hostile_name_stays_inside_the_lake_and_reads_the_right_file(
    home: Home, name: str
) -> None:
    path = home.root / f"landing/lots/{name}.csv"
    write_lot(path, [make_line(campaign_id="right")])
    other = "".join(mark for mark in name if mark.isalnum()) or "x"
    (home.root / f"landing/lots/{other}0.csv").write_text("not this one")
    around = set(home.root.parent.iterdir())
    home.merge()
    outcomes = dict(home.read_ledger().select("outcome", "reason").iter_rows())
    if name in HIDDEN:
        assert "merged" not in outcomes
    elif name in REFUSED:
        assert "bad_name" in home.read_ledger()["reason"].to_list()
    else:
        assert home.read_master()["campaign_id"].to_list() == ["right"]
    assert set(home.root.parent.iterdir()) == around
    assert home.merge().transaction is None


@pytest.mark.slow
def test_so_do_all_of_them_in_a_bucket(s3_uri: str, s3_server: Server) -> None:
    client = make_client(s3_server.describe())
    folder = f"{s3_uri.removeprefix(f's3://{BUCKET}/')}/landing/lots"
    names = [*HIDDEN, *REFUSED_IN_A_BUCKET, *ODD, *QUOTED]
    for number, name in enumerate(names):
        body = f"{HEADER}\n{make_line(campaign_id=f'c{number}')}\n".encode()
        client.put_object(Bucket=BUCKET, Key=f"{folder}/{name}.csv", Body=body)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidRequest"):
        client.put_object(Bucket=BUCKET, Key=f"{folder}/x/../../../up.csv", Body=b"")
    lake = Lake(open_storage(s3_uri))
    merge(lake, settings=SETTINGS)
    snapshot = lake.take_snapshot()
    ledger = read_ledger(lake, snapshot.ledger)
    told = {path: (outcome, reason) for path, outcome, reason in ledger.select(COLUMNS).rows()}
    assert told == {
        f"landing/lots/{name}.csv": VERDICTS[name in REFUSED_IN_A_BUCKET]
        for name in names
        if name not in HIDDEN
    }
    rows = pl.read_parquet(lake.fetch(snapshot.file_uris), glob=False)
    expected = [f"c{names.index(name)}" for name in [*ODD, *QUOTED]]
    assert rows["campaign_id"].sort().to_list() == sorted(expected)
    assert merge(lake, settings=SETTINGS).transaction is None
    assert fsck(lake, settings=SETTINGS).findings == []
