"""How many requests a merge and an opening make, and that no history adds to them."""

from concurrent.futures import ThreadPoolExecutor
from math import lcm
from pathlib import Path

import pytest

from pipeline.lake import LANDING, Lake
from pipeline.ledger import FILES_AT_MOST
from pipeline.storage import LocalStorage
from pipeline.table import CHECKPOINT_EVERY
from tests.faults.conftest import Harbour
from tests.lots import make_line, write_lot
from tests.s3 import BUCKET
from tests.steps.conftest import Home

MOST = 40
ROUND = lcm(CHECKPOINT_EVERY, FILES_AT_MOST)
"""After so many merges the logs and the ledger look alike again."""


def count_merge(harbour: Harbour, name: str) -> int:
    """The requests of a merge of one more file of one row."""
    harbour.deliver(f"{name}.csv", [name])
    harbour.proxy.break_by()
    assert harbour.merge(harbour.open()).transaction
    return len(harbour.proxy.requests)


def count_opening(harbour: Harbour) -> int:
    harbour.proxy.break_by()
    harbour.open().take_snapshot()
    return len(harbour.proxy.requests)


def test_no_merge_makes_more_than_forty_requests(harbour: Harbour) -> None:
    names = [f"c{number:04d}" for number in range(3 * ROUND + 1)]
    counts = [count_merge(harbour, name) for name in names]
    assert max(counts) <= MOST, counts
    assert counts[-ROUND:] == counts[-2 * ROUND : -ROUND], counts
    harbour.check(names)


@pytest.mark.parametrize(
    "merges",
    [
        pytest.param(200, marks=pytest.mark.faults),
        pytest.param(2_000, marks=pytest.mark.soak),
    ],
)
def test_a_long_history_adds_no_request(harbour: Harbour, tmp_path: Path, merges: int) -> None:
    """The history is made in a folder and copied, but for what was delivered."""
    names = [f"c{number:04d}" for number in range(merges + 2 * ROUND)]
    young = bring(tmp_path / "young", names[:ROUND])
    harbour_of_young = move(young, harbour)
    opening = count_opening(harbour_of_young)
    counts = [count_merge(harbour_of_young, name) for name in names[ROUND : 2 * ROUND]]
    old = bring(tmp_path / "old", names[:merges])
    harbour_of_old = move(old, harbour)
    assert count_opening(harbour_of_old) == opening
    assert [count_merge(harbour_of_old, name) for name in names[merges : merges + ROUND]] == counts
    assert max(counts) <= MOST
    assert len(harbour_of_old.read_master()) == merges + ROUND


def bring(root: Path, names: list[str]) -> Home:
    """A lake in a folder, with a merge for each name."""
    home = Home(root, Lake(LocalStorage(root)))
    for name in names:
        write_lot(root / f"{LANDING}/lots/{name}.csv", [make_line(campaign_id=name)])
        home.merge()
    return home


def move(home: Home, harbour: Harbour) -> Harbour:
    """Copies a lake into the bucket."""
    client = harbour.make_client()
    prefix = f"{harbour.uri}-{home.root.name}"
    folder = prefix.removeprefix(f"s3://{BUCKET}/")

    def put(path: Path) -> None:
        key = f"{folder}/{path.relative_to(home.root)}"
        client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())

    files = [path for path in home.root.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, (path for path in files if LANDING not in path.parts)))
    return Harbour(prefix, harbour.proxy, harbour.server, harbour.monkeypatch)
